//! `dsg resolve`.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use dsg_core::conflict::{Choice, Question, Resolution, Resolutions};
use dsg_core::path::RepoPath;
use dsg_store::error::{Code, Error, Result};
use dsg_store::project::{self, Project};
use dsg_store::sync::{LookOptions, look, remember};
use foundation_runtime::Exit;
use serde_json::{Value, json};

use crate::context::Context;
use crate::ui::{Tone, count, safe};
use crate::view::step::{choice_word, question_json};

const EXAMPLES: &str = "\
Examples
  dsg resolve --list                      the open conflicts and their choices
  dsg resolve input/people.csv --remote   everyone gets the repository's copy
  dsg resolve . --local                   this disk's copies, of all conflicts below here

A choice is made for the two copies that are there now: if one of them changes before the next `dsg sync`, it is asked \
again. Nothing is transferred until then.";

/// Choose which copy wins, for paths in conflict
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("choice").required(true).args(["local", "remote", "cached", "list"]))]
pub(crate) struct ResolveArgs {
    /// Files in conflict, or directories: all conflicts below them
    #[arg(value_name = "PATH", required_unless_present = "list", conflicts_with = "list")]
    paths: Vec<PathBuf>,
    /// Keep what is on this disk
    #[arg(long)]
    local: bool,
    /// Take what is in the repository
    #[arg(long)]
    remote: bool,
    /// Go back to what both last agreed on
    #[arg(long)]
    cached: bool,
    /// Show the open conflicts
    #[arg(long)]
    list: bool,
}

impl ResolveArgs {
    fn choice(&self) -> Option<Choice> {
        let chosen = [
            (self.local, Choice::Local),
            (self.remote, Choice::Remote),
            (self.cached, Choice::Cached),
        ];
        chosen.into_iter().find(|(is_chosen, _)| *is_chosen).map(|(_, choice)| choice)
    }
}

/// Records choices, or lists what there is to choose.
pub(crate) fn run(args: &ResolveArgs, context: &Context) -> Result<Exit> {
    let project = context.project()?;
    let questions = questions(context, &project)?;
    let dsg = project.dsg_attached()?;
    let Some(choice) = args.choice() else {
        show(context, &questions, &project::resolutions(&dsg)?, &[]);
        return Ok(Exit::Success);
    };
    let mut chosen: Vec<&Question> = Vec::new();
    for path in &args.paths {
        chosen.extend(asked_about(context, &project, &questions, path)?);
    }
    chosen.sort_by(|a, b| a.path.cmp(&b.path));
    chosen.dedup_by(|a, b| a.path == b.path);
    refuse_what_is_not_offered(&chosen, choice)?;
    // One dsg at a time, so that no choice of another is lost.
    let _lock = project::lock_project(&dsg)?;
    let mut resolutions = project::resolutions(&dsg)?;
    for question in &chosen {
        let resolution =
            Resolution { path: question.path.clone(), choice, made_for: question.made_for };
        resolutions.insert(resolution).map_err(|error| {
            Error::new(Code::Conflict, error.to_string())
                .next("run `dsg sync` first, then choose the rest")
        })?;
    }
    project::save_resolutions(&dsg, &resolutions)?;
    let paths: Vec<&RepoPath> = chosen.iter().map(|question| &question.path).collect();
    show(context, &questions, &resolutions, &paths);
    Ok(Exit::Success)
}

/// All conflicts, also those that were settled already: a choice may be made anew.
fn questions(context: &Context, project: &Project) -> Result<Vec<Question>> {
    let dsg = project.dsg_attached()?;
    let repository = context.repository_for_reading(project)?;
    let look = look(project, &dsg, &*repository, &LookOptions::default(), &context.monitor())?;
    remember(&dsg, &look, &context.monitor());
    Ok(look.plan.conflicts().filter_map(Question::of).collect())
}

fn asked_about<'q>(
    context: &Context,
    project: &Project,
    questions: &'q [Question],
    given: &Path,
) -> Result<Vec<&'q Question>> {
    let path = context.path_in_project(project, given)?;
    let found: Vec<&Question> = questions
        .iter()
        .filter(|question| {
            path.as_ref().is_none_or(|path| question.path == *path || question.path.is_below(path))
        })
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let from_root = given.to_str().and_then(|text| RepoPath::from_spelling(text).ok());
    let is_from_root =
        from_root.is_some_and(|path| questions.iter().any(|question| question.path == path));
    let next = match (questions.is_empty(), is_from_root) {
        (true, _) => "there is no conflict; run `dsg sync`".to_owned(),
        (_, true) => format!(
            "paths are taken from where you are: run it in {}",
            project.root.path().display()
        ),
        _ => "`dsg resolve --list` shows the conflicts".to_owned(),
    };
    Err(Error::new(Code::NotFound, format!("{} is not in conflict", given.display())).next(next))
}

fn refuse_what_is_not_offered(chosen: &[&Question], choice: Choice) -> Result<()> {
    let offers =
        |question: &&&Question| question.choices.iter().any(|offer| offer.choice == choice);
    let refused: Vec<&&Question> = chosen.iter().filter(|question| !offers(question)).collect();
    let Some(first) = refused.first() else { return Ok(()) };
    let what = format!("--{} is no choice here; nothing was recorded", choice_word(choice));
    Err(Error::new(Code::Usage, what)
        .because(format!("for {} there is {}", first.path, offered(first)))
        .about(refused.iter().map(|question| &question.path))
        .next("take a choice that is offered, or put the files right by hand; `dsg resolve --list` shows what is offered"))
}

fn offered(question: &Question) -> String {
    if question.choices.is_empty() {
        return format!("nothing to choose: {}", question.reason);
    }
    let words: Vec<String> =
        question.choices.iter().map(|offer| format!("--{}", choice_word(offer.choice))).collect();
    words.join(", ")
}

fn show(
    context: &Context,
    questions: &[Question],
    resolutions: &Resolutions,
    chosen: &[&RepoPath],
) {
    let decided = |question: &Question| {
        let resolution = resolutions.get(&question.path)?;
        (resolution.made_for == question.made_for).then_some(resolution.choice)
    };
    let open = questions.iter().filter(|question| decided(question).is_none()).count();
    let ui = &context.ui;
    if ui.is_json() {
        let conflicts: Vec<Value> =
            questions.iter().map(|question| question_json(question, decided(question))).collect();
        ui.json(&json!({
            "schema": "dsg.resolve/1",
            "chosen": chosen,
            "open": open,
            "conflicts": conflicts,
        }));
        return;
    }
    let shown =
        questions.iter().filter(|question| chosen.is_empty() || chosen.contains(&&question.path));
    for question in shown {
        let state = match decided(question) {
            Some(choice) => ui.paint(Tone::Good, format_args!("{:<8}", choice_word(choice))),
            None => ui.paint(Tone::Bad, "open    "),
        };
        ui.line(format_args!(
            "{state} {}  {}",
            safe(question.path.as_str()),
            safe(&question.reason)
        ));
        if decided(question).is_none() {
            for offer in &question.choices {
                ui.line(format_args!(
                    "           --{:<8} {}",
                    choice_word(offer.choice),
                    offer.meaning
                ));
            }
        }
    }
    ui.line(match (questions.len(), open) {
        (0, _) => "No conflicts.".to_owned(),
        (_, 0) => "All conflicts are decided; `dsg sync` carries it out.".to_owned(),
        (_, open) => format!("{} open.", count(open as u64, "conflict")),
    });
}

//! One sync with everything around it, for `sync`, `init` and `clone`: resolutions, the questions
//! of a conflict, the report.

use dsg_core::conflict::{Header, Question, Resolutions};
use dsg_core::tracked::CONFLICTS_FILE;
use dsg_store::error::{Code, Error, Result};
use dsg_store::project::{self, Project};
use dsg_store::repository::Repository;
use dsg_store::sync::{LookOptions, SyncOptions, SyncOutcome, sync};
use foundation_runtime::Exit;
use serde_json::{Value, json};

use crate::conflict_file;
use crate::context::Context;
use crate::normalize;
use crate::ui::Timed;
use crate::view::report;
use crate::view::step::question_json;

/// How many conflicts are shown; the file has all.
const CONFLICTS_SHOWN: usize = 5;

/// What is asked of a sync.
#[derive(Debug, Default)]
pub(crate) struct Request {
    /// What the user says about it.
    pub(crate) message: Option<String>,
    /// Deleting much is meant.
    pub(crate) allow_mass_delete: bool,
    /// Copies that lose a conflict are not kept.
    pub(crate) no_backup: bool,
    /// The answers in `conflicts.txt` are to be used.
    pub(crate) continues: bool,
}

/// How it ended.
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    /// The result of `dsg sync --json`; of a sync that is done, nothing without `--json`.
    pub(crate) json: Value,
}

/// Syncs, and tells people what came of it; what programs are told is returned.
///
/// # Errors
/// As [`sync`]; and when `conflicts.txt` is needed and can't be used.
pub(crate) fn carry_out(
    context: &Context,
    project: &Project,
    repository: &dyn Repository,
    request: Request,
) -> Result<Ended> {
    let dsg = project.dsg_attached()?;
    let resolutions = resolutions(context, project, request.continues)?;
    let backup = context.user()?.backup_on_conflict.value && !request.no_backup;
    let options = SyncOptions {
        look: LookOptions { allow_mass_delete: request.allow_mass_delete, resolutions },
        message: request.message,
        backup_stamp: backup.then(|| context.backup_stamp()),
    };
    let start = context.clock.monotonic();
    let monitor = Timed::new(context.monitor(), &*context.clock);
    let outcome = sync(project, repository, &options, &monitor);
    let phases = monitor.end();
    match outcome? {
        SyncOutcome::Done(done) => {
            let took = context.clock.monotonic().saturating_sub(start);
            settle_conflict_file(context, project, request.continues)?;
            report::print(&context.ui, &done, took);
            normalize::advise(context, project, &done.unknown);
            // Each path is in it, which is much where nobody reads it.
            let json = match context.ui.is_json() {
                true => report::json(&done, took, &phases),
                false => Value::Null,
            };
            Ok(Ended { exit: report::exit(&done), json })
        }
        SyncOutcome::Conflicts(questions) => {
            let user = context
                .user()?
                .identity()
                .map_err(|error| crate::context::configuration_error(&error))?;
            let header = Header {
                generated: &context.now_in_seconds(),
                user: &format!("{} <{}>", user.name, user.id),
                backup,
            };
            let stamp = context.backup_stamp();
            let (place, kept) = conflict_file::write(project, &dsg, &questions, &header, &stamp)?;
            if let Some(kept) = kept {
                context.ui.notice(format_args!(
                    "the old {CONFLICTS_FILE} could not be understood; it is kept as {}",
                    kept.display()
                ));
            }
            let error = conflict_error(&questions, &place.display().to_string(), request.continues);
            context.ui.show(&error);
            Ok(Ended {
                exit: Exit::Conflict,
                json: conflicts_json(&questions, &error, &place.display().to_string()),
            })
        }
    }
}

/// What was decided: by `dsg resolve`, and in the file when it is to be used.
fn resolutions(context: &Context, project: &Project, continues: bool) -> Result<Resolutions> {
    let recorded = project::resolutions(&project.dsg_attached()?)?;
    if !continues {
        return Ok(recorded);
    }
    match conflict_file::read(project)? {
        Some(answers) => {
            for path in answers.unmarked() {
                context.ui.notice(format_args!(
                    "the line `# Made for:` of {} is gone, so it is asked again",
                    crate::ui::safe(path.as_str())
                ));
            }
            conflict_file::merge(recorded, &answers)
        }
        None if recorded.is_empty() => {
            Err(Error::new(Code::NotFound, format!("there is no {CONFLICTS_FILE} in this project"))
                .because("nothing was asked, or it was settled already")
                .next("run `dsg sync` without --continue"))
        }
        None => Ok(recorded),
    }
}

/// Nothing is left to ask: the file goes.
fn settle_conflict_file(context: &Context, project: &Project, continues: bool) -> Result<()> {
    if conflict_file::remove(project)? && !continues {
        context.ui.notice(format_args!("{CONFLICTS_FILE} is removed: no conflict is left"));
    }
    Ok(())
}

fn conflict_error(questions: &[Question], place: &str, continues: bool) -> Error {
    let number = questions.len();
    let what = match (number, continues) {
        (1, false) => "a path was changed on both sides, and differently".to_owned(),
        (_, false) => format!("{number} paths were changed on both sides, and differently"),
        (1, true) => format!("1 conflict is not decided yet in {CONFLICTS_FILE}"),
        (_, true) => format!("{number} conflicts are not decided yet in {CONFLICTS_FILE}"),
    };
    let more = match number.saturating_sub(CONFLICTS_SHOWN) {
        0 => String::new(),
        more => format!(" ({more} more are listed there)"),
    };
    let shown = questions.iter().take(CONFLICTS_SHOWN);
    Error::new(Code::Conflict, what)
        .because("nothing was transferred; somebody has to choose which copy everyone gets")
        .about(shown.map(|question| format!("{}  {}", question.path, question.reason)))
        .next(format!(
            "choose in one of two ways:\n\
             - edit {place}{more}, then run `dsg sync --continue`\n\
             - run `dsg resolve PATH --local` (or --remote, --cached), then `dsg sync`"
        ))
}

fn conflicts_json(questions: &[Question], error: &Error, place: &str) -> Value {
    json!({
        "schema": "dsg.sync/1",
        "dry_run": false,
        "outcome": "conflicts",
        "code": error.code.as_str(),
        "what": error.what,
        "next": error.next,
        "conflicts": questions.iter().map(|question| question_json(question, None)).collect::<Vec<_>>(),
        "conflicts_file": place,
        "exit": Exit::Conflict.code(),
    })
}

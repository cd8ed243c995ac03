//! `conflicts.txt` at the root of a project: the questions of a sync, for a text editor.
//!
//! A person may be half way through it when somebody syncs again, so writing it anew carries over
//! what is decided and still fits, and a file that can't be understood is kept beside the new one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dsg_core::conflict::{
    self, Answers, Choice, FILE_BYTES_MAX, Header, MadeFor, Question, Resolutions,
};
use dsg_core::path::RepoPath;
use dsg_core::tracked::CONFLICTS_FILE;
use dsg_store::error::{Code, Error, Result};
use dsg_store::project::Project;
use dsg_store::system::{Directory, present};

/// The first line of every such file; a file without it is somebody's own.
const TITLE: &str = "# DSG Conflict Resolution";
/// The name under which the next file is built, in `.dsg`.
const UNFINISHED: &str = "conflicts.txt.new";

/// What some editors put before the first line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the file says; `None` when there is none.
///
/// # Errors
/// When it can't be understood: a person has to look at that line.
pub(crate) fn read(project: &Project) -> Result<Option<Answers>> {
    let Some(mut reader) = present(project.root.open_file(CONFLICTS_FILE))? else {
        return Ok(None);
    };
    let place = project.root.path_of(CONFLICTS_FILE);
    let misunderstood = |why: String| {
        Error::new(Code::Conflict, format!("{} can't be understood", place.display()))
            .because(why)
            .next("correct it, or remove the file and run `dsg sync` for a new one")
    };
    if reader.opened().size > FILE_BYTES_MAX as u64 {
        return Err(misunderstood(format!("it is larger than {} MiB", FILE_BYTES_MAX >> 20)));
    }
    let bytes = reader.read_to_end(FILE_BYTES_MAX as u64)?;
    let text =
        String::from_utf8(bytes).map_err(|_| misunderstood("it is no UTF-8 text".to_owned()))?;
    conflict::read(&text).map(Some).map_err(|why| misunderstood(why.to_string()))
}

/// The resolutions that were recorded, and those of the file.
///
/// # Errors
/// When both are about the same copies and say different things: neither can be called the later one.
pub(crate) fn merge(recorded: Resolutions, answers: &Answers) -> Result<Resolutions> {
    let mut merged = recorded;
    let mut contradictions = Vec::new();
    for resolution in answers.resolutions().iter() {
        match merged.get(&resolution.path) {
            Some(known)
                if known.made_for == resolution.made_for && known.choice != resolution.choice =>
            {
                contradictions.push(resolution.path.clone());
            }
            _ => merged.insert(resolution.clone()).map_err(|error| {
                Error::new(Code::Conflict, error.to_string())
                    .next("sync with fewer of them at a time")
            })?,
        }
    }
    if contradictions.is_empty() {
        return Ok(merged);
    }
    Err(Error::new(
        Code::Conflict,
        format!("{CONFLICTS_FILE} and `dsg resolve` say different things"),
    )
    .about(contradictions)
    .next(format!(
        "correct {CONFLICTS_FILE}, or choose again with `dsg resolve`, so that both agree"
    )))
}

/// Writes the questions, with the answers of an earlier file that still fit. Returns where it is,
/// and the file that could not be understood and was kept, if there was one.
///
/// # Errors
/// When the disk says no.
pub(crate) fn write(
    project: &Project,
    dsg: &Directory,
    questions: &[Question],
    header: &Header<'_>,
    stamp: &str,
) -> Result<(PathBuf, Option<PathBuf>)> {
    let mut decided = Decided::new();
    let mut kept = None;
    match read(project) {
        Ok(None) => {}
        Ok(Some(answers)) => decided = decisions(&answers),
        Err(error) if error.code == Code::Conflict => {
            let name = format!("{CONFLICTS_FILE}~{stamp}~");
            project.root.rename_new(CONFLICTS_FILE, &project.root, &name)?;
            kept = Some(project.root.path_of(&name));
        }
        Err(error) => return Err(error),
    }
    let written = conflict::write(header, questions);
    let text = carried_over(&written.text, questions, &decided);
    dsg.remove_file_if_there(UNFINISHED)?;
    dsg.write_new(UNFINISHED, text.as_bytes(), 0o600)?;
    dsg.rename(UNFINISHED, &project.root, CONFLICTS_FILE)?;
    project.root.sync()?;
    Ok((project.root.path_of(CONFLICTS_FILE), kept))
}

/// Removes the file when it is one of ours; whether there was one.
///
/// # Errors
/// When the disk says no.
pub(crate) fn remove(project: &Project) -> Result<bool> {
    let Some(reader) = present(project.root.open_file(CONFLICTS_FILE))? else { return Ok(false) };
    let mut start = [0; TITLE.len() + BYTE_ORDER_MARK.len()];
    let read = reader.read_at(&mut start, 0)?;
    let text = start[..read].strip_prefix(BYTE_ORDER_MARK).unwrap_or(&start[..read]);
    Ok(text.starts_with(TITLE.as_bytes()) && project.root.remove_file_if_there(CONFLICTS_FILE)?)
}

/// Choices by path, with the copies that they were made for.
type Decided = BTreeMap<RepoPath, (Choice, MadeFor)>;

fn decisions(answers: &Answers) -> Decided {
    let decided = answers.resolutions();
    decided.iter().map(|one| (one.path.clone(), (one.choice, one.made_for))).collect()
}

/// The text of a new file with the underscores of earlier choices removed. The questions stand in
/// it in their order, each behind a line of its own.
fn carried_over(text: &str, questions: &[Question], decided: &Decided) -> String {
    let mut questions = questions.iter();
    let mut choice = None;
    let mut result = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if line.starts_with("# File: ") {
            choice = questions.next().and_then(|question| still_fitting(question, decided));
        }
        let offered = line.strip_prefix('_');
        let is_chosen = offered.is_some_and(|offer| {
            offer.chars().next().and_then(Choice::of_letter).is_some_and(|it| Some(it) == choice)
        });
        result.push_str(if is_chosen { offered.unwrap_or(line) } else { line });
    }
    result
}

fn still_fitting(question: &Question, decided: &Decided) -> Option<Choice> {
    let (choice, made_for) = decided.get(&question.path)?;
    let offered = question.choices.iter().any(|offer| offer.choice == *choice);
    (offered && *made_for == question.made_for).then_some(*choice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsg_core::conflict::{Mark, Offer, Resolution};

    fn made_for(local: u8) -> MadeFor {
        MadeFor { local: Mark::Digest([local; 8]), remote: Mark::Absent }
    }

    fn question(path: &str, local: u8) -> Question {
        let offer = |choice| Offer { choice, meaning: "whatever" };
        Question {
            path: RepoPath::parse(path).expect("a path"),
            reason: "both changed it".to_owned(),
            choices: vec![offer(Choice::Local), offer(Choice::Cached)],
            made_for: made_for(local),
        }
    }

    fn text(questions: &[Question], decided: &Decided) -> String {
        let header = Header { generated: "now", user: "alice", backup: true };
        carried_over(&conflict::write(&header, questions).text, questions, decided)
    }

    #[test]
    fn a_choice_is_carried_over_while_the_copies_are_the_same() {
        let questions = [question("input/a", 1), question("input/b", 2), question("input/c\n", 3)];
        let decided = Decided::from([
            (questions[0].path.clone(), (Choice::Cached, made_for(1))),
            (questions[1].path.clone(), (Choice::Cached, made_for(9))),
            (questions[2].path.clone(), (Choice::Remote, made_for(3))),
        ]);
        let answers = conflict::read(&text(&questions, &decided)).expect("readable");
        let chosen: Vec<_> = answers.0.iter().map(|answer| answer.choice).collect();
        assert_eq!(chosen, [Some(Choice::Cached), None, None]);
        assert_eq!(decisions(&answers).len(), 1);
    }

    #[test]
    fn two_answers_to_one_question_are_an_error_unless_one_is_about_other_copies() {
        let answers = |choice, local| {
            let question = [question("input/a", local)];
            let decided = Decided::from([(question[0].path.clone(), (choice, made_for(local)))]);
            conflict::read(&text(&question, &decided)).expect("readable")
        };
        let recorded = |choice, local| {
            let mut resolutions = Resolutions::default();
            let path = RepoPath::parse("input/a").expect("a path");
            resolutions
                .insert(Resolution { path, choice, made_for: made_for(local) })
                .expect("room");
            resolutions
        };
        let merged = |recorded, answers: &Answers| {
            merge(recorded, answers)
                .map(|merged| merged.iter().map(|one| one.choice).collect::<Vec<_>>())
        };
        let file = answers(Choice::Local, 1);
        assert_eq!(merged(recorded(Choice::Local, 1), &file).expect("agrees"), [Choice::Local]);
        assert_eq!(merged(recorded(Choice::Cached, 7), &file).expect("older"), [Choice::Local]);
        let error = merged(recorded(Choice::Cached, 1), &file).expect_err("contradiction");
        assert_eq!((error.code, error.paths), (Code::Conflict, vec!["input/a".to_owned()]));
    }
}

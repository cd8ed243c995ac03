//! Reading an edited `conflicts.txt`.
//!
//! People edit it, in any editor, perhaps on another system. So line ends, blanks around a choice
//! and comments behind it are free. But what is read here decides whose work is kept: a line that
//! can be understood in two ways is an error with its number, never a guess.

use std::collections::BTreeSet;

use super::text::{excerpt, unescape};
use super::{Choice, FILE_BYTES_MAX, MadeFor, RESOLUTIONS_MAX, Resolution, Resolutions};
use crate::path::{BadPath, RepoPath};

/// Why a `conflicts.txt` can't be understood. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Longer than [`FILE_BYTES_MAX`].
    #[error("the file of conflicts is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// More files than are kept at once.
    #[error("the file of conflicts names more than {RESOLUTIONS_MAX} files")]
    TooMany,
    /// No `# File:` line at all.
    #[error("the file of conflicts has no line `# File: …`")]
    NoFiles,
    /// Something that belongs to a file stands before the first one.
    #[error("line {line}: `{text}` stands before the first line `# File: …`")]
    BeforeFirstFile {
        /// The line.
        line: usize,
        /// Its start.
        text: String,
    },
    /// Neither a comment nor a choice.
    #[error("line {line}: `{text}` is neither a comment nor one of L, R, C")]
    UnknownLine {
        /// The line.
        line: usize,
        /// Its start.
        text: String,
    },
    /// Two choices of a file have no underscore.
    #[error("line {line}: a second choice for `{path}`")]
    SecondChoice {
        /// The line.
        line: usize,
        /// The file.
        path: RepoPath,
    },
    /// A file that stands above already.
    #[error("line {line}: `{path}` was named before")]
    SecondBlock {
        /// The line.
        line: usize,
        /// The file.
        path: RepoPath,
    },
    /// What follows `# File:` is no path.
    #[error("line {line}: `{text}` is no path: {why}")]
    BadPath {
        /// The line.
        line: usize,
        /// The start of the text.
        text: String,
        /// What is wrong with it.
        why: BadPath,
    },
    /// A backslash that starts no escape.
    #[error("line {line}: `{text}` has a backslash that is not written as `\\\\`")]
    BadEscape {
        /// The line.
        line: usize,
        /// The start of the text.
        text: String,
    },
    /// What follows `# Made for:` are not two marks, or it stands there twice.
    #[error("line {line}: `{text}` was changed; sync again to get a new file")]
    BadMarks {
        /// The line.
        line: usize,
        /// The start of the text.
        text: String,
    },
}

/// What the file says of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The line `# File:`.
    pub line: usize,
    /// The path.
    pub path: RepoPath,
    /// The choice without an underscore; `None` while nothing is decided.
    pub choice: Option<Choice>,
    /// The copies that the question was about; `None` when the line is gone.
    pub made_for: Option<MadeFor>,
}

/// All that a file says, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Answers(pub Vec<Answer>);

impl Answers {
    /// What is decided and says what for.
    #[must_use]
    pub fn resolutions(&self) -> Resolutions {
        let mut resolutions = Resolutions::default();
        for answer in &self.0 {
            if let (Some(choice), Some(made_for)) = (answer.choice, answer.made_for) {
                // There is room for all: `read` took no more answers than that.
                let path = answer.path.clone();
                let _ = resolutions.insert(Resolution { path, choice, made_for });
            }
        }
        resolutions
    }

    /// Paths that are not decided yet.
    pub fn undecided(&self) -> impl Iterator<Item = &RepoPath> {
        self.0.iter().filter(|answer| answer.choice.is_none()).map(|answer| &answer.path)
    }

    /// Paths that are decided, but whose line `# Made for:` is gone: whether the choice still fits
    /// can't be known, so they have to be asked again.
    pub fn unmarked(&self) -> impl Iterator<Item = &RepoPath> {
        self.0
            .iter()
            .filter(|answer| answer.choice.is_some() && answer.made_for.is_none())
            .map(|answer| &answer.path)
    }
}

/// Reads a file. Takes any text, in time proportional to its length.
///
/// # Errors
/// [`Unreadable`]: the first thing that can't be understood.
pub fn read(text: &str) -> Result<Answers, Unreadable> {
    if text.len() > FILE_BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    let mut answers: Vec<Answer> = Vec::new();
    let mut paths = BTreeSet::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (line, text) in (1..).zip(text.split('\n')) {
        match understand(line, text.trim_end())? {
            Line::Nothing => {}
            Line::File(path) => {
                if !paths.insert(path.clone()) {
                    return Err(Unreadable::SecondBlock { line, path });
                }
                if answers.len() >= RESOLUTIONS_MAX {
                    return Err(Unreadable::TooMany);
                }
                answers.push(Answer { line, path, choice: None, made_for: None });
            }
            inner => {
                let Some(answer) = answers.last_mut() else {
                    return Err(Unreadable::BeforeFirstFile { line, text: excerpt(text.trim()) });
                };
                take(answer, line, &inner, text)?;
            }
        }
    }
    if answers.is_empty() { Err(Unreadable::NoFiles) } else { Ok(Answers(answers)) }
}

/// What a line is.
enum Line {
    Nothing,
    File(RepoPath),
    MadeFor(MadeFor),
    Choice(Choice),
    /// A choice with its underscore: offered, not taken.
    Offer,
}

/// Adds a line to the block it stands in.
fn take(answer: &mut Answer, line: usize, content: &Line, text: &str) -> Result<(), Unreadable> {
    match content {
        Line::MadeFor(_) if answer.made_for.is_some() => {
            return Err(Unreadable::BadMarks { line, text: excerpt(text.trim()) });
        }
        Line::MadeFor(made_for) => answer.made_for = Some(*made_for),
        Line::Choice(_) if answer.choice.is_some() => {
            return Err(Unreadable::SecondChoice { line, path: answer.path.clone() });
        }
        Line::Choice(choice) => answer.choice = Some(*choice),
        Line::Nothing | Line::File(_) | Line::Offer => {}
    }
    Ok(())
}

/// Understands one line, which has no blanks at its end.
fn understand(line: usize, text: &str) -> Result<Line, Unreadable> {
    let trimmed = text.trim_start();
    if let Some(comment) = trimmed.strip_prefix('#') {
        let comment = comment.trim_start();
        if let Some(path) = comment.strip_prefix("File:") {
            return file(line, path.strip_prefix(' ').unwrap_or(path)).map(Line::File);
        }
        if let Some(marks) = comment.strip_prefix("Made for:") {
            let bad = || Unreadable::BadMarks { line, text: excerpt(trimmed) };
            return made_for(marks).map(Line::MadeFor).ok_or_else(bad);
        }
        return Ok(Line::Nothing);
    }
    if trimmed.is_empty() {
        return Ok(Line::Nothing);
    }
    choice(trimmed).ok_or_else(|| Unreadable::UnknownLine { line, text: excerpt(trimmed) })
}

/// `L`, `R` or `C`, perhaps after an underscore, perhaps before a comment.
fn choice(text: &str) -> Option<Line> {
    let bare = text.strip_prefix('_');
    let mut rest = bare.unwrap_or(text).chars();
    let choice = Choice::of_letter(rest.next()?)?;
    let behind = rest.as_str().trim_start();
    if !behind.is_empty() && !behind.starts_with('#') {
        return None;
    }
    Some(if bare.is_some() { Line::Offer } else { Line::Choice(choice) })
}

fn file(line: usize, text: &str) -> Result<RepoPath, Unreadable> {
    let path = unescape(text).ok_or_else(|| Unreadable::BadEscape { line, text: excerpt(text) })?;
    RepoPath::from_spelling(&path).map_err(|why| Unreadable::BadPath {
        line,
        text: excerpt(text),
        why,
    })
}

fn made_for(text: &str) -> Option<MadeFor> {
    let (local, remote) = text.trim().strip_prefix("L=")?.split_once(" R=")?;
    Some(MadeFor { local: local.trim().parse().ok()?, remote: remote.trim().parse().ok()? })
}

//! Writing `conflicts.txt`: a file that explains itself.

use super::text::escape;
use super::{FILE_BYTES_MAX, Question};

/// What the top of the file says, as texts: nothing here knows the time or the user.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// When it was made, in UTC.
    pub generated: &'a str,
    /// Who is asked.
    pub user: &'a str,
    /// Whether a copy that loses is kept beside the file.
    pub backup: bool,
}

/// A `conflicts.txt`, ready to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file, at most [`FILE_BYTES_MAX`] bytes.
    pub text: String,
    /// How many questions are in it, from the first on. Fewer than were given only when more would
    /// not fit; the file says so itself, and they are asked once these are settled.
    pub questions: usize,
}

/// Room for the line that says how many questions did not fit.
const CLOSING_BYTES: usize = 200;

/// Writes the questions.
#[must_use]
pub fn write(header: &Header<'_>, questions: &[Question]) -> Written {
    let mut text = opening(header);
    let mut written = 0;
    for question in questions {
        let block = block(question);
        if text.len() + block.len() > FILE_BYTES_MAX - CLOSING_BYTES {
            let left = questions.len() - written;
            text.push_str(&format!(
                "\n# {left} more conflicts did not fit in here. Settle these, then sync again.\n"
            ));
            break;
        }
        text.push_str(&block);
        written += 1;
    }
    Written { text, questions: written }
}

fn opening(header: &Header<'_>) -> String {
    // Whoever is named here chose the name: cut and escaped, it can't become a line of its own.
    let short = |text: &str| escape(&text.chars().take(200).collect::<String>());
    format!(
        "\
# DSG Conflict Resolution
# Generated: {generated}
# User: {user}
# Backup on conflict: {backup}
#
# For every file below:
#   1. Remove the underscore in front of the version that is to be kept.
#   2. Leave the other choices as they are, or delete them.
#   3. Save this file and run: dsg sync --continue
# A file whose choices all have an underscore is not decided yet.
#
# L = Local version: what is on this disk
# R = Remote version: what is in the repository
# C = Cached version: what both had when they last agreed
",
        generated = short(header.generated),
        user = short(header.user),
        backup = if header.backup { "enabled" } else { "disabled" },
    )
}

fn block(question: &Question) -> String {
    let mut block = format!(
        "\n# File: {}\n# Conflict: {}\n# Made for: L={} R={}\n",
        escape(question.path.as_str()),
        escape(&question.reason),
        question.made_for.local,
        question.made_for.remote,
    );
    for offer in &question.choices {
        block.push_str(&format!("_{}  # {}\n", offer.choice.letter(), offer.meaning));
    }
    if question.choices.is_empty() {
        block.push_str("# There is nothing to choose: rename one of the two, then sync again.\n");
    }
    block
}

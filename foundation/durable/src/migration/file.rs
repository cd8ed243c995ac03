//! Migration files: `0001_base.sql`, `0002_….sql`, each of which is steps.
//!
//! ```sql
//! -- compatible: 1
//! -- step: the table of genes
//! CREATE TABLE gene (hgnc_id BIGINT PRIMARY KEY, symbol TEXT NOT NULL);
//! -- step: symbols are compared as bytes
//! -- only: postgres
//! ALTER TABLE gene ALTER COLUMN symbol TYPE TEXT COLLATE "C";
//! -- postcondition: SELECT count(*) = 0 FROM gene
//! ```
//!
//! - `-- step: name` starts a step; before the first there are only comments.
//! - `-- only: postgres|sqlite` right after it: the step is for one engine.
//! - `-- postcondition: SELECT …`, on one line, in a step: what must be true after all steps, as a
//!   row with 1 (or true) in its first column. `verify` asks it again at any time.
//! - `-- compatible: N` before the first step: programs that know the schema up to N work with this
//!   one too. Without it, none does: a replica of the version before is not ready on it.
//! - Everything runs inside one transaction. A file that tries to end it is refused.
//!
//! A file that has landed is never edited. Its SHA-256, over the whole text with line ends as LF, is
//! in the history of each database and in the manifest beside the files.

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::database::Engine;

/// A file, embedded in the program.
#[derive(Clone, Copy, Debug)]
pub struct MigrationFile {
    /// Its name, `0001_base.sql`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// A step of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// The engine it is for; both, if none is said.
    pub only: Option<Engine>,
    /// One or more statements.
    pub sql: String,
    /// What must be true after the file.
    pub postconditions: Vec<String>,
}

/// A file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The number that its name starts with.
    pub version: i64,
    /// Its name.
    pub name: &'static str,
    /// SHA-256 of the text with LF line ends, in hexadecimal.
    pub checksum: String,
    /// The oldest schema whose programs work with this one.
    pub compatible: i64,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

impl Migration {
    /// The steps for an engine.
    pub fn steps_for(&self, engine: Engine) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.only.is_none_or(|only| only == engine))
    }

    /// The postconditions for an engine, with the step that each belongs to.
    pub fn postconditions_for(&self, engine: Engine) -> impl Iterator<Item = (&Step, &str)> {
        self.steps_for(engine)
            .flat_map(|step| step.postconditions.iter().map(move |sql| (step, sql.as_str())))
    }
}

/// What is wrong with a set of files.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("migration {file}, line {line}: {what}")]
pub struct Problem {
    /// Which file.
    pub file: String,
    /// Which line, from 1; 0 if it is about the whole file.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// All files of a program, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrations {
    files: Vec<Migration>,
}

impl Migrations {
    /// Reads the files and holds them against the manifest: one line `CHECKSUM  NAME` for each, as
    /// `sha256sum` prints it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(files: &[MigrationFile], manifest: &str) -> Result<Self, Problem> {
        let mut read = Vec::with_capacity(files.len());
        for file in files {
            read.push(parse(file)?);
        }
        read.sort_by_key(|file| file.version);
        for (expected, file) in (1..).zip(&read) {
            if file.version != expected {
                let what = format!(
                    "the number is not {expected}: numbers follow each other from 1, each once"
                );
                return Err(problem(file.name, 0, what));
            }
        }
        let listed: Vec<(&str, &str)> =
            manifest.lines().filter_map(|line| line.split_once("  ")).collect();
        let found: Vec<(&str, &str)> =
            read.iter().map(|file| (file.checksum.as_str(), file.name)).collect();
        if let Some((_, name)) = found.iter().find(|file| !listed.contains(file)) {
            let what = "the manifest does not have it with this checksum: a file that has landed is never edited, a new one is added to the manifest";
            return Err(problem(name, 0, what.to_owned()));
        }
        if let Some((_, name)) = listed.iter().find(|file| !found.contains(file)) {
            return Err(problem(name, 0, "the manifest has it, the program does not".to_owned()));
        }
        Ok(Self { files: read })
    }

    /// The manifest of these files, as it has to stand beside them.
    #[must_use]
    pub fn manifest(files: &[MigrationFile]) -> String {
        files.iter().map(|file| format!("{}  {}\n", checksum(file.text), file.name)).collect()
    }

    /// The files, in order.
    #[must_use]
    pub fn files(&self) -> &[Migration] {
        &self.files
    }

    /// The number of the newest; 0 if there is none.
    #[must_use]
    pub fn latest(&self) -> i64 {
        self.files.last().map_or(0, |file| file.version)
    }
}

/// SHA-256 of the text with LF line ends, in hexadecimal.
#[must_use]
pub(crate) fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.replace("\r\n", "\n").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn problem(file: &str, line: usize, what: String) -> Problem {
    Problem { file: file.to_owned(), line, what }
}

fn parse(file: &MigrationFile) -> Result<Migration, Problem> {
    let version = file
        .name
        .split_once('_')
        .filter(|(number, rest)| number.len() == 4 && rest.ends_with(".sql"))
        .and_then(|(number, _)| number.parse::<i64>().ok());
    let Some(version) = version else {
        return Err(problem(file.name, 0, "a name is like 0001_what_it_does.sql".to_owned()));
    };
    let mut compatible = version;
    let mut steps: Vec<Step> = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        let wrong = |what: &str| problem(file.name, number, what.to_owned());
        match (directive(line), steps.last_mut()) {
            (Some(("step", name)), _) => {
                if name.is_empty() {
                    return Err(wrong("a step has a name"));
                }
                let name = name.to_owned();
                steps.push(Step {
                    name,
                    only: None,
                    sql: String::new(),
                    postconditions: Vec::new(),
                });
            }
            (Some(("compatible", text)), None) => {
                compatible = text
                    .parse()
                    .ok()
                    .filter(|number| (0..=version).contains(number))
                    .ok_or_else(|| {
                        wrong("after `compatible:` stands the number of this or an older schema")
                    })?;
            }
            (Some(("only", engine)), Some(step)) if step.sql.trim().is_empty() => {
                step.only = Some(match engine {
                    "postgres" => Engine::Postgres,
                    "sqlite" => Engine::Sqlite,
                    _ => return Err(wrong("an engine is postgres or sqlite")),
                });
            }
            (Some(("postcondition", sql)), Some(step)) => {
                if !sql.to_ascii_lowercase().starts_with("select ") {
                    return Err(wrong("a postcondition is a SELECT, on one line"));
                }
                step.postconditions.push(sql.to_owned());
            }
            (Some((word, _)), _) => {
                return Err(wrong(&format!("`{word}:` does not belong here")));
            }
            (None, None) => {
                if !is_comment(line) {
                    return Err(wrong("SQL stands in a step: a line `-- step: name` comes first"));
                }
            }
            (None, Some(step)) => {
                if ends_a_transaction(line) {
                    return Err(wrong(
                        "a file can't begin or end a transaction: all of it runs in one",
                    ));
                }
                step.sql.push_str(line);
                step.sql.push('\n');
            }
        }
    }
    if let Some(empty) = steps.iter().find(|step| step.sql.lines().all(is_comment)) {
        return Err(problem(file.name, 0, format!("the step `{}` has no SQL", empty.name)));
    }
    if steps.is_empty() {
        return Err(problem(file.name, 0, "it has no step".to_owned()));
    }
    Ok(Migration { version, name: file.name, checksum: checksum(file.text), compatible, steps })
}

/// `-- word: text`, for the words that mean something.
fn directive(line: &str) -> Option<(&str, &str)> {
    let (word, text) = line.trim().strip_prefix("-- ")?.split_once(':')?;
    ["step", "only", "postcondition", "compatible"].contains(&word).then_some((word, text.trim()))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with("--")
}

/// A trigger's body has `BEGIN` and `END;` on lines of their own, so only those words which can be
/// nothing else are looked for; the server would notice the rest, as COMMIT then has nothing to do.
fn ends_a_transaction(line: &str) -> bool {
    let text = line.trim().trim_end_matches(';').to_ascii_uppercase();
    let mut words = text.split_whitespace();
    match (words.next(), words.next()) {
        (Some("COMMIT" | "ROLLBACK" | "ABORT" | "SAVEPOINT" | "VACUUM"), _) => true,
        (Some("BEGIN"), Some("TRANSACTION" | "IMMEDIATE" | "EXCLUSIVE" | "DEFERRED" | "WORK")) => {
            true
        }
        (Some("START" | "END"), Some("TRANSACTION")) => true,
        _ => text.starts_with("CREATE ") && text.contains(" CONCURRENTLY"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "-- What it is for.\n-- compatible: 1\n\n-- step: one table\nCREATE TABLE a (b BIGINT);\n\
        -- a comment\n-- postcondition: SELECT count(*) = 0 FROM a\n-- step: more\n-- only: sqlite\nSELECT 1;\n";

    fn one(name: &'static str, text: &'static str) -> Result<Migrations, Problem> {
        let files = [MigrationFile { name, text }];
        Migrations::new(&files, &Migrations::manifest(&files))
    }

    fn wrong(text: &'static str) -> String {
        one("0001_a.sql", text).expect_err("wrong").to_string()
    }

    #[test]
    fn a_file_is_steps_and_each_engine_has_its_own() {
        let migrations = one("0001_a.sql", TEXT).expect("a migration");
        let file = &migrations.files()[0];
        assert_eq!((file.version, file.compatible, migrations.latest()), (1, 1, 1));
        let names =
            |engine| file.steps_for(engine).map(|step| step.name.as_str()).collect::<Vec<_>>();
        assert_eq!(names(Engine::Sqlite), ["one table", "more"]);
        assert_eq!(names(Engine::Postgres), ["one table"]);
        let (step, sql) = file.postconditions_for(Engine::Postgres).next().expect("one");
        assert_eq!((step.name.as_str(), sql), ("one table", "SELECT count(*) = 0 FROM a"));
        assert_eq!(step.sql, "CREATE TABLE a (b BIGINT);\n-- a comment\n");
    }

    #[test]
    fn the_checksum_does_not_depend_on_line_ends_and_is_the_one_that_sha256sum_prints() {
        assert_eq!(checksum("a\r\nb\r\n"), checksum("a\nb\n"));
        assert_ne!(checksum("a\n"), checksum("b\n"));
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(checksum(""), empty);
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_line() {
        assert_eq!(
            wrong("CREATE TABLE a (b BIGINT);"),
            "migration 0001_a.sql, line 1: SQL stands in a step: a line `-- step: name` comes first"
        );
        assert!(wrong("-- step: a\nCOMMIT;\n").contains("line 2: a file can't begin or end"));
        assert!(
            wrong("-- step: a\nSELECT 1;\n-- only: sqlite\n")
                .contains("line 3: `only:` does not belong here")
        );
        assert!(wrong("-- step: a\n-- only: mysql\nSELECT 1;").contains("postgres or sqlite"));
        assert!(wrong("-- step: a\n-- nothing\n").contains("has no SQL"));
        assert!(wrong("-- compatible: 2\n-- step: a\nSELECT 1;").contains("line 1"));
        assert!(wrong("-- step: a\nCREATE INDEX CONCURRENTLY x ON a (b);").contains("line 2"));
        assert!(wrong("").contains("it has no step"));
        assert!(one("1_a.sql", TEXT).is_err());
        let trigger = "-- step: a\nCREATE TRIGGER t AFTER INSERT ON a BEGIN\n SELECT 1;\nEND;\n";
        assert!(one("0001_a.sql", trigger).is_ok());
    }

    #[test]
    fn numbers_follow_each_other_and_each_is_there_once() {
        let file = |name| MigrationFile { name, text: TEXT };
        for names in [["0001_a.sql", "0003_b.sql"], ["0001_a.sql", "0001_b.sql"]] {
            let files = names.map(file);
            let found = Migrations::new(&files, &Migrations::manifest(&files)).expect_err("wrong");
            assert!(found.what.contains("the number is not 2"), "{found}");
        }
    }

    #[test]
    fn a_file_that_was_edited_added_or_taken_away_is_not_in_the_manifest() {
        let files = [MigrationFile { name: "0001_a.sql", text: TEXT }];
        let edited = [MigrationFile { name: "0001_a.sql", text: "-- step: a\nSELECT 2;\n" }];
        let manifest = Migrations::manifest(&files);
        assert!(Migrations::new(&files, &manifest).is_ok());
        assert!(Migrations::new(&edited, &manifest).is_err());
        assert!(Migrations::new(&files, "").is_err());
        let gone = Migrations::new(&[], &manifest).expect_err("wrong");
        assert_eq!(gone.what, "the manifest has it, the program does not");
    }
}

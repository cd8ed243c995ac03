//! What of a project takes part, as its file says it: data directories, less what is ignored.
//! Deciding it for a path is [`crate::tracked`].

use super::error::{ProblemKind, Problems};
use super::origin::Origins;
use super::section::{Rule, Section};
use super::values;

/// The data directories where a file names none.
pub const DEFAULT_DATA_DIRS: [&str; 3] = ["input", "output", "frozen"];
/// The ignored names where a file lists none.
pub const DEFAULT_IGNORED_NAMES: [&str; 6] =
    [".DS_Store", "__pycache__", ".Rdata", ".rdata", ".RData", ".Rproj.user"];
/// The ignored suffixes where a file lists none.
pub const DEFAULT_IGNORED_SUFFIXES: [&str; 2] = [".tmp", ".pyc"];

const DATA_DIRS_EXAMPLE: &str = "[input, output, frozen]";

/// What is left out. Each list replaces its default as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreConfig {
    /// Paths from the project's root on, tidied and in normal form C.
    pub paths: Vec<String>,
    /// Names of files, in normal form C.
    pub names: Vec<String>,
    /// Endings of names, with their dot, in normal form C.
    pub suffixes: Vec<String>,
}

impl Default for IgnoreConfig {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            names: owned(&DEFAULT_IGNORED_NAMES),
            suffixes: owned(&DEFAULT_IGNORED_SUFFIXES),
        }
    }
}

/// Reads `data_dirs`.
pub(super) fn read_data_dirs(
    holder: &Section<'_>,
    origins: &mut Origins,
    problems: &mut Problems,
) -> Option<Vec<String>> {
    if !holder.is_written("data_dirs") {
        origins.defaulted("data_dirs");
        return Some(owned(&DEFAULT_DATA_DIRS));
    }
    let line = holder.line_of("data_dirs");
    let found = holder.texts("data_dirs", DATA_DIRS_EXAMPLE, problems, values::data_dir)?;
    origins.written("data_dirs", &found.key, line);
    if found.value.is_empty() {
        let reason = "no directory is left, so nothing would be shared".to_owned();
        let kind = ProblemKind::BadValue { key: found.key, reason };
        problems.add(line, kind, format!("name at least one: `data_dirs: {DATA_DIRS_EXAMPLE}`"));
        return None;
    }
    Some(found.value)
}

/// Reads `ignore`.
pub(super) fn read_ignore(
    holder: &Section<'_>,
    origins: &mut Origins,
    problems: &mut Problems,
) -> Option<IgnoreConfig> {
    let section = holder.section("ignore", "suffixes: [.tmp]", problems);
    if let Some(section) = &section {
        section.refuse_unknown(&["paths", "names", "suffixes"], &[], problems);
    } else if holder.has("ignore") {
        return None;
    }
    let default = IgnoreConfig::default();
    let mut list = |key: &str, example: &str, rule: Rule, default| {
        let target = format!("ignore.{key}");
        match section.as_ref().filter(|section| section.is_written(key)) {
            None => {
                origins.defaulted(&target);
                Some(default)
            }
            Some(section) => {
                let found = section.texts(key, example, problems, rule)?;
                origins.written(&target, &found.key, found.line);
                Some(found.value)
            }
        }
    };
    let paths = list("paths", "[task1/input/secret.csv]", values::ignored_path, default.paths);
    let names = list("names", "[.DS_Store]", values::ignored_name, default.names);
    let suffixes = list("suffixes", "[.tmp]", values::ignored_suffix, default.suffixes);
    Some(IgnoreConfig { paths: paths?, names: names?, suffixes: suffixes? })
}

pub(super) fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::parse_project;
    use super::*;

    const BASE: &str = "name: p\nrepository: {type: posix, host: localhost, mountpoint: /x}\n";

    fn config(rest: &str) -> super::super::ProjectConfig {
        let text = format!("{BASE}{rest}");
        parse_project(&text).unwrap_or_else(|error| panic!("{text}\n{error}")).config
    }

    fn refused(rest: &str) -> String {
        parse_project(&format!("{BASE}{rest}")).expect_err(rest).to_string()
    }

    #[test]
    fn lists_replace_their_defaults_one_by_one_and_hold_nothing_twice() {
        let replaced = config("ignore: {names: [foo, foo], paths: [./a//b/]}\n");
        assert_eq!(replaced.ignore.names, ["foo"]);
        assert_eq!(replaced.ignore.paths, ["a/b"]);
        assert_eq!(replaced.ignore.suffixes, DEFAULT_IGNORED_SUFFIXES);
        assert_eq!(replaced.data_dirs, DEFAULT_DATA_DIRS);
        assert_eq!(config("ignore: {names: []}\n").ignore.names, [""; 0]);
        assert_eq!(config("ignore:\n").ignore, IgnoreConfig::default());
    }

    #[test]
    fn a_list_must_be_one_and_leave_something_to_share() {
        assert!(refused("data_dirs: []\n").contains("nothing would be shared"));
        assert!(refused("data_dirs:\n").contains("found nothing"));
        assert!(refused("data_dirs: input\n").contains("expected a list of texts"));
        assert!(
            refused("ignore: [x]\n").contains("ignore: expected keys with values, found a list")
        );
    }
}

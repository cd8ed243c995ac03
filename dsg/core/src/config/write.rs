//! Configuration → YAML text.
//!
//! Written by hand and not by a serializer, because people read and edit what comes out, and
//! because other YAML readers (the older tool's, git forges') must see the same values: whatever
//! any of them might take for something else than text stands in quotes.

use std::fmt::Write as _;

use super::error::{ConfigError, ProblemKind, Problems, steers_a_terminal};
use super::project::{PROJECT_FILE, ProjectConfig};
use super::repository::{FieldValue, RepositoryConfig, RepositoryType, ZfsMode};
use super::section::{Found, Rule};
use super::selection::{DEFAULT_DATA_DIRS, IgnoreConfig, owned};
use super::values;

/// A list that makes a longer line is written with one item per line.
const LINE_BYTES_MAX: usize = 80;

/// The text of a configuration in the form with `repository`. Lists of `ignore` that are the
/// defaults are left out. Reading it gives an equal configuration.
#[must_use]
pub fn to_yaml(config: &ProjectConfig) -> String {
    let mut text = format!("name: {}\nrepository:\n", scalar(&config.name));
    push_repository(&mut text, &config.repository);
    push_list(&mut text, "", "data_dirs", &config.data_dirs);
    push_ignore(&mut text, &config.ignore);
    text
}

/// The text that `dsg init` writes: as [`to_yaml`], with a comment on every key. An empty list of
/// data directories stands for the defaults.
///
/// # Errors
/// All values that a project's file can't hold, ZFS without a pool, and types without a mountpoint.
pub fn new_project_text(
    name: &str,
    kind: RepositoryType,
    host: &str,
    mountpoint: &str,
    data_dirs: &[String],
    zfs: Option<(&str, ZfsMode)>,
) -> Result<String, ConfigError> {
    let mut problems = Problems::new(PROJECT_FILE);
    let config = checked(name, kind, (host, mountpoint), data_dirs, zfs, &mut problems);
    problems.unless_any(config.as_ref().map(commented))
}

fn checked(
    name: &str,
    kind: RepositoryType,
    (host, mountpoint): (&str, &str),
    data_dirs: &[String],
    zfs: Option<(&str, ZfsMode)>,
    problems: &mut Problems,
) -> Option<ProjectConfig> {
    let mut check = |key: &str, value: &str, rule: Rule| {
        let found = Found { key: key.to_owned(), line: None, value: value.to_owned() };
        found.checked(problems, rule).map(|found| found.value)
    };
    let name = check("name", name, values::project_name);
    let host = check("repository.host", host, values::host);
    let mountpoint = check("repository.mountpoint", mountpoint, values::absolute_path);
    let zfs =
        zfs.and_then(|(pool, mode)| Some((check("repository.pool", pool, values::pool)?, mode)));
    let mut directories = Vec::new();
    for (index, directory) in data_dirs.iter().enumerate() {
        if let Some(directory) = check(&format!("data_dirs[{index}]"), directory, values::data_dir)
            && !directories.contains(&directory)
        {
            directories.push(directory);
        }
    }
    if directories.is_empty() {
        directories = owned(&DEFAULT_DATA_DIRS);
    }
    let (host, mountpoint) = (host?, mountpoint?);
    let repository = match (kind, zfs) {
        (RepositoryType::Zfs, Some((pool, mode))) => {
            RepositoryConfig::Zfs { host, pool, mountpoint, mode }
        }
        (RepositoryType::Zfs, None) => {
            let kind = ProblemKind::Missing { key: "repository.pool".to_owned() };
            problems.add(None, kind, "name the pool, as `zpool list` shows it");
            return None;
        }
        (RepositoryType::Posix, _) => RepositoryConfig::Posix { host, mountpoint },
        (RepositoryType::Xfs, _) => RepositoryConfig::Xfs { host, mountpoint },
        (RepositoryType::Btrfs, _) => RepositoryConfig::Btrfs { host, mountpoint },
        (RepositoryType::Rclone | RepositoryType::Ipfs, _) => {
            let reason = format!("a new project can't have a repository of type {kind}");
            let kind = ProblemKind::BadValue { key: "repository.type".to_owned(), reason };
            problems.add(None, kind, "use posix: a directory of any file system");
            return None;
        }
    };
    Some(ProjectConfig {
        name: name?,
        repository,
        data_dirs: directories,
        ignore: IgnoreConfig::default(),
    })
}

fn commented(config: &ProjectConfig) -> String {
    let mut text = String::from(
        "# The dsg project of this directory. Commit this file to git: whoever clones it can `dsg clone` the data.\n\
         # All keys are explained in dsg's docs/configuration.md.\n\n\
         # The name of the project, and of the repository's directory below mountpoint.\n",
    );
    let _ = writeln!(text, "name: {}", scalar(&config.name));
    text.push_str(
        "\n# Where the repository is: a machine, and the directory there that holds the repositories.\nrepository:\n",
    );
    push_repository(&mut text, &config.repository);
    text.push_str(
        "\n# Directories whose content is shared, by name, at any depth. \"*\" stands for all that are not hidden.\n",
    );
    push_list(&mut text, "", "data_dirs", &config.data_dirs);
    text.push_str(
        "\n# What is not shared all the same. A list replaces its default, which is what stands here.\nignore:\n\
         \x20 # files by their path from this directory on\n",
    );
    push_list(&mut text, "  ", "paths", &config.ignore.paths);
    text.push_str("  # files by their name\n");
    push_list(&mut text, "  ", "names", &config.ignore.names);
    text.push_str("  # files by the end of their name, with its dot\n");
    push_list(&mut text, "  ", "suffixes", &config.ignore.suffixes);
    text
}

fn push_repository(text: &mut String, repository: &RepositoryConfig) {
    for (key, value) in repository.fields() {
        let value = match value {
            FieldValue::Text(value) => scalar(value),
            FieldValue::Boolean(value) => value.to_string(),
        };
        // Writing to a String can't fail.
        let _ = writeln!(text, "  {key}: {value}");
    }
}

fn push_ignore(text: &mut String, ignore: &IgnoreConfig) {
    let default = IgnoreConfig::default();
    let lists = [
        ("paths", &ignore.paths, &default.paths),
        ("names", &ignore.names, &default.names),
        ("suffixes", &ignore.suffixes, &default.suffixes),
    ];
    if *ignore != default {
        text.push_str("ignore:\n");
    }
    for (key, list, _) in lists.into_iter().filter(|(_, list, default)| list != default) {
        push_list(text, "  ", key, list);
    }
}

fn push_list(text: &mut String, indentation: &str, key: &str, list: &[String]) {
    let items: Vec<String> = list.iter().map(|item| scalar(item)).collect();
    let line = format!("{indentation}{key}: [{}]\n", items.join(", "));
    if line.len() <= LINE_BYTES_MAX {
        text.push_str(&line);
        return;
    }
    let _ = writeln!(text, "{indentation}{key}:");
    for item in items {
        let _ = writeln!(text, "{indentation}  - {item}");
    }
}

/// A text as YAML: plain where no reader could take it for anything else, else in double quotes.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let starts_well = match bytes {
        [b'/', ..] => true,
        [b'.' | b'_', next, ..] => next.is_ascii_alphabetic() || *next == b'_',
        [first, ..] => first.is_ascii_alphabetic(),
        [] => false,
    };
    let of_plain_characters = bytes.iter().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b'@')
    });
    // Words that some version of YAML reads as a truth value, nothing, or a number.
    let words =
        ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"];
    let word = text.trim_start_matches('.');
    starts_well
        && of_plain_characters
        && !words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

fn quoted(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + 2);
    result.push('"');
    for character in text.chars() {
        match character {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            other if is_printable(other) => result.push(other),
            other => {
                let code = u32::from(other);
                let _ = if code <= 0xFFFF {
                    write!(result, "\\u{code:04X}")
                } else {
                    write!(result, "\\U{code:08X}")
                };
            }
        }
    }
    result.push('"');
    result
}

/// YAML 1.2, section 5.1: what may stand unescaped; less what an editor would not show.
fn is_printable(character: char) -> bool {
    !steers_a_terminal(character) && u32::from(character) & 0xFFFE != 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::super::project::{Form, parse_project};
    use super::*;
    use proptest::prelude::*;

    fn check(rule: Rule) -> impl Fn(String) -> Option<String> {
        move |text| rule(&text).ok()
    }

    fn text(rule: Rule) -> impl Strategy<Value = String> {
        let likely = prop_oneof![
            any::<String>(),
            "[a-zA-Z0-9._/@#:\\- ]{1,12}",
            Just("no".to_owned()),
            Just("1.0".to_owned()),
            Just("~".to_owned()),
            "(/[a-zé .]{1,6}){1,3}",
            "\\.[a-z#:]{1,4}",
        ];
        likely.prop_filter_map("not a good value", check(rule))
    }

    fn repository() -> impl Strategy<Value = RepositoryConfig> {
        let place = (text(values::host), text(values::absolute_path));
        let place = place.prop_map(|(host, mountpoint)| (host, mountpoint));
        prop_oneof![
            place.prop_flat_map(|(host, mountpoint)| prop_oneof![
                Just(RepositoryConfig::Posix {
                    host: host.clone(),
                    mountpoint: mountpoint.clone()
                }),
                Just(RepositoryConfig::Xfs { host: host.clone(), mountpoint: mountpoint.clone() }),
                Just(RepositoryConfig::Btrfs {
                    host: host.clone(),
                    mountpoint: mountpoint.clone()
                }),
                (text(values::pool), any::<bool>()).prop_map(move |(pool, inside)| {
                    let mode = if inside { ZfsMode::InPlace } else { ZfsMode::Generations };
                    let (host, mountpoint) = (host.clone(), mountpoint.clone());
                    RepositoryConfig::Zfs { host, pool, mountpoint, mode }
                }),
            ]),
            (text(values::some_text), text(values::some_text))
                .prop_map(|(remote, path)| RepositoryConfig::Rclone { remote, path }),
            (text(values::some_text), any::<bool>())
                .prop_map(|(did, encrypted)| RepositoryConfig::Ipfs { did, encrypted }),
        ]
    }

    fn list(rule: Rule, least: usize) -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec(text(rule), least..6).prop_map(|list| {
            let mut seen = std::collections::HashSet::new();
            list.into_iter().filter(|item| seen.insert(item.clone())).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn what_is_written_reads_back_equal(
            name in text(values::project_name),
            repository in repository(),
            data_dirs in list(values::data_dir, 1),
            paths in list(values::ignored_path, 0),
            names in list(values::ignored_name, 0),
            suffixes in list(values::ignored_suffix, 0),
        ) {
            let ignore = IgnoreConfig { paths, names, suffixes };
            let config = ProjectConfig { name, repository, data_dirs, ignore };
            let text = to_yaml(&config);
            let file = parse_project(&text).expect(&text);
            prop_assert_eq!(&file.config, &config);
            prop_assert_eq!(file.form, Form::Repository);
            prop_assert_eq!(file.notices, vec![]);
        }

        #[test]
        fn a_new_project_reads_back_equal(
            name in text(values::project_name),
            host in text(values::host),
            mountpoint in text(values::absolute_path),
            data_dirs in list(values::data_dir, 0),
        ) {
            let text = new_project_text(&name, RepositoryType::Xfs, &host, &mountpoint, &data_dirs, None)
                .expect("good values");
            let config = parse_project(&text).expect(&text).config;
            prop_assert_eq!(config.name, name);
            prop_assert_eq!(config.repository, RepositoryConfig::Xfs { host, mountpoint });
            let expected = if data_dirs.is_empty() { owned(&DEFAULT_DATA_DIRS) } else { data_dirs };
            prop_assert_eq!(config.data_dirs, expected);
            prop_assert_eq!(config.ignore, IgnoreConfig::default());
        }
    }

    #[test]
    fn words_that_yaml_would_misread_stand_in_quotes() {
        for word in [
            "no",
            "Yes",
            "1.0",
            "0x1F",
            ".inf",
            ".5",
            "~",
            "",
            "2024-01-01",
            "1e3",
            "-a",
            "a b",
            "a: b",
            "*",
        ] {
            assert!(scalar(word).starts_with('"'), "{word}");
        }
        for word in
            ["SV", "PR-Km0", "/var/repos", ".DS_Store", "__pycache__", "notes", "you@example.org"]
        {
            assert_eq!(scalar(word), word);
        }
        assert_eq!(scalar("a\"\\\n\u{85}\u{10FFFF}"), r#""a\"\\\n\u0085\U0010FFFF""#);
    }

    #[test]
    fn a_new_project_with_bad_values_tells_all_of_them() {
        let data_dirs = ["a/b".to_owned()];
        let error =
            new_project_text(".x", RepositoryType::Posix, "", "srv", &data_dirs, None).unwrap_err();
        assert_eq!(error.problems.len(), 4, "{error}");
        let zfs = |zfs| new_project_text("x", RepositoryType::Zfs, "localhost", "/srv", &[], zfs);
        assert!(zfs(None).is_err());
        let text = zfs(Some(("tank", ZfsMode::Generations))).expect("good values");
        assert!(text.contains("pool: tank\n") && text.contains("mode: generations\n"), "{text}");
    }

    #[test]
    fn long_lists_stand_on_lines_of_their_own() {
        let mut text = String::new();
        push_list(&mut text, "  ", "names", &vec!["a name with spaces".to_owned(); 9]);
        assert_eq!(text.lines().count(), 10);
    }
}

//! `.dsgconfig.yml`: which project this is, where its repository is, and what takes part.
//!
//! The file is committed to git and read on many machines for many years, so every form that was
//! ever written is still read. Unlike the tool that wrote the older ones, nothing unknown is
//! skipped: `data_dir` for `data_dirs` would mean that a team's files are silently not shared.

use super::document;
use super::error::{ConfigError, Notice, Problems};
use super::legacy::{self, ASSUMED_POOL, TRANSPORTS};
use super::origin::{KeyOrigin, Origins};
use super::repository::{self, RepositoryConfig, contradiction};
use super::section::{Found, Section};
use super::selection::{self, IgnoreConfig};
use super::{values, write};

/// The name of the file; it stands at the root of a project.
pub const PROJECT_FILE: &str = ".dsgconfig.yml";
const TOP_KEYS: [&str; 9] =
    ["name", "repository", "data_dirs", "ignore", "transport", "ssh", "rclone", "ipfs", "project"];
const ELSEWHERE: [&str; 10] = [
    "repository.type",
    "repository.host",
    "repository.pool",
    "repository.mode",
    "repository.mountpoint",
    "repository.remote",
    "repository.did",
    "ignore.paths",
    "ignore.names",
    "ignore.suffixes",
];
const EXAMPLE: &str =
    "name: SV\nrepository:\n  type: posix\n  host: localhost\n  mountpoint: /var/repos/dsg";

/// What a project's file says, whatever its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectConfig {
    /// The directory of the repository below the mountpoint: one visible component.
    pub name: String,
    /// Where the repository is.
    pub repository: RepositoryConfig,
    /// Names of directories whose content takes part, or `*`; never empty, in normal form C.
    pub data_dirs: Vec<String>,
    /// What doesn't take part all the same.
    pub ignore: IgnoreConfig,
}

/// A project's file, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFile {
    /// What it says.
    pub config: ProjectConfig,
    /// What its owner should know.
    pub notices: Vec<Notice>,
    /// For each key of the new form, where its value comes from.
    pub origins: Vec<KeyOrigin>,
    /// In which form it is written.
    pub form: Form,
}

/// The forms of a project's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// With a section `repository`; the only one that is written.
    Repository,
    /// With `transport` and a section of that name.
    Transport,
    /// As `Transport`, with the name in the section, or with `project:` around the rest.
    Wrapped,
}

/// Reads the text of a `.dsgconfig.yml` in any form.
///
/// # Errors
/// All that is wrong with it, at once.
pub fn parse_project(text: &str) -> Result<ProjectFile, ConfigError> {
    let root = document::parse(text, PROJECT_FILE)?;
    let mut problems = Problems::new(PROJECT_FILE);
    let file = match Section::root(&root, EXAMPLE, &mut problems) {
        Some(top) => read(&top, &mut problems),
        None => {
            if root.value == document::Value::Null {
                contradiction(&mut problems, None, "the file is empty");
            }
            None
        }
    };
    problems.unless_any(file)
}

fn read(top: &Section<'_>, problems: &mut Problems) -> Option<ProjectFile> {
    let mut origins = Origins::default();
    top.refuse_unknown(&TOP_KEYS, &ELSEWHERE, problems);
    let (place, inner_name, mut form) = read_place(top, &mut origins, problems);
    let name = match inner_name {
        Some(inner) if !top.has("name") => {
            form = Form::Wrapped;
            Some(inner)
        }
        _ => top
            .required_text("name", "SV", problems)
            .and_then(|found| found.checked(problems, values::project_name)),
    };
    if let Some(name) = &name {
        origins.written("name", &name.key, name.line);
    }
    let wrapper = top.section("project", "data_dirs: [input]", problems);
    if let Some(wrapper) = &wrapper {
        form = Form::Wrapped;
        wrapper.refuse_unknown(&["data_dirs", "ignore"], &["name"], problems);
    }
    let holder = |key| wrapper.as_ref().filter(|wrapper| wrapper.has(key)).unwrap_or(top);
    let data_dirs = selection::read_data_dirs(holder("data_dirs"), &mut origins, problems);
    let ignore = selection::read_ignore(holder("ignore"), &mut origins, problems);
    let config = ProjectConfig {
        name: name?.value,
        repository: place?,
        data_dirs: data_dirs?,
        ignore: ignore?,
    };
    let notices = notices(&config, form, &origins);
    Some(ProjectFile { config, notices, origins: origins.into_list(), form })
}

type Place = (Option<RepositoryConfig>, Option<Found<String>>, Form);

fn read_place(top: &Section<'_>, origins: &mut Origins, problems: &mut Problems) -> Place {
    if top.has("repository") {
        legacy::refuse_beside_repository(top, problems);
        let example = "type: posix, host: localhost, mountpoint: /var/repos/dsg";
        let section = top.section("repository", example, problems);
        let repository = section.and_then(|section| repository::read(&section, origins, problems));
        return (repository, None, Form::Repository);
    }
    if top.has("transport") {
        let legacy = legacy::read(top, origins, problems);
        return (legacy.repository, legacy.name, Form::Transport);
    }
    let reason = match TRANSPORTS.into_iter().find(|key| top.has(key)) {
        Some(section) => {
            format!("there is a section {section}, and no line `transport: {section}`")
        }
        None => "the file doesn't say where the repository is: repository is missing".to_owned(),
    };
    contradiction(problems, top.line, reason);
    (None, None, Form::Repository)
}

fn notices(config: &ProjectConfig, form: Form, origins: &Origins) -> Vec<Notice> {
    if form == Form::Repository {
        return Vec::new();
    }
    let pool = if origins.any_assumed() {
        format!(
            "; this form can't name the pool, so `{ASSUMED_POOL}` is assumed: check it with `zpool list`"
        )
    } else {
        String::new()
    };
    vec![Notice {
        what: format!("{PROJECT_FILE} is written in an older form, which is still read{pool}"),
        next_step: format!(
            "replace the text of {PROJECT_FILE} by this one and commit it (move your comments over)"
        ),
        replacement: Some(write::to_yaml(config)),
    }]
}

#[cfg(test)]
mod tests {
    use super::super::{Origin, RepositoryType};
    use super::*;
    use proptest::prelude::*;

    fn good(text: &str) -> ProjectFile {
        parse_project(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
    }

    fn refused(text: &str) -> String {
        parse_project(text).expect_err(text).to_string()
    }

    #[test]
    fn all_problems_are_told_at_once_with_line_and_next_step() {
        let text = "name: 1.0\nrepository:\n  type: xfs\n  hots: h\n  mountpoint: srv\ndata_dir: [input]\nignore:\n  names: x\n";
        let error = parse_project(text).unwrap_err();
        let told = error.to_string();
        for expected in [
            "line 6: unknown key data_dir: did you mean data_dirs?",
            "line 4: unknown key repository.hots: did you mean host?",
            "repository.host is missing",
            "line 1: name: expected a text, found the number `1.0`",
            "repository.mountpoint: `srv` is not an absolute path",
            "line 8: ignore.names: expected a list of texts, found the text `x`",
        ] {
            assert!(told.contains(expected), "{expected}\nis not in\n{told}");
        }
        assert!(error.problems.iter().all(|problem| !problem.next_step.is_empty()));
        assert!(error.problems.iter().any(|problem| problem.next_step == "quote it: `\"1.0\"`"));
    }

    #[test]
    fn words_that_yaml_takes_for_something_else_must_be_quoted() {
        let repository = "repository: {type: posix, host: localhost, mountpoint: /x}\n";
        for name in ["no", "1.0", "0x1F", "007", "true", ".inf"] {
            let told = refused(&format!("name: {name}\n{repository}"));
            assert!(told.contains("name: expected a text"), "{told}");
        }
        for name in ["no", "1.0", "2024-01-01"] {
            assert_eq!(good(&format!("name: '{name}'\n{repository}")).config.name, name);
        }
        assert!(
            refused(&format!("name: p\n{repository}data_dirs: [2024]\n")).contains("data_dirs[0]")
        );
    }

    #[test]
    fn a_key_at_the_wrong_place_is_pointed_to_the_right_one() {
        let told = refused("name: p\nhost: h\nrepository: {type: posix, mountpoint: /x}\n");
        assert!(told.contains("unknown key host: did you mean repository.host?"), "{told}");
    }

    #[test]
    fn a_type_refuses_the_keys_of_another() {
        for repository in [
            "{type: zfs, host: h, pool: p, mountpoint: /x, did: d}",
            "{type: ipfs, did: d, host: h}",
            "{type: rclone, remote: r, path: /x, host: h}",
            "{type: xfs, host: h, mountpoint: /x, pool: p}",
            "{type: posix, host: h, mountpoint: /x, encrypted: true}",
        ] {
            assert!(
                refused(&format!("name: p\nrepository: {repository}\n"))
                    .contains("unknown key repository.")
            );
        }
        assert!(
            refused("name: p\nrepository: {type: xsf, host: h, mountpoint: /x}")
                .contains("did you mean xfs?")
        );
        assert!(
            refused("name: p\nrepository: {type: local, host: h, mountpoint: /x}")
                .contains("did you mean posix?")
        );
    }

    #[test]
    fn an_older_form_shows_the_text_to_write_instead() {
        let text = "transport: ssh\nssh: {host: h, path: /x, name: q, type: zfs}\ndata_dirs: [top]\nproject:\n  data_dirs: [input, hand]\n";
        let file = good(text);
        assert_eq!(file.form, Form::Wrapped);
        assert_eq!(file.config.data_dirs, ["input", "hand"]);
        let notice = &file.notices[0];
        assert!(notice.what.contains("`dsgdata` is assumed"), "{}", notice.what);
        let replacement = notice.replacement.clone().expect("a text");
        assert_eq!(
            replacement,
            "name: q\nrepository:\n  type: zfs\n  host: h\n  pool: dsgdata\n  mountpoint: /x\ndata_dirs: [input, hand]\n"
        );
        assert_eq!(good(&replacement).config, file.config);
        assert_eq!(good(&replacement).notices, []);
    }

    #[test]
    fn every_value_tells_where_it_comes_from() {
        let file = good(
            "transport: ssh\nssh: {host: h, path: /x, name: q, type: zfs}\nignore:\n  names: [x]\n",
        );
        let origin = |key: &str| {
            file.origins.iter().find(|known| known.key == key).map(|known| known.origin.clone())
        };
        let written =
            |key: &str, line| Some(Origin::Written { key: key.to_owned(), line: Some(line) });
        assert_eq!(origin("name"), written("ssh.name", 2));
        assert_eq!(origin("repository.mountpoint"), written("ssh.path", 2));
        assert_eq!(origin("repository.pool"), Some(Origin::Assumed));
        assert_eq!(origin("data_dirs"), Some(Origin::Default));
        assert_eq!(origin("ignore.names"), written("ignore.names", 4));
        assert_eq!(origin("ignore.suffixes"), Some(Origin::Default));
        assert_eq!(file.config.repository.kind(), RepositoryType::Zfs);
    }

    #[test]
    fn an_empty_file_shows_how_to_begin() {
        for text in ["", "# nothing\n", "---\n"] {
            let error = parse_project(text).unwrap_err();
            assert!(error.problems[0].next_step.contains("repository:"), "{error}");
        }
        assert!(
            refused("just words")
                .contains("expected keys with values, found the text `just words`")
        );
    }

    proptest! {
        #[test]
        fn reading_is_total(text in any::<String>()) {
            let _ = parse_project(&text);
        }

        #[test]
        fn reading_is_total_on_mixtures_of_known_lines(lines in prop::collection::vec(prop_oneof![
            Just("name: p"), Just("repository:"), Just("  type: zfs"), Just("  host: h"), Just("  pool: [x]"),
            Just("  mountpoint: /x"), Just("transport: ssh"), Just("ssh: {host: h, path: /x, type: xfs}"),
            Just("ssh:"), Just("  name: q"), Just("project:"), Just("  data_dirs: [a]"), Just("ignore: 1"),
            Just("data_dirs: {a: b}"), Just("  ignore: {names: [1, {a: b}]}"), Just("rclone: {remote: r, path: p}"),
        ], 0..10)) {
            let text = lines.join("\n");
            if let Ok(file) = parse_project(&text) {
                prop_assert_eq!(good(&write::to_yaml(&file.config)).config, file.config);
            }
        }
    }
}

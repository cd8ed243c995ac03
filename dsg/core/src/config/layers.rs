//! Laying the files of `dsg.yml` and the environment over one another, key by key.
//!
//! A file that can't be read is an error here, where the tool before only warned: with the file
//! that says who somebody is skipped, a lower one would sign their changes with another person's
//! name, and what is committed is signed for ever. For the same reason the system's file must not
//! say who anybody is.

use super::document;
use super::error::{ConfigError, Notice, Place, ProblemKind, Problems, shown};
use super::section::{Found, Refusal, Rule, Section};
use super::user::{SYSTEM_USER_FILE, Sourced, UserConfig, text_rule};
use super::values;

/// Overrides `user_name`.
pub const USER_NAME_VARIABLE: &str = "DSG_USER_NAME";
/// Overrides `user_id`.
pub const USER_ID_VARIABLE: &str = "DSG_USER_ID";
/// Overrides `backup_on_conflict`.
pub const BACKUP_ON_CONFLICT_VARIABLE: &str = "DSG_BACKUP_ON_CONFLICT";

const TOP_KEYS: [&str; 9] = [
    "user_name",
    "user_id",
    "default_host",
    "default_project_path",
    "local_log",
    "backup_on_conflict",
    "ssh",
    "rclone",
    "ipfs",
];
const PERSONAL_KEYS: [&str; 2] = ["user_name", "user_id"];
const EXAMPLE: &str = "user_name: \"Carol Davis\"\nuser_id: carol@example.org";

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserLayer {
    /// Its path; [`SYSTEM_USER_FILE`] is held to stricter rules.
    pub origin: String,
    /// What it holds.
    pub text: String,
}

/// Lays the files (lowest first) and then the environment over one another. A variable that is
/// empty counts as not set.
///
/// # Errors
/// All that is wrong in any of them, at once: no layer is skipped.
pub fn resolve_user(
    layers: &[UserLayer],
    environment: &[(String, String)],
) -> Result<UserConfig, ConfigError> {
    let mut problems = Problems::new("dsg.yml");
    let mut config = UserConfig {
        user_name: None,
        user_id: None,
        default_host: None,
        default_project_path: None,
        local_log: None,
        backup_on_conflict: Sourced { value: true, origin: Place::file("default") },
        notices: Vec::new(),
        files: layers.iter().map(|layer| layer.origin.clone()).collect(),
    };
    for layer in layers {
        read_layer(layer, &mut config, &mut problems);
    }
    read_environment(environment, &mut config, &mut problems);
    problems.unless_any(Some(config))
}

fn read_layer(layer: &UserLayer, config: &mut UserConfig, problems: &mut Problems) {
    problems.turn_to(&layer.origin);
    let root = match document::parse(&layer.text, &layer.origin) {
        Ok(root) => root,
        Err(error) => return problems.absorb(error),
    };
    let Some(top) = Section::root(&root, EXAMPLE, problems) else {
        return;
    };
    top.refuse_unknown(
        &TOP_KEYS,
        &["ssh.key_path", "rclone.config_path", "ipfs.passphrases"],
        problems,
    );
    if layer.origin == SYSTEM_USER_FILE {
        for key in PERSONAL_KEYS.into_iter().filter(|key| top.is_written(key)) {
            let reason = format!(
                "{key} can't stand in the system's file: it would sign everybody's changes"
            );
            let next_step =
                format!("remove {key} there; every user writes it into ~/.config/dsg/dsg.yml");
            problems.add(top.line_of(key), ProblemKind::Contradiction { reason }, next_step);
        }
    }
    let origin = layer.origin.as_str();
    read_texts(&top, origin, config, problems);
    if let Some(found) = top.boolean("backup_on_conflict", problems) {
        config.backup_on_conflict = sourced(found, origin);
    }
    read_unused_sections(&top, origin, config, problems);
}

fn read_texts(top: &Section<'_>, origin: &str, config: &mut UserConfig, problems: &mut Problems) {
    let slots = [
        ("user_name", "\"Carol Davis\"", &mut config.user_name),
        ("user_id", "carol@example.org", &mut config.user_id),
        ("default_host", "localhost", &mut config.default_host),
        ("default_project_path", "/var/repos/dsg", &mut config.default_project_path),
        ("local_log", "/home/carol/dsg-log", &mut config.local_log),
    ];
    for (key, example, slot) in slots {
        let Some(rule) = text_rule(key) else { continue };
        let found = top.text(key, example, problems);
        if let Some(found) = found.and_then(|found| found.checked(problems, rule)) {
            *slot = Some(sourced(found, origin));
        }
    }
}

/// The sections of transports that we don't have: their keys are checked, their values neither
/// used nor kept (one of them is a secret).
fn read_unused_sections(
    top: &Section<'_>,
    origin: &str,
    config: &mut UserConfig,
    problems: &mut Problems,
) {
    let sections = [
        ("ssh", "key_path", "dsg uses your own ssh: put the key into ~/.ssh/config"),
        ("rclone", "config_path", "it can be removed"),
        (
            "ipfs",
            "passphrases",
            "it can be removed; a passphrase that nothing needs is best not kept in a file",
        ),
    ];
    for (name, key, next_step) in sections {
        let Some(section) = top.section(name, &format!("{key}: …"), problems) else {
            continue;
        };
        section.refuse_unknown(&[key], &[], problems);
        if key == "passphrases" {
            section.secret_texts(key, problems);
        } else {
            section.text(key, "~/…", problems);
        }
        config.notices.push(Notice {
            what: format!("{origin}: {name} is accepted and not used"),
            next_step: next_step.to_owned(),
            replacement: None,
        });
    }
}

fn sourced<T>(found: Found<T>, origin: &str) -> Sourced<T> {
    Sourced { value: found.value, origin: Place { origin: origin.to_owned(), line: found.line } }
}

fn read_environment(
    environment: &[(String, String)],
    config: &mut UserConfig,
    problems: &mut Problems,
) {
    if let Some(found) = variable(environment, USER_NAME_VARIABLE, problems, values::user_name) {
        config.user_name = Some(found);
    }
    if let Some(found) = variable(environment, USER_ID_VARIABLE, problems, values::user_id) {
        config.user_id = Some(found);
    }
    if let Some(found) = variable(environment, BACKUP_ON_CONFLICT_VARIABLE, problems, truth) {
        config.backup_on_conflict = found;
    }
}

fn variable<T>(
    environment: &[(String, String)],
    name: &str,
    problems: &mut Problems,
    rule: Rule<T>,
) -> Option<Sourced<T>> {
    let (_, value) = environment.iter().rev().find(|(known, _)| known == name)?;
    if value.is_empty() {
        return None;
    }
    let origin = format!("environment variable {name}");
    problems.turn_to(&origin);
    let found = Found { key: name.to_owned(), line: None, value: value.clone() };
    Some(sourced(found.checked(problems, rule)?, &origin))
}

/// A truth value as people write it.
pub(super) fn truth(word: &str) -> Result<bool, Refusal> {
    match word.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(Refusal::new(
            format!("{} is neither true nor false", shown(word)),
            "write true or false",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Identity;
    use super::*;
    use proptest::prelude::*;

    fn layer(origin: &str, text: &str) -> UserLayer {
        UserLayer { origin: origin.to_owned(), text: text.to_owned() }
    }

    fn refused(layers: &[UserLayer]) -> String {
        resolve_user(layers, &[]).expect_err("refused").to_string()
    }

    fn value<T: Clone>(sourced: &Option<Sourced<T>>) -> Option<T> {
        sourced.as_ref().map(|sourced| sourced.value.clone())
    }

    #[test]
    fn the_layers_are_merged_key_by_key_and_the_last_wins() {
        let layers = [
            layer(
                SYSTEM_USER_FILE,
                "default_host: localhost\ndefault_project_path: /var/repos/zsd\n",
            ),
            layer(
                "home",
                "user_name: User Override\nuser_id: user@example.com\ndefault_host: remote-server\n",
            ),
            layer("xdg", "user_name: XDG Override\nbackup_on_conflict: no\n"),
            layer("dsg", "\nuser_id: final@example.com\n"),
        ];
        let config = resolve_user(&layers, &[]).expect("good");
        assert_eq!(
            config.identity(),
            Ok(Identity { name: "XDG Override", id: "final@example.com" })
        );
        assert_eq!(value(&config.default_host).as_deref(), Some("remote-server"));
        assert_eq!(value(&config.default_project_path).as_deref(), Some("/var/repos/zsd"));
        assert!(!config.backup_on_conflict.value);
        let origin = config.user_id.map(|id| id.origin.to_string());
        assert_eq!(origin.as_deref(), Some("dsg, line 2"));
    }

    #[test]
    fn the_environment_wins_and_an_empty_variable_does_not() {
        let layers = [layer("home", "user_name: Carol\nuser_id: carol@example.org\n")];
        let environment = |list: &[(&str, &str)]| -> Vec<(String, String)> {
            list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let set = environment(&[
            (USER_ID_VARIABLE, "bob@example.org"),
            (USER_NAME_VARIABLE, ""),
            (BACKUP_ON_CONFLICT_VARIABLE, "No"),
        ]);
        let config = resolve_user(&layers, &set).expect("good");
        assert_eq!(config.identity(), Ok(Identity { name: "Carol", id: "bob@example.org" }));
        assert!(!config.backup_on_conflict.value);
        let origin = config.user_id.map(|id| id.origin.to_string());
        assert_eq!(origin.as_deref(), Some("environment variable DSG_USER_ID"));
        let bad = environment(&[(USER_ID_VARIABLE, "bob"), (BACKUP_ON_CONFLICT_VARIABLE, "maybe")]);
        let error = resolve_user(&layers, &bad).unwrap_err();
        assert_eq!(error.problems.len(), 2, "{error}");
        assert!(error.to_string().starts_with("environment variable DSG_USER_ID:"), "{error}");
    }

    #[test]
    fn a_broken_layer_is_an_error_that_names_the_file() {
        let layers = [layer("low", "user_id: low@example.org\n"), layer("high", "user_id: [\n")];
        assert!(refused(&layers).starts_with("high, line "));
        let layers = [layer("low", "user_id: no mail\n"), layer("high", "userid: a@b\n")];
        let told = refused(&layers);
        assert!(told.contains("low, line 1: user_id: `no mail` is no e-mail address"), "{told}");
        assert!(told.contains("high, line 1: unknown key userid: did you mean user_id?"), "{told}");
        assert!(refused(&[layer("f", "- a\n")]).contains("f, line 1: expected keys with values"));
        assert!(refused(&[layer("f", "local_log: log\n")]).contains("not an absolute path"));
        assert!(
            refused(&[layer("f", "backup_on_conflict: \"x\"\n")])
                .contains("expected true or false")
        );
    }

    #[test]
    fn the_system_file_says_nothing_about_persons() {
        let told =
            refused(&[layer(SYSTEM_USER_FILE, "user_name: Root\nuser_id: root@example.org\n")]);
        assert!(told.contains("line 1: user_name can't stand"), "{told}");
        assert!(told.contains("line 2: user_id can't stand"), "{told}");
        for text in ["", "default_host: localhost\n"] {
            assert!(resolve_user(&[layer(SYSTEM_USER_FILE, text)], &[]).is_ok());
        }
    }

    #[test]
    fn sections_that_nothing_uses_are_checked_and_mentioned_but_their_secrets_are_not_kept() {
        let text =
            "ssh: {key_path: ~/.ssh/special}\nipfs:\n  passphrases: {\"did:key:z1\": \"geheim\"}\n";
        let config = resolve_user(&[layer("f", text)], &[]).expect("good");
        assert_eq!(config.notices.len(), 2);
        assert!(!format!("{config:?}").contains("geheim"));
        assert!(refused(&[layer("f", "ssh: {keypath: x}\n")]).contains("did you mean key_path?"));
        for secret in ["{a: {b: 4711}}", "{a: 4711}", "4711", "[4711]"] {
            let told = refused(&[layer("f", &format!("ipfs: {{passphrases: {secret}}}\n"))]);
            assert!(told.contains("ipfs.passphrases: expected names with texts"), "{told}");
            assert!(!told.contains("4711"), "{told}");
        }
    }

    proptest! {
        #[test]
        fn reading_is_total(text in any::<String>(), value in any::<String>()) {
            let _ = resolve_user(&[layer("f", &text)], &[(USER_ID_VARIABLE.to_owned(), value)]);
        }
    }
}

//! What `dsg.yml` says: who somebody is, and how they like to work.

use super::error::{ConfigError, Notice, Place, ProblemKind, Problems};
use super::section::Rule;
use super::values;

/// The system's file, the lowest of the layers.
pub const SYSTEM_USER_FILE: &str = "/etc/dsg/dsg.yml";
/// The keys with one value, which [`set_user_value`](super::set_user_value) can set.
pub const USER_VALUE_KEYS: [&str; 6] = [
    "user_name",
    "user_id",
    "default_host",
    "default_project_path",
    "local_log",
    "backup_on_conflict",
];

/// A value and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// A file and a line, `environment variable …`, or `default`.
    pub origin: Place,
}

/// What all layers together say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserConfig {
    /// The person's name, for others to read.
    pub user_name: Option<Sourced<String>>,
    /// The person, written as an e-mail address.
    pub user_id: Option<Sourced<String>>,
    /// What `dsg init` takes for the repository's host.
    pub default_host: Option<Sourced<String>>,
    /// What `dsg init` takes for the repository's mountpoint; absolute.
    pub default_project_path: Option<Sourced<String>>,
    /// The directory for log files; absolute.
    pub local_log: Option<Sourced<String>>,
    /// Whether a file that loses a conflict is kept beside the one that wins.
    pub backup_on_conflict: Sourced<bool>,
    /// What the person should know.
    pub notices: Vec<Notice>,
    /// The files that were read, lowest first.
    pub files: Vec<String>,
}

/// Who somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity<'a> {
    /// For others to read.
    pub name: &'a str,
    /// Written as an e-mail address.
    pub id: &'a str,
}

impl UserConfig {
    /// Who the changes are signed by.
    ///
    /// # Errors
    /// What is missing, with the lines to write.
    pub fn identity(&self) -> Result<Identity<'_>, ConfigError> {
        if let (Some(name), Some(id)) = (&self.user_name, &self.user_id) {
            return Ok(Identity { name: &name.value, id: &id.value });
        }
        let origin = if self.files.is_empty() {
            "no dsg.yml was found".to_owned()
        } else {
            self.files.join(", ")
        };
        let mut problems = Problems::new(&origin);
        let missing = [
            ("user_name", "\"Your Name\"", self.user_name.is_none()),
            ("user_id", "you@example.org", self.user_id.is_none()),
        ];
        for (key, example, _) in missing.into_iter().filter(|(_, _, missing)| *missing) {
            let next_step = format!(
                "run `dsg config set {key} {example}`, or write into ~/.config/dsg/dsg.yml:\n\
                 user_name: \"Your Name\"\nuser_id: you@example.org"
            );
            problems.add(None, ProblemKind::Missing { key: key.to_owned() }, next_step);
        }
        problems.unless_any(None)
    }
}

/// The files in which `dsg.yml` is looked for, lowest first: the system's, the one below the home
/// directory, the one below `$XDG_CONFIG_HOME`, the one in `$DSG_CONFIG_HOME`. A file that comes
/// twice is listed where it counts most. A relative `$XDG_CONFIG_HOME` is ignored, as the XDG base
/// directory specification asks.
#[must_use]
pub fn user_layer_paths(
    home: Option<&str>,
    xdg_config_home: Option<&str>,
    dsg_config_home: Option<&str>,
) -> Vec<String> {
    let below = |directory: Option<&str>, file: &str| {
        let directory = directory.filter(|directory| !directory.is_empty())?;
        Some(format!("{}/{file}", directory.trim_end_matches('/')))
    };
    let xdg = xdg_config_home.filter(|directory| directory.starts_with('/'));
    let all: Vec<String> = [
        Some(SYSTEM_USER_FILE.to_owned()),
        below(home, ".config/dsg/dsg.yml"),
        below(xdg, "dsg/dsg.yml"),
        below(dsg_config_home, "dsg.yml"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let counts_later = |index: usize, path: &String| all[index + 1..].contains(path);
    all.iter()
        .enumerate()
        .filter(|(index, path)| !counts_later(*index, path))
        .map(|(_, path)| path.clone())
        .collect()
}

/// What the text of a key must be; `None` for keys that hold no text.
pub(super) fn text_rule(key: &str) -> Option<Rule> {
    match key {
        "user_name" => Some(values::user_name),
        "user_id" => Some(values::user_id),
        "default_host" => Some(values::host),
        "default_project_path" | "local_log" => Some(values::absolute_path),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::resolve_user;
    use super::*;

    #[test]
    fn who_has_no_name_yet_is_shown_what_to_write() {
        let config = resolve_user(&[], &[]).expect("nothing is fine");
        assert!(config.backup_on_conflict.value);
        let error = config.identity().unwrap_err();
        assert_eq!(error.problems.len(), 2);
        let next_step = &error.problems[1].next_step;
        assert!(next_step.contains("dsg config set user_id you@example.org"), "{next_step}");
        assert!(
            next_step.contains("user_name: \"Your Name\"\nuser_id: you@example.org"),
            "{next_step}"
        );
    }

    #[test]
    fn the_files_are_looked_for_from_the_system_to_the_person() {
        let paths = user_layer_paths(Some("/home/c/"), Some("/home/c/xdg"), Some("/etc/team"));
        let expected = [
            SYSTEM_USER_FILE,
            "/home/c/.config/dsg/dsg.yml",
            "/home/c/xdg/dsg/dsg.yml",
            "/etc/team/dsg.yml",
        ];
        assert_eq!(paths, expected);
        assert_eq!(user_layer_paths(None, Some(""), None), [SYSTEM_USER_FILE]);
        let same = user_layer_paths(Some("/home/c"), Some("/home/c/.config"), None);
        assert_eq!(same, [SYSTEM_USER_FILE, "/home/c/.config/dsg/dsg.yml"]);
        assert_eq!(user_layer_paths(None, Some("relative"), None), [SYSTEM_USER_FILE]);
    }
}

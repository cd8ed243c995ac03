//! Configuration: one list of keys, four places where a value may come from.
//!
//! Later ones win: the default, the file, the environment or files that it names (`…_FILE`, for
//! secrets), the command line. Nothing is guessed: an unknown key, a value of the wrong kind or a
//! variable beside its `…_FILE` is an error that names its place, and all errors are told at once. Each value
//! remembers where it came from, so that `config explain` can say it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, io};

use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use toml::{Table, Value};

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number from the first to the second.
    Integer(u64, u64),
    /// `true` or `false`.
    Boolean,
    /// Texts, in the environment separated by commas.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An address and port to listen on.
    Address,
}

/// A key of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name, `section.name` or `name`.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// Its value if nobody gives one.
    pub default: &'static str,
    /// Whether the value is never shown.
    pub secret: bool,
    /// What is wrong with a value of the right kind, in words that don't repeat a secret.
    pub check: fn(&str) -> Option<String>,
    /// What it is for.
    pub help: &'static str,
}

impl Key {
    /// The variable of the environment that sets it.
    #[must_use]
    pub fn variable(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }
}

/// The check of a key whose kind says it all.
#[must_use]
pub const fn anything(_: &str) -> Option<String> {
    None
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// A file, at a line.
    File(PathBuf, usize),
    /// A variable of the environment.
    Environment(String),
    /// A file that a variable of the environment names.
    SecretFile(String, PathBuf),
    /// An option of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => write!(f, "default"),
            Self::File(path, line) => write!(f, "{}, line {line}", path.display()),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::SecretFile(variable, path) => {
                write!(f, "file {} named by {variable}", path.display())
            }
            Self::Flag(flag) => write!(f, "option {flag}"),
        }
    }
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {what}")]
pub struct Problem {
    /// Where.
    pub place: String,
    /// What, and what to do.
    pub what: String,
}

/// Where values come from.
#[derive(Debug, Default)]
pub struct Sources {
    /// The file and its text.
    pub file: Option<(PathBuf, String)>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// Options of the command line: key, option, value.
    pub flags: Vec<(&'static str, &'static str, String)>,
}

/// A value and where it came from.
#[derive(Debug)]
pub struct Entry {
    value: Content,
    /// Where it came from.
    pub origin: Origin,
}

#[derive(Debug)]
enum Content {
    Plain(String),
    Secret(SecretString),
}

impl Entry {
    fn expose(&self) -> &str {
        match &self.value {
            Content::Plain(value) => value,
            Content::Secret(value) => value.expose_secret(),
        }
    }

    /// The value as it may be shown.
    #[must_use]
    pub fn shown(&self) -> &str {
        match &self.value {
            Content::Plain(value) => value,
            Content::Secret(value) if value.expose_secret().is_empty() => "",
            Content::Secret(_) => "(secret)",
        }
    }
}

/// A configuration that was checked.
#[derive(Debug)]
pub struct Configuration {
    entries: BTreeMap<&'static str, Entry>,
}

impl Configuration {
    /// Puts the sources together; `prefix` starts the names of variables.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn load(
        keys: &'static [Key],
        prefix: &str,
        sources: &Sources,
    ) -> Result<Self, Vec<Problem>> {
        let mut loader = Loader { keys, prefix, entries: BTreeMap::new(), problems: Vec::new() };
        for key in keys {
            loader.put(key, key.default, Origin::Default);
        }
        if let Some((path, text)) = &sources.file {
            loader.file(path, text);
        }
        loader.environment(&sources.environment);
        for (name, flag, value) in &sources.flags {
            if let Some(key) = keys.iter().find(|key| key.name == *name) {
                loader.put(key, value, Origin::Flag(flag));
            }
        }
        if loader.problems.is_empty() {
            Ok(Self { entries: loader.entries })
        } else {
            Err(loader.problems)
        }
    }

    /// All keys with their values, by name.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, &Entry)> {
        self.entries.iter().map(|(name, entry)| (*name, entry))
    }

    /// The text of a key; empty for one that is not in the list.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.entries.get(name).map_or("", Entry::expose)
    }

    /// The number of a key.
    #[must_use]
    pub fn integer(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or(0)
    }

    /// The flag of a key.
    #[must_use]
    pub fn boolean(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    /// The list of a key.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.text(name).split(',').map(str::trim).filter(|item| !item.is_empty())
    }
}

struct Loader<'a> {
    keys: &'static [Key],
    prefix: &'a str,
    entries: BTreeMap<&'static str, Entry>,
    problems: Vec<Problem>,
}

impl Loader<'_> {
    fn put(&mut self, key: &'static Key, value: &str, origin: Origin) {
        let value = value.trim().to_owned();
        // A default that is empty stands for "none", whatever the kind.
        let none = value.is_empty() && key.default.is_empty();
        if !none && let Some(what) = mismatch(key.kind, &value).or_else(|| (key.check)(&value)) {
            // The value may be a secret: only its kind is told.
            self.problem(origin.to_string(), format!("{}: {what}", key.name));
            return;
        }
        let value = if key.secret {
            Content::Secret(SecretString::from(value))
        } else {
            Content::Plain(value)
        };
        self.entries.insert(key.name, Entry { value, origin });
    }

    fn is_from_environment(&self, key: &Key) -> bool {
        let entry = self.entries.get(key.name);
        entry.is_some_and(|entry| matches!(entry.origin, Origin::Environment(_)))
    }

    fn problem(&mut self, place: String, what: String) {
        self.problems.push(Problem { place, what });
    }

    fn file(&mut self, path: &Path, text: &str) {
        let table: Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let error: toml::de::Error = error;
                let line = error.span().map_or(1, |span| line_at(text, span.start));
                let what = format!("this is not TOML: {}", error.message());
                self.problem(Origin::File(path.to_owned(), line).to_string(), what);
                return;
            }
        };
        let mut found = Vec::new();
        for (name, value) in table {
            match value {
                Value::Table(section) => {
                    found.extend(
                        section.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)),
                    );
                }
                value => found.push((name, value)),
            }
        }
        for (name, value) in found {
            let origin = Origin::File(path.to_owned(), line_of(text, &name));
            let keys = self.keys;
            let Some(key) = keys.iter().find(|key| key.name == name) else {
                let what = unknown("key", &name, keys.iter().map(|key| key.name.to_owned()));
                self.problem(origin.to_string(), what);
                continue;
            };
            match plain(&value) {
                Some(value) => self.put(key, &value, origin),
                None => {
                    self.problem(origin.to_string(), format!("{name}: this is no single value"));
                }
            }
        }
    }

    fn environment(&mut self, environment: &[(String, String)]) {
        let start = format!("{}_", self.prefix);
        let keys = self.keys;
        for secrets in [false, true] {
            for (variable, value) in environment {
                if !variable.starts_with(&start) || set_by_others(&variable[start.len()..]) {
                    continue;
                }
                let by_name =
                    |name: &str| keys.iter().find(|key| key.variable(self.prefix) == name);
                match (by_name(variable), variable.strip_suffix("_FILE").and_then(by_name)) {
                    (Some(key), _) if !secrets => {
                        self.put(key, value, Origin::Environment(variable.clone()));
                    }
                    (None, Some(key)) if secrets && self.is_from_environment(key) => {
                        let both = key.variable(self.prefix);
                        let what = format!("{both} is set as well; unset one of the two");
                        self.problem(format!("environment {variable}"), what);
                    }
                    (None, Some(key)) if secrets => match read_secret(Path::new(value)) {
                        Ok(text) => {
                            let origin = Origin::SecretFile(variable.clone(), value.into());
                            self.put(key, &text, origin);
                        }
                        Err(error) => {
                            let what = format!("the file {value} can't be read: {error}");
                            self.problem(format!("environment {variable}"), what);
                        }
                    },
                    (None, None) if !secrets => {
                        let known = keys.iter().map(|key| key.variable(self.prefix));
                        let what = unknown("variable", variable, known);
                        self.problem(format!("environment {variable}"), what);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Variables that begin like ours and are not: the name of the configuration file, faults for
/// tests, and what Docker links and Kubernetes services of our name leave there.
fn set_by_others(rest: &str) -> bool {
    rest == "CONFIG"
        || rest.starts_with("FAULT")
        || rest.starts_with("SERVICE_")
        || rest == "PORT"
        || rest.starts_with("PORT_")
}

/// A secret is a line; more than this is another file.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

fn read_secret(path: &Path) -> io::Result<String> {
    if std::fs::metadata(path)?.len() > SECRET_BYTES_MAX {
        return Err(io::Error::other("it is too large for a secret"));
    }
    Ok(std::fs::read_to_string(path)?.trim_end_matches(['\r', '\n']).to_owned())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(plain).collect();
            Some(items?.join(","))
        }
        _ => None,
    }
}

fn mismatch(kind: Kind, value: &str) -> Option<String> {
    match kind {
        Kind::Text | Kind::List => None,
        Kind::Integer(least, most) => {
            let fits = value.parse::<u64>().is_ok_and(|number| (least..=most).contains(&number));
            (!fits).then(|| format!("a whole number from {least} to {most} belongs here"))
        }
        Kind::Boolean => {
            (!["true", "false"].contains(&value)).then(|| "true or false belongs here".to_owned())
        }
        Kind::Choice(words) => (!words.contains(&value))
            .then(|| format!("one of these belongs here: {}", words.join(", "))),
        Kind::Address => value
            .parse::<std::net::SocketAddr>()
            .is_err()
            .then(|| "an address and port belong here, like 127.0.0.1:7777".to_owned()),
    }
}

/// How alike two names must be to be proposed.
const ALIKE: f64 = 0.75;

fn unknown(what: &str, name: &str, known: impl Iterator<Item = String>) -> String {
    let nearest = known
        .map(|known| (strsim::jaro_winkler(name, &known), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    match nearest {
        Some((_, nearest)) => format!("there is no {what} `{name}`; did you mean `{nearest}`?"),
        None => format!("there is no {what} `{name}`"),
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The line where a file sets a key; 1 if it is written in a way that this does not see.
fn line_of(text: &str, name: &str) -> usize {
    let (section, key) = name.rsplit_once('.').unwrap_or(("", name));
    let mut inside = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            inside = header.split(']').next().unwrap_or_default().trim().to_owned();
        } else if let Some((left, _)) = line.split_once('=') {
            let left = left.trim().trim_matches('"');
            if (inside == section && left == key) || (inside.is_empty() && left == name) {
                return number;
            }
        }
    }
    1
}

#[cfg(test)]
mod tests;

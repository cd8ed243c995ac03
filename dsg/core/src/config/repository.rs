//! Where a project's repository is, as `repository:` says it.

use std::fmt;

use super::error::{ProblemKind, Problems, shown};
use super::origin::Origins;
use super::section::{Refusal, Rule, Section, most_similar};
use super::values;

/// Where the repository of a project is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepositoryConfig {
    /// A directory of any file system.
    Posix {
        /// The machine that has it.
        host: String,
        /// The directory that holds the repositories; absolute, no `..`, no slash at the end.
        mountpoint: String,
    },
    /// A directory of an XFS.
    Xfs {
        /// As for `Posix`.
        host: String,
        /// As for `Posix`.
        mountpoint: String,
    },
    /// A ZFS dataset.
    Zfs {
        /// As for `Posix`.
        host: String,
        /// The pool, as `zpool list` shows it.
        pool: String,
        /// Where the dataset that holds the repositories is mounted.
        mountpoint: String,
        /// How a state is made visible.
        mode: ZfsMode,
    },
    /// A btrfs subvolume.
    Btrfs {
        /// As for `Posix`.
        host: String,
        /// As for `Posix`.
        mountpoint: String,
    },
    /// A remote of rclone.
    Rclone {
        /// Its name in rclone's configuration, such as `s3:bucket`.
        remote: String,
        /// The path there.
        path: String,
    },
    /// IPFS.
    Ipfs {
        /// The decentralized identifier.
        did: String,
        /// Whether contents are encrypted.
        encrypted: bool,
    },
}

/// How a repository on ZFS makes a new state visible. Matters when the repository is made; after
/// that `repository.json` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ZfsMode {
    /// `in-place`: one dataset, changed file by file, with a ZFS snapshot after each commit.
    #[default]
    InPlace,
    /// `generations`: each state is a dataset of its own, and people follow a link to the newest.
    Generations,
}

impl ZfsMode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::InPlace, Self::Generations];

    /// The word in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InPlace => "in-place",
            Self::Generations => "generations",
        }
    }

    /// The mode of a word; exact, as in the file.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}

/// The `type` of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepositoryType {
    /// `posix`
    Posix,
    /// `xfs`
    Xfs,
    /// `zfs`
    Zfs,
    /// `btrfs`
    Btrfs,
    /// `rclone`
    Rclone,
    /// `ipfs`
    Ipfs,
}

impl RepositoryType {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Posix, Self::Xfs, Self::Zfs, Self::Btrfs, Self::Rclone, Self::Ipfs];

    /// The word in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Posix => "posix",
            Self::Xfs => "xfs",
            Self::Zfs => "zfs",
            Self::Btrfs => "btrfs",
            Self::Rclone => "rclone",
            Self::Ipfs => "ipfs",
        }
    }

    /// The type of a word; exact, as in the file.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The keys that a repository of this type has beside `type`.
    #[must_use]
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Posix | Self::Xfs | Self::Btrfs => &["host", "mountpoint"],
            Self::Zfs => &["host", "pool", "mountpoint", "mode"],
            Self::Rclone => &["remote", "path"],
            Self::Ipfs => &["did", "encrypted"],
        }
    }
}

impl fmt::Display for RepositoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl RepositoryConfig {
    /// Its `type`.
    #[must_use]
    pub fn kind(&self) -> RepositoryType {
        match self {
            Self::Posix { .. } => RepositoryType::Posix,
            Self::Xfs { .. } => RepositoryType::Xfs,
            Self::Zfs { .. } => RepositoryType::Zfs,
            Self::Btrfs { .. } => RepositoryType::Btrfs,
            Self::Rclone { .. } => RepositoryType::Rclone,
            Self::Ipfs { .. } => RepositoryType::Ipfs,
        }
    }

    /// The keys below `repository:` with their values, in the order in which they are written.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, FieldValue<'_>)> {
        let kind = ("type", FieldValue::Text(self.kind().as_str()));
        match self {
            Self::Posix { host, mountpoint }
            | Self::Xfs { host, mountpoint }
            | Self::Btrfs { host, mountpoint } => {
                vec![
                    kind,
                    ("host", FieldValue::Text(host)),
                    ("mountpoint", FieldValue::Text(mountpoint)),
                ]
            }
            Self::Zfs { host, pool, mountpoint, mode } => {
                let mut fields = vec![
                    kind,
                    ("host", FieldValue::Text(host)),
                    ("pool", FieldValue::Text(pool)),
                    ("mountpoint", FieldValue::Text(mountpoint)),
                ];
                if *mode != ZfsMode::default() {
                    fields.push(("mode", FieldValue::Text(mode.as_str())));
                }
                fields
            }
            Self::Rclone { remote, path } => {
                vec![kind, ("remote", FieldValue::Text(remote)), ("path", FieldValue::Text(path))]
            }
            Self::Ipfs { did, encrypted } => {
                vec![
                    kind,
                    ("did", FieldValue::Text(did)),
                    ("encrypted", FieldValue::Boolean(*encrypted)),
                ]
            }
        }
    }
}

/// The value of a key below `repository:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// A text.
    Text(&'a str),
    /// A truth value.
    Boolean(bool),
}

impl fmt::Display for FieldValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Boolean(value) => write!(f, "{value}"),
        }
    }
}

/// The values of a section, each noted with its origin under the key it has in the new form.
pub(super) struct FieldReader<'a, 'b> {
    pub(super) section: &'b Section<'a>,
    pub(super) origins: &'b mut Origins,
    pub(super) problems: &'b mut Problems,
}

impl FieldReader<'_, '_> {
    /// A text that must be there; `target` is its key below `repository`.
    pub(super) fn text(
        &mut self,
        key: &str,
        target: &str,
        example: &str,
        rule: Rule,
    ) -> Option<String> {
        let found = self.section.required_text(key, example, self.problems)?;
        let found = found.checked(self.problems, rule)?;
        self.origins.written(&format!("repository.{target}"), &found.key, found.line);
        Some(found.value)
    }

    pub(super) fn host(&mut self) -> Option<String> {
        self.text("host", "host", "localhost", values::host)
    }

    /// The `mode` of a repository on ZFS, which need not be there.
    fn zfs_mode(&mut self) -> Option<ZfsMode> {
        if !self.section.has("mode") {
            self.origins.defaulted("repository.mode");
            return Some(ZfsMode::default());
        }
        let found = self.section.text("mode", ZfsMode::default().as_str(), self.problems)?;
        let found = found.checked(self.problems, zfs_mode)?;
        self.origins.written("repository.mode", &found.key, found.line);
        Some(found.value)
    }

    pub(super) fn rclone(&mut self) -> Option<RepositoryConfig> {
        let remote = self.text("remote", "remote", "\"s3:bucket\"", values::some_text);
        let path = self.text("path", "path", "/projects", values::some_text);
        Some(RepositoryConfig::Rclone { remote: remote?, path: path? })
    }

    pub(super) fn ipfs(&mut self) -> Option<RepositoryConfig> {
        let did = self.text("did", "did", "\"did:key:z6Mk…\"", values::some_text);
        let encrypted = if self.section.has("encrypted") {
            let found = self.section.boolean("encrypted", self.problems)?;
            self.origins.written("repository.encrypted", &found.key, found.line);
            found.value
        } else {
            self.origins.defaulted("repository.encrypted");
            true
        };
        Some(RepositoryConfig::Ipfs { did: did?, encrypted })
    }
}

/// Reads the section `repository`.
pub(super) fn read(
    section: &Section<'_>,
    origins: &mut Origins,
    problems: &mut Problems,
) -> Option<RepositoryConfig> {
    let found = section.required_text("type", "posix", problems);
    let Some(kind) = found.and_then(|found| {
        origins.written("repository.type", &found.key, found.line);
        found.checked(problems, repository_type)
    }) else {
        // Without the type only keys that no type has can be told to be wrong.
        let all =
            ["type", "host", "pool", "mountpoint", "mode", "remote", "path", "did", "encrypted"];
        section.refuse_unknown(&all, &[], problems);
        return None;
    };
    let kind = kind.value;
    let known: Vec<&str> = ["type"].into_iter().chain(kind.keys().iter().copied()).collect();
    section.refuse_unknown(&known, &["data_dirs", "ignore"], problems);
    let mut fields = FieldReader { section, origins, problems };
    match kind {
        RepositoryType::Rclone => return fields.rclone(),
        RepositoryType::Ipfs => return fields.ipfs(),
        _ => {}
    }
    let host = fields.host();
    let pool =
        (kind == RepositoryType::Zfs).then(|| fields.text("pool", "pool", "zsd", values::pool));
    let mountpoint =
        fields.text("mountpoint", "mountpoint", "/var/repos/dsg", values::absolute_path);
    let mode = (kind == RepositoryType::Zfs).then(|| fields.zfs_mode());
    let (host, mountpoint) = (host?, mountpoint?);
    Some(match (kind, pool) {
        (_, Some(pool)) => {
            RepositoryConfig::Zfs { host, pool: pool?, mountpoint, mode: mode.flatten()? }
        }
        (RepositoryType::Xfs, None) => RepositoryConfig::Xfs { host, mountpoint },
        (RepositoryType::Btrfs, None) => RepositoryConfig::Btrfs { host, mountpoint },
        (_, None) => RepositoryConfig::Posix { host, mountpoint },
    })
}

fn zfs_mode(word: &str) -> Result<ZfsMode, Refusal> {
    let words = ZfsMode::ALL.map(ZfsMode::as_str);
    ZfsMode::from_word(word).ok_or_else(|| {
        let meant = most_similar(word, &words).map(|mode| format!(": did you mean {mode}?"));
        Refusal::new(
            format!("there is no mode {}{}", shown(word), meant.unwrap_or_default()),
            format!("write one of {}; without the key it is in-place", words.join(", ")),
        )
    })
}

fn repository_type(word: &str) -> Result<RepositoryType, Refusal> {
    if let Some(kind) = RepositoryType::from_word(word) {
        return Ok(kind);
    }
    let words = RepositoryType::ALL.map(RepositoryType::as_str);
    let suggestion = match word {
        "local" | "localhost" | "dir" | "directory" | "ext4" => Some("posix".to_owned()),
        other => most_similar(other, &words),
    };
    let meant = suggestion.map(|kind| format!(": did you mean {kind}?")).unwrap_or_default();
    Err(Refusal::new(
        format!("there is no type {}{meant}", shown(word)),
        format!("write one of {}; posix is a directory of any file system", words.join(", ")),
    ))
}

/// Adds what is said when the place of the repository isn't given at all, or twice.
pub(super) fn contradiction(problems: &mut Problems, line: Option<u64>, reason: impl Into<String>) {
    let next_step = "say where the repository is in one section, for example:\n\
                     repository:\n  type: posix\n  host: localhost\n  mountpoint: /var/repos/dsg";
    problems.add(line, ProblemKind::Contradiction { reason: reason.into() }, next_step);
}

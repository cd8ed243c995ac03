//! Which repositories this version can work with.
//!
//! Every type can be configured, so that a file is never refused for being ahead of the program;
//! only working with the repository is. The reasons and ways out are said here, once.

use super::project::ProjectConfig;
use super::repository::{RepositoryConfig, RepositoryType};

/// Names that mean this machine, whatever it is called.
const LOCAL_HOSTS: [&str; 4] = ["localhost", "127.0.0.1", "::1", "0.0.0.0"];

/// A repository that this version can work with: a directory of this machine, or of one that `ssh`
/// reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supported {
    /// The repository's directory: `<mountpoint>/<name>`, absolute.
    pub path: String,
    /// Not `Rclone` and not `Ipfs`.
    pub kind: RepositoryType,
    /// The machine that has it, if it is not this one.
    pub host: Option<String>,
}

/// Why this version can't work with a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSupported {
    /// Rclone and IPFS.
    #[error("not in this version: repositories of type {kind}")]
    Transport {
        /// The type.
        kind: RepositoryType,
    },
}

impl NotSupported {
    /// What to do instead.
    #[must_use]
    pub fn next_step(&self) -> String {
        match self {
            Self::Transport { kind } => {
                let tool = if *kind == RepositoryType::Rclone { "rclone" } else { "ipfs" };
                format!(
                    "use `type: posix` with a directory of this machine, and copy that directory with {tool} \
                     for a second place"
                )
            }
        }
    }
}

impl RepositoryConfig {
    /// Whether this version can work with it, and where it is. `name` is the project's name,
    /// `own_names` are the names of this machine (host name, fully qualified name).
    ///
    /// # Errors
    /// [`NotSupported`] says why not; its `next_step` what to do.
    pub fn support(&self, name: &str, own_names: &[&str]) -> Result<Supported, NotSupported> {
        let kind = self.kind();
        let (host, mountpoint) = match self {
            Self::Posix { host, mountpoint }
            | Self::Xfs { host, mountpoint }
            | Self::Btrfs { host, mountpoint }
            | Self::Zfs { host, mountpoint, .. } => (host, mountpoint),
            Self::Rclone { .. } | Self::Ipfs { .. } => {
                return Err(NotSupported::Transport { kind });
            }
        };
        let path = format!("{}/{name}", mountpoint.trim_end_matches('/'));
        let host = (!is_this_machine(host, own_names)).then(|| host.trim().to_owned());
        Ok(Supported { path, kind, host })
    }
}

impl ProjectConfig {
    /// As [`RepositoryConfig::support`], with the project's own name.
    ///
    /// # Errors
    /// [`NotSupported`] says why not.
    pub fn support(&self, own_names: &[&str]) -> Result<Supported, NotSupported> {
        self.repository.support(&self.name, own_names)
    }
}

/// Whether a host's name means this machine: one of the names that always do, or one of
/// `own_names`; capitals and spaces around don't count. Nothing is looked up.
#[must_use]
pub fn is_this_machine(host: &str, own_names: &[&str]) -> bool {
    let host = host.trim();
    !host.is_empty()
        && LOCAL_HOSTS.iter().chain(own_names).any(|name| name.trim().eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posix(host: &str, mountpoint: &str) -> RepositoryConfig {
        RepositoryConfig::Posix { host: host.to_owned(), mountpoint: mountpoint.to_owned() }
    }

    #[test]
    fn this_machine_has_many_names() {
        for host in
            ["localhost", "LOCALHOST", " 127.0.0.1 ", "::1", "0.0.0.0", "Scott", "scott.hrdag.org"]
        {
            assert!(is_this_machine(host, &["scott", "scott.hrdag.org"]), "{host}");
        }
        for host in ["", "   ", "8.8.8.8", "scot", "localhost.example.org"] {
            assert!(!is_this_machine(host, &["scott", ""]), "{host}");
        }
    }

    #[test]
    fn a_directory_of_this_machine_is_supported() {
        let supported = posix("localhost", "/srv/dsg").support("SV", &[]).expect("supported");
        assert_eq!(supported.path, "/srv/dsg/SV");
        assert_eq!(supported.host, None);
        assert_eq!(posix("me", "/").support("SV", &["ME"]).expect("supported").path, "/SV");
    }

    #[test]
    fn a_directory_of_another_machine_is_supported_and_names_it() {
        let supported = posix(" scott ", "/srv").support("p", &["me"]).expect("supported");
        assert_eq!((supported.path.as_str(), supported.host.as_deref()), ("/srv/p", Some("scott")));
    }

    #[test]
    fn everything_else_is_told_with_a_way_out() {
        let rclone = RepositoryConfig::Rclone { remote: "r:".to_owned(), path: "/x".to_owned() };
        let refusal = rclone.support("p", &[]).unwrap_err();
        assert!(refusal.to_string().contains("not in this version"));
        assert!(refusal.next_step().contains("type: posix"));
        let ipfs = RepositoryConfig::Ipfs { did: "did:key:z1".to_owned(), encrypted: true };
        assert!(ipfs.support("p", &[]).unwrap_err().next_step().contains("ipfs"));
    }
}

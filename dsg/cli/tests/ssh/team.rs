//! People with keys for an SSH server, and what they type.

use std::path::{Path, PathBuf};

use testkit::cli::{Outcome, PROJECT, Person, World};
use testkit::mount::lacks_commands;
use testkit::sshd::{HOST, Sshd};

pub(crate) const DSG: &str = env!("CARGO_BIN_EXE_dsg");

/// A server with a directory of repositories, and people with keys for it.
pub(crate) struct Team {
    pub(crate) world: World,
    pub(crate) sshd: Sshd,
    /// Where the repositories are.
    root: PathBuf,
}

/// Somebody, and their `ssh`.
pub(crate) struct Member {
    pub(crate) person: Person,
    pub(crate) ssh: String,
}

/// `None` where there is no SSH server to be started.
pub(crate) fn team() -> Option<Team> {
    if lacks_commands(&["sshd", "ssh", "ssh-keygen"]) {
        return None;
    }
    Some(Team::of(Sshd::new().expect("an SSH server"), None))
}

impl Team {
    /// On this server; the repositories are in `root`, or in a directory of the world.
    pub(crate) fn of(sshd: Sshd, root: Option<&Path>) -> Self {
        let world = World::new(DSG);
        let root = root.map_or_else(|| world.repositories().into(), Path::to_path_buf);
        Self { world, sshd, root }
    }

    pub(crate) fn member(&self, name: &str, role: &str) -> Member {
        let root = self.root.display();
        let forced =
            format!("{DSG} serve --stdio --root {root} --role {role} --user {name}@example.org");
        let ssh = self.sshd.admit(name, Some(&forced)).expect("a key");
        Member { person: self.world.person(name), ssh }
    }

    pub(crate) fn repository(&self) -> String {
        format!("{HOST}:{}", self.root.join(PROJECT).display())
    }

    /// Mary has made the repository and committed these files.
    pub(crate) fn started(&self, files: &[(&str, &str)]) -> Member {
        self.started_with(files, &[])
    }

    /// As [`started`](Self::started), with more options of `init`.
    pub(crate) fn started_with(&self, files: &[(&str, &str)], options: &[&str]) -> Member {
        let mary = self.member("mary", "maintainer");
        for (path, text) in files {
            mary.person.write(path, text);
        }
        let root = self.root.display().to_string();
        let init = [&["init", "--host", HOST, "--repository-path", &root], options].concat();
        mary.run(&init).succeeded();
        mary
    }

    pub(crate) fn clone(&self, name: &str, role: &str) -> Member {
        let member = self.member(name, role);
        member.run(&["-C", "..", "clone", &self.repository()]).succeeded();
        member
    }
}

impl Member {
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_by(&self.ssh, arguments)
    }

    /// By another `ssh` than their usual one.
    pub(crate) fn run_by(&self, ssh: &str, arguments: &[&str]) -> Outcome {
        let variables =
            [("DSG_SSH", ssh), ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")];
        self.person.run_with(arguments, "", &variables)
    }
}

//! A machine of its own for a server: a network namespace that is joined to this one by a pair of
//! devices, with an address on each side.

use std::io;
use std::net::Ipv4Addr;
use std::process::Command;

use rustix::fs::{FlockOperation, flock};

use crate::mount::{run, tool};

/// The addresses are the same each time, so there is one at a time on this machine.
const ALONE_LOCK: &str = "/tmp/dsg-test-network";
/// From the block for documentation: it is nobody's.
const HERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const THERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

/// A network namespace, until it is dropped.
#[derive(Debug)]
pub struct Namespace {
    name: String,
    _alone: std::fs::File,
}

impl Namespace {
    /// Makes one.
    ///
    /// # Errors
    /// When a tool fails.
    pub fn new() -> io::Result<Self> {
        let alone = std::fs::File::create(ALONE_LOCK)?;
        flock(&alone, FlockOperation::LockExclusive)?;
        let name = format!("dsgtest{}", std::process::id());
        ip(&format!("netns add {name}"))?;
        // From here on it is taken away again, whatever fails.
        let namespace = Self { name, _alone: alone };
        let (name, near, far) = (&namespace.name, namespace.device("a"), namespace.device("b"));
        for command in [
            format!("link add {near} type veth peer name {far} netns {name}"),
            format!("address add {HERE}/30 dev {near}"),
            format!("link set {near} up"),
            format!("-n {name} address add {THERE}/30 dev {far}"),
            format!("-n {name} link set {far} up"),
            format!("-n {name} link set lo up"),
        ] {
            ip(&command)?;
        }
        Ok(namespace)
    }

    /// The address of what runs in it.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        THERE
    }

    /// A command that runs a program in it.
    ///
    /// # Errors
    /// When `ip` is missing.
    pub fn command(&self, program: &str) -> io::Result<Command> {
        let ip = tool("ip").ok_or_else(|| io::Error::other("ip is missing"))?;
        let mut command = Command::new(ip);
        command.args(["netns", "exec", &self.name, program]);
        Ok(command)
    }

    /// The name of a device of the pair: at most 15 characters.
    fn device(&self, end: &str) -> String {
        format!("dt{}{end}", std::process::id())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The device here goes with the one there, but only once nothing uses the namespace any more.
        let _ = ip(&format!("link del {}", self.device("a")));
        let _ = ip(&format!("netns del {}", self.name));
    }
}

fn ip(words: &str) -> io::Result<()> {
    let words: Vec<&std::ffi::OsStr> = words.split(' ').map(AsRef::as_ref).collect();
    run("ip", &words).map(drop)
}

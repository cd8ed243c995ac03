//! A real SSH server for one test, on this machine, with keys of its own: nothing of the system's
//! configuration or of the user's is read.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::namespace::Namespace;
use crate::program;
use crate::relay::Relay;

/// The name by which the server is known in the `ssh` configurations that this makes. It is not this
/// machine's, so nobody takes a short cut.
pub const HOST: &str = "server.example";

/// The name under which its key is known, whatever way leads to it.
const HOST_KEY_NAME: &str = "key.example";
/// It insists on being called by its whole path.
const SSHD: &str = "/usr/sbin/sshd";

/// How long the server may take to listen, and how often that is looked at.
const START_MAX: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(10);

/// A running server.
pub struct Sshd {
    folder: tempfile::TempDir,
    address: SocketAddr,
    server: Child,
}

impl Sshd {
    /// Starts one in which nobody has a key yet.
    ///
    /// # Errors
    /// When a tool fails, or it does not listen.
    pub fn new() -> io::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self::listening(address, Command::new(SSHD))
    }

    /// Starts one on a machine of its own.
    ///
    /// # Errors
    /// When a tool fails, or it does not listen.
    pub fn in_namespace(namespace: &Namespace) -> io::Result<Self> {
        Self::listening(SocketAddr::from((namespace.address(), 22)), namespace.command(SSHD)?)
    }

    fn listening(address: SocketAddr, mut command: Command) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("dsg-test-").tempdir()?;
        let at = |name: &str| folder.path().join(name);
        // It separates its privileges there, and nobody makes the directory where no service is started.
        let _ = fs::create_dir("/run/sshd");
        key(&at("host"))?;
        let (host, port) = (address.ip(), address.port());
        let text = format!(
            "Port {port}\nListenAddress {host}\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin yes\nUseDNS no\nMaxStartups 100\nMaxSessions 100\n",
            at("host").display(),
            at("authorized").display(),
        );
        fs::write(at("sshd_config"), text)?;
        fs::write(at("authorized"), "")?;
        let public = fs::read_to_string(at("host.pub"))?;
        fs::write(at("known"), format!("{HOST_KEY_NAME} {public}"))?;
        command.arg("-D").arg("-f").arg(at("sshd_config")).arg("-E").arg(at("log"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = program::start(&mut command)?;
        let sshd = Self { folder, address, server };
        let mut waited = Duration::ZERO;
        while TcpStream::connect(address).is_err() {
            if waited > START_MAX {
                let log = fs::read_to_string(sshd.at("log")).unwrap_or_default();
                return Err(io::Error::other(format!("sshd does not listen: {log}")));
            }
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
        Ok(sshd)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// An `ssh` command of a person that goes by way of a relay.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn command_by(&self, person: &str, relay: &Relay) -> io::Result<String> {
        self.command(person, &format!("HostName 127.0.0.1\nPort {}", relay.port()))
    }

    /// Gives a person a key that starts `forced` whatever is asked for, or that may do anything without
    /// it. The answer is the `ssh` command of that person.
    ///
    /// # Errors
    /// When a tool fails.
    pub fn admit(&self, person: &str, forced: Option<&str>) -> io::Result<String> {
        let own = self.at(person);
        key(&own)?;
        let public = fs::read_to_string(own.with_extension("pub"))?;
        let mut all = fs::read_to_string(self.at("authorized"))?;
        if let Some(forced) = forced {
            let _ = write!(all, "restrict,command=\"{forced}\" ");
        }
        all.push_str(&public);
        fs::write(self.at("authorized"), all)?;
        self.command(person, "")
    }

    /// An `ssh` command of a person whose configuration has more lines. The first line for an option
    /// counts, and these come first.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn command(&self, person: &str, more: &str) -> io::Result<String> {
        let number = fs::read_dir(self.folder.path())?.count();
        let config = self.at(&format!("ssh_config-{person}-{number}"));
        let user = user_name()?;
        let text = format!(
            "Host *\n{more}\nHostName {}\nPort {}\nUser {user}\nIdentityFile {}\nIdentitiesOnly yes\n\
             HostKeyAlias {HOST_KEY_NAME}\nUserKnownHostsFile {}\nStrictHostKeyChecking yes\nBatchMode yes\nControlMaster no\n",
            self.address.ip(),
            self.address.port(),
            self.at(person).display(),
            self.at("known").display(),
        );
        fs::write(&config, text)?;
        Ok(format!("ssh -F {}", config.display()))
    }

    /// Gives the server another key, as if somebody else stood in its place.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn known_by_another_key(&self) -> io::Result<PathBuf> {
        let other = self.at("other-host");
        key(&other)?;
        let public = fs::read_to_string(other.with_extension("pub"))?;
        let known = self.at("known-by-another-key");
        fs::write(&known, format!("{HOST_KEY_NAME} {public}"))?;
        Ok(known)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn user_name() -> io::Result<String> {
    let output = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn key(path: &Path) -> io::Result<()> {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(path);
    let status = program::start(command.stdin(Stdio::null()))?.wait()?;
    if !status.success() {
        return Err(io::Error::other("ssh-keygen failed"));
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

//! Why there is no connection, or no more: each reason with what to do about it.
//!
//! `ssh` tells its own failures by the exit code 255 and a text for people. The text is looked at
//! only to choose the advice; all of it is shown.

use std::io;

use crate::error::{Code, Error};
use crate::remote::frame::{FrameError, Versions};

/// What the process at our end of the line had to say when it ended.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Its text.
    pub text: String,
    /// Its exit code.
    pub status: Option<i32>,
}

impl Said {
    fn has(&self, parts: &[&str]) -> bool {
        let text = self.text.to_lowercase();
        parts.iter().any(|part| text.contains(part))
    }

    fn why(&self, otherwise: impl std::fmt::Display) -> String {
        // Warnings come before what ended it.
        let lines: Vec<&str> =
            self.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.is_empty() {
            return otherwise.to_string();
        }
        let last = lines.len().saturating_sub(6);
        dsg_core::name::display_safe(&lines[last..].join("; "))
    }
}

/// The other side never said hello.
pub(super) fn no_hello(place: &str, error: &FrameError, said: &Said, program: &str) -> Error {
    if let FrameError::Noise(text) = error {
        return Error::new(Code::RemoteProgram, format!("something else than dsg answers on {place}"))
            .because(format!("it says: {}", dsg_core::name::display_safe(text)))
            .next(format!(
                "a login there must print nothing before its command runs: see that `ssh {place} true` prints nothing \
                 (often an `echo` in ~/.bashrc), and that `{program}` is dsg"
            ));
    }
    if said.status == Some(127)
        || said.has(&["command not found", "not found\n", "no such file or directory"])
            && !said.has(&["could not resolve", "identity file"])
    {
        return Error::new(Code::RemoteProgram, format!("there is no `{program}` on {place}"))
            .because(said.why("the login there does not find it"))
            .next(format!(
                "install dsg on {place}, in a directory that `ssh {place} 'echo $PATH'` shows, or name it: DSG_REMOTE_PROGRAM=/path/to/dsg"
            ));
    }
    if said.status == Some(2) && said.has(&["unrecognized subcommand", "unexpected argument"]) {
        return Error::new(Code::Protocol, format!("the dsg on {place} is too old"))
            .because(said.why("it does not know `serve`"))
            .next(format!("install the version on {place} that you have here"));
    }
    login(place, said, error)
}

fn login(place: &str, said: &Said, error: &dyn std::fmt::Display) -> Error {
    let why = said.why(error);
    if said.has(&[
        "host key verification failed",
        "host identification has changed",
        "host key for",
    ]) {
        return Error::new(Code::HostKey, format!("{place} does not prove to be the machine that is known by this name"))
            .because(why)
            .next(format!(
                "nothing was sent. If it was never used from here, log in once with `ssh {place}` and compare the fingerprint with \
                 the data manager's. If it is known and has changed, ask the data manager before you remove the old key with \
                 `ssh-keygen -R {place}`: somebody may be in between"
            ));
    }
    if said.has(&[
        "permission denied",
        "too many authentication failures",
        "no supported authentication",
    ]) {
        return Error::new(Code::LoginDenied, format!("{place} does not let you in"))
            .because(why)
            .next(format!(
                "see that `ssh {place}` works: the key must be loaded (`ssh-add -l`) and known there; user, port and key of a host \
                 belong in ~/.ssh/config"
            ));
    }
    if said.has(&["could not resolve", "name or service not known", "nodename nor servname"]) {
        return Error::new(Code::Connection, format!("there is no machine called {place}"))
            .because(why)
            .next(format!(
                "check the name {place} where it was given (in a project: `host:` in .dsgconfig.yml), and that you are in the right \
                 network (VPN?)"
            ));
    }
    if said.has(&[
        "connection refused",
        "timed out",
        "no route to host",
        "unreachable",
        "connection reset",
    ]) {
        return Error::new(Code::Connection, format!("{place} can't be reached"))
            .because(why)
            .next(format!(
                "check the network (VPN?) and try `ssh {place} true`; nothing was changed"
            ));
    }
    Error::new(Code::Connection, format!("the connection to {place} ended before it began"))
        .because(why)
        .next(format!("try `ssh {place} true`; nothing was changed"))
}

/// No version that both sides speak.
pub(super) fn versions(place: &str, other: Versions, program: &str) -> Error {
    let own = Versions::OWN;
    let older = if other.high < own.low { place } else { "this machine" };
    let span = |versions: Versions| match versions.low == versions.high {
        true => versions.low.to_string(),
        false => format!("{} to {}", versions.low, versions.high),
    };
    Error::new(Code::Protocol, format!("dsg here and dsg on {place} do not understand each other"))
        .because(format!(
            "this one speaks version {} of the protocol, `{}` over there {}",
            span(own),
            dsg_core::name::display_safe(program),
            span(other)
        ))
        .next(format!("install a newer dsg on {older}"))
}

/// The connection broke.
pub(super) fn lost(
    place: &str,
    end: Option<&FrameError>,
    error: Option<&io::Error>,
    said: &Said,
) -> Error {
    if let Some(FrameError::Malformed(why)) = end {
        return nonsense(place).because(why);
    }
    let otherwise = match (end, error) {
        (Some(end), _) => end.to_string(),
        (None, Some(error)) => error.to_string(),
        (None, None) => "it was closed".to_owned(),
    };
    Error::new(Code::Connection, format!("the connection to {place} broke"))
        .because(said.why(otherwise))
        .next("run the command again: what was begun is finished or forgotten, and what was transferred is used")
}

/// The other side has said nothing for minutes.
pub(super) fn silent(place: &str) -> Error {
    Error::new(Code::Connection, format!("{place} does not answer any more"))
        .next("check the network, then run the command again: what was transferred is used")
}

/// The other side said something that can't be.
pub(super) fn nonsense(place: &str) -> Error {
    Error::new(Code::Protocol, format!("what {place} answers makes no sense"))
        .next("install the same version of dsg on both sides; if that is so, tell the data manager: the server may be damaged")
}

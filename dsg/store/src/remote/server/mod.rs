//! The server side: `dsg serve --stdio`, started by sshd for one client.
//!
//! One request is answered after the other, in the order in which they came; a thread of its own
//! reads, so that a client that goes away is noticed while work is done. What the client sends is
//! believed in nothing: lengths are bounded, paths are keys, contents are hashed as they land, and
//! the repository judges a commit by what it has itself. Nothing outside the root can be named.

mod download;
mod incoming;
mod output;
mod place;
mod session;
mod upload;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use foundation_runtime::clock::Clock;

use self::incoming::Incoming;
use self::output::Output;
use self::place::Place;
use self::session::Session;
use super::frame::{FrameError, Versions, hello_bytes, read_hello};
use super::message::{Answer, ClientHello, ServerHello};
use super::wire::Bytes;
use crate::error::{Code, Error, Result};
use crate::repository::{Access, Repository, create_planned};

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read states and contents.
    Reader,
    /// Also commit. History can only grow by that.
    Writer,
    /// Also make repositories.
    Maintainer,
}

impl Role {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Maintainer => "maintainer",
        }
    }

    fn require(self, needed: Self, what: &str) -> Result<()> {
        if self >= needed {
            return Ok(());
        }
        Err(Error::new(Code::RoleDenied, format!("this key may not {what}"))
            .because(format!("its role is {}, that needs a {}", self.as_str(), needed.as_str()))
            .next(
                "ask the data manager for another role: it stands in authorized_keys on the server",
            ))
    }
}

/// How a client is served.
pub struct ServeOptions {
    /// Nothing outside of this directory can be reached; without it, what the user's rights allow.
    pub root: Option<PathBuf>,
    /// What the client may do.
    pub role: Role,
    /// Who the client is: the author of what it commits.
    pub author: String,
    /// The program and its version, for messages.
    pub program: String,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// Why a session ends, or what is answered.
enum Trouble {
    /// The client is told, and may go on.
    Answer(Error),
    /// There is nobody to be told.
    Gone(Error),
}

/// The result of serving a request.
type Served<T> = std::result::Result<T, Trouble>;

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Answer(error)
    }
}

/// Serves one client until it goes away.
///
/// # Errors
/// When the connection broke or the client did not speak the protocol; it was told what could be
/// told.
pub fn serve(
    mut input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    options: &ServeOptions,
) -> Result<()> {
    let output = Output::new(output);
    let hello = read_hello::<ClientHello>(&mut input);
    // Said in any case, so that a client of any version can tell its user what is here.
    let own = ServerHello { program: options.program.clone() };
    let gone = |trouble: Trouble| match trouble {
        Trouble::Answer(error) | Trouble::Gone(error) => error,
    };
    output.raw(&hello_bytes(Versions::OWN, &own)).map_err(gone)?;
    output.flush().map_err(gone)?;
    let (versions, hello) = hello.map_err(|error| not_understood(&error))?;
    if Versions::OWN.shared(versions).is_none() {
        return Err(Error::new(
            Code::Protocol,
            format!(
                "{} speaks versions {} to {} of the protocol",
                hello.program, versions.low, versions.high
            ),
        ));
    }
    let incoming = Incoming::start(input);
    output.keep_alive();
    let served = serve_hello(&hello, &incoming, &output, options);
    let result = match served {
        Ok(()) => Ok(()),
        Err(Trouble::Gone(error)) if error.code == Code::Interrupted => Ok(()),
        Err(Trouble::Gone(error)) => Err(error),
        Err(Trouble::Answer(error)) => {
            let _ = output.fail(0, &error);
            Err(error)
        }
    };
    let _ = output.flush();
    result
}

fn serve_hello(
    hello: &ClientHello,
    incoming: &Incoming,
    output: &Arc<Output>,
    options: &ServeOptions,
) -> Served<()> {
    let place = Place::find(options.root.as_deref(), &hello.path)?;
    match hello.action {
        1 => {}
        2 => {
            options.role.require(Role::Maintainer, "make repositories")?;
            let access = if hello.group { Access::Group } else { Access::Private };
            create_planned(&place.plan(hello)?, access, &*options.clock)?;
        }
        3 => {
            for listed in place.list()?.chunks(64) {
                output.send(0, &Answer::Repositories { repositories: listed.to_vec() })?;
            }
            output.send(0, &Answer::Done)?;
            return output.flush();
        }
        4 => {
            options.role.require(Role::Maintainer, "make repositories")?;
            output.send(0, &Answer::Planned { lines: place.plan(hello)?.lines() })?;
            return output.flush();
        }
        _ => {
            return Err(Error::new(
                Code::Protocol,
                "the client asks for something that is unknown here",
            )
            .next("install the same version of dsg on both sides")
            .into());
        }
    }
    let repository = place.open(&options.author, &options.clock)?;
    let description = serde_json::to_vec(repository.description()).map_err(|error| {
        Error::new(Code::RepositoryFormat, "repository.json can't be sent").because(error)
    })?;
    let answer = Answer::Opened {
        description: Bytes(description),
        location: repository.location(),
        role: options.role as u8,
        head: head_document(&*repository)?,
    };
    output.send(0, &answer)?;
    output.flush()?;
    Session::new(&*repository, incoming, output, options.role).run()
}

/// The newest document as it is stored: its bytes are what the chain hash is of.
fn head_document(repository: &dyn Repository) -> Result<Option<Bytes>> {
    let Some(head) = repository.head()? else { return Ok(None) };
    let documents = repository.documents(head.number, head.number)?;
    Ok(documents.into_iter().next().map(|(_, bytes)| Bytes(bytes)))
}

fn not_understood(error: &FrameError) -> Error {
    Error::new(Code::Protocol, "the client does not speak the protocol of dsg")
        .because(error)
        .next("`dsg serve` is started by dsg on the other side, not by hand")
}

fn unexpected(what: &str) -> Trouble {
    Trouble::Gone(Error::new(Code::Protocol, format!("a message came where it can't: {what}")))
}

/// The connection is gone. Nobody is there to be told.
fn gone() -> Trouble {
    Trouble::Gone(Error::interrupted())
}

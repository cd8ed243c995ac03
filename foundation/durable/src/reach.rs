//! What stands between this process and a database, in words: a pool that waits for a connection does
//! not say what each attempt ended with, and SQLite does not say which file.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::net::{TcpStream, UnixStream};

use crate::error::Error;

/// How long an attempt to connect may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where a PostgreSQL server listens.
#[derive(Clone, Debug)]
pub(crate) enum Server {
    Network { host: String, port: u16 },
    Socket(PathBuf),
}

impl Server {
    pub(crate) fn of(options: &PgConnectOptions) -> Self {
        let (host, port) = (options.get_host(), options.get_port());
        let named = |directory: &Path| directory.join(format!(".s.PGSQL.{port}"));
        match options.get_socket() {
            Some(directory) => Self::Socket(named(directory)),
            None if host.starts_with('/') => Self::Socket(named(Path::new(host))),
            None => Self::Network { host: host.to_owned(), port },
        }
    }

    /// Why nobody answers there; none if somebody does.
    pub(crate) async fn obstacle(&self) -> Option<Error> {
        let (place, tried) = match self {
            Self::Network { host, port } => (
                format!("{host}:{port}"),
                tokio::time::timeout(PATIENCE, async {
                    TcpStream::connect((host.as_str(), *port)).await.map(drop)
                })
                .await,
            ),
            Self::Socket(path) => (
                path.display().to_string(),
                tokio::time::timeout(PATIENCE, async { UnixStream::connect(path).await.map(drop) })
                    .await,
            ),
        };
        let reason = match tried {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "nobody answers".to_owned(),
        };
        Some(Error::Unavailable { what: format!("{place} is unreachable: {reason}") })
    }
}

/// Whether a SQLite database can lie at a place: waiting would not help if it can't.
pub(crate) fn place_for(file: &Path) -> Result<(), Error> {
    let wrong = |what: String| Err(Error::Settings { setting: "database.url", what });
    if file.is_dir() {
        return wrong(format!("{} is a directory, and a file belongs there", file.display()));
    }
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match directory.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => wrong(format!("{} is no directory", directory.display())),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            wrong(format!("the directory {} may not be entered: {error}", directory.display()))
        }
        Err(error) => wrong(format!(
            "the directory {} of the file {} is not there: {error}",
            directory.display(),
            file.display()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_needs_a_directory_that_is_there_and_the_error_names_it() {
        let folder = tempfile::tempdir().expect("a directory");
        assert!(place_for(&folder.path().join("a.db")).is_ok());
        assert!(place_for(Path::new("a.db")).is_ok());
        for path in [folder.path().to_owned(), folder.path().join("nope/a.db")] {
            let text = place_for(&path).expect_err("no place").to_string();
            assert!(text.contains(&path.display().to_string()), "{text}");
        }
    }

    #[tokio::test]
    async fn who_refuses_is_named_with_the_reason() {
        let server = |host: &str, port| Server::Network { host: host.to_owned(), port };
        let text = server("127.0.0.1", 1).obstacle().await.expect("refused").to_string();
        assert!(text.contains("127.0.0.1:1 is unreachable: Connection refused"), "{text}");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        assert!(server("127.0.0.1", port).obstacle().await.is_none());
        let socket = Server::Socket("/nowhere/.s.PGSQL.5432".into());
        assert!(socket.obstacle().await.expect("none there").to_string().contains("/nowhere/"));
    }
}

//! The ground that replicas stand on: a database of each kind, empty, and a data directory.

use std::path::Path;

use foundation_durable::migration::{Look, State, look};
use foundation_durable::{Database, DatabaseSettings};
use sysndd_app::state::migrations;
use testkit::{mount, postgres};

/// Which kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    Pooler,
}

pub(crate) struct Ground {
    folder: tempfile::TempDir,
    /// What the replicas get.
    pub(crate) url: String,
    /// The same database without a pooler.
    pub(crate) direct: String,
    pub(crate) kind: Kind,
}

impl Ground {
    /// None where the tools are missing, which is then said.
    pub(crate) fn new(kind: Kind) -> Option<Self> {
        let folder = mount::folder().expect("a folder");
        let (url, direct) = match kind {
            Kind::Sqlite => {
                let url = format!("sqlite:{}", folder.path().join("sysndd.db").display());
                (url.clone(), url)
            }
            Kind::Postgres => {
                let url = postgres::cluster()?.database();
                (url.clone(), url)
            }
            Kind::Pooler => {
                let pooler = postgres::pooler()?;
                let direct = postgres::cluster()?.database();
                (pooler.through(&direct), direct)
            }
        };
        Some(Self { folder, url, direct, kind })
    }

    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    /// The program for this ground.
    pub(crate) fn sysndd(&self) -> std::process::Command {
        let mut command = super::process::sysndd(&self.url, self.data());
        if self.kind == Kind::Pooler {
            command.env("SYSNDD_DATABASE_POOLER", "true");
        }
        command
    }

    /// Looks at the schema, as this test program, not as the one under test.
    pub(crate) fn look(&self) -> Look {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let settings = DatabaseSettings::new(self.direct.clone());
            let database = Database::open(&settings).await.expect("settings");
            let look = look(&database, &migrations().expect("files")).await.expect("a look");
            database.close().await;
            look
        })
    }

    pub(crate) fn state(&self) -> State {
        self.look().state
    }

    /// Brings it to the present schema.
    pub(crate) fn migrate(&self) {
        let output = self.sysndd().args(["migrate", "apply"]).output().expect("sysndd");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        assert_eq!(self.state(), State::Current);
    }

    /// Writes to the history, as no migration would.
    pub(crate) fn execute(&self, sql: &'static str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let settings = DatabaseSettings::new(self.direct.clone());
            let database = Database::open(&settings).await.expect("settings");
            let mut transaction = database.write().await.expect("a transaction");
            let statement = foundation_durable::Statement { name: "test", sql };
            transaction.execute(&statement, &[]).await.expect("a statement");
            transaction.commit().await.expect("a commit");
            database.close().await;
        });
    }
}

/// Whether the program under test can be killed, stopped and held. Says so if not.
#[expect(clippy::print_stdout, reason = "the words that the test script counts")]
pub(crate) fn has_faults() -> bool {
    if cfg!(feature = "faults") {
        return true;
    }
    println!("skipped: needs the feature sysndd-app/faults");
    false
}

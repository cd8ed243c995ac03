//! `sysndd serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use foundation_durable::Database;
use foundation_runtime::exit::Exit;

use crate::settings::Settings;
use crate::state::State;
use crate::{server, ui};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The data directory
    #[arg(long, value_name = "DIRECTORY", default_value = "data")]
    data: PathBuf,
    /// Where the site and its API answer
    #[arg(long, value_name = "ADDRESS")]
    public: Option<SocketAddr>,
    /// Where health and metrics answer
    #[arg(long, value_name = "ADDRESS")]
    operations: Option<SocketAddr>,
}

pub(super) async fn run(arguments: Arguments) -> Exit {
    let mut settings = Settings::for_data(arguments.data);
    settings.public = arguments.public.unwrap_or(settings.public);
    settings.operations = arguments.operations.unwrap_or(settings.operations);
    let database = match Database::open(&settings.database).await {
        Ok(database) => database,
        Err(error) => {
            ui::error(&format!("{error}; {}", error.next_step()));
            return error.exit();
        }
    };
    server::run(State::new(database, settings)).await
}

//! `sysndd serve`.

use clap::Args;
use foundation_runtime::exit::Exit;
use foundation_runtime::log::{self, Output};

use super::Flags;
use crate::settings::Settings;
use crate::state::State;
use crate::{server, ui};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where pages and API answer
    #[arg(long, value_name = "ADDRESS")]
    public: Option<String>,
    /// Where health and metrics answer
    #[arg(long, value_name = "ADDRESS")]
    operations: Option<String>,
    /// At start: migrate (auto), wait for another process to do it, or neither (off)
    #[arg(long, value_name = "MODE")]
    migrate: Option<String>,
}

impl Arguments {
    pub(super) fn flags(&self) -> Flags {
        let flags = [
            ("public.address", "--public", &self.public),
            ("operations.address", "--operations", &self.operations),
            ("migrate", "--migrate", &self.migrate),
        ];
        let given = flags.into_iter();
        given.filter_map(|(key, flag, value)| Some((key, flag, value.clone()?))).collect()
    }
}

pub(super) async fn run(settings: Settings) -> Exit {
    log::start(settings.log_format, &settings.log_level, Output::Standard);
    if let Err(exit) = super::data_directory(&settings) {
        return exit;
    }
    let (database, migrations, coordinator) = match super::database(&settings).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    match State::new(database, settings, migrations, coordinator.status()) {
        Ok(state) => server::run(state, coordinator).await,
        Err(error) => {
            ui::error(&format!("no random bytes for the name of this run: {error}"));
            Exit::Machine
        }
    }
}

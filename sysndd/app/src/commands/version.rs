//! `sysndd version`.

use clap::Args;
use foundation_runtime::exit::Exit;
use serde_json::json;

use crate::{state, ui};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print one JSON value
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    if !arguments.json {
        ui::line(&format!("sysndd {version}"));
        return Exit::Success;
    }
    let latest = state::migrations().map_or(0, |migrations| migrations.latest());
    ui::line(
        &json!({ "schema": "sysndd.version/1", "version": version, "schema_version": latest })
            .to_string(),
    );
    Exit::Success
}

//! `sysndd config explain`.

use clap::{Args, Subcommand};
use foundation_runtime::configuration::Configuration;
use foundation_runtime::exit::Exit;
use serde_json::{Map, json};

use crate::settings::{KEYS, PREFIX};
use crate::ui;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// All keys, their values and where each came from; secrets are not shown
    Explain {
        /// Print one JSON value
        #[arg(long)]
        json: bool,
    },
    /// Nothing, if the configuration is in order; else what is wrong
    Check,
}

pub(super) fn run(arguments: &Arguments, configuration: &Configuration) -> Exit {
    // Whoever is here has a configuration without problems.
    let Command::Explain { json } = arguments.command else {
        return Exit::Success;
    };
    if json {
        let keys: Map<String, serde_json::Value> = configuration
            .entries()
            .map(|(name, entry)| {
                (
                    name.to_owned(),
                    json!({ "value": entry.shown(), "origin": entry.origin.to_string() }),
                )
            })
            .collect();
        ui::line(&json!({ "schema": "sysndd.config.explain/1", "keys": keys }).to_string());
        return Exit::Success;
    }
    for (name, entry) in configuration.entries() {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            continue;
        };
        ui::line(&format!("{name} = {}", entry.shown()));
        ui::line(&format!("    from {}; {}", entry.origin, key.variable(PREFIX)));
        ui::line(&format!("    {}", key.help));
    }
    Exit::Success
}

//! `sysndd migrate status|apply|verify`.

use clap::{Args, Subcommand};
use foundation_durable::migration::{
    Look, Mode, State, broken_postconditions, damage, lock_holder, look,
};
use foundation_runtime::exit::Exit;
use foundation_runtime::log::{self, Output};
use serde_json::json;

use crate::settings::Settings;
use crate::ui;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON value
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Command {
    /// What is applied and what is missing; changes nothing
    Status,
    /// Apply what is missing, once, however many do it at the same time
    Apply,
    /// Check what is applied: checksums, what each migration says must be true, and SQLite's file
    Verify,
}

pub(super) async fn run(arguments: Arguments, settings: Settings) -> Exit {
    // Who wants JSON gets nothing else on standard output.
    let output = if arguments.json { Output::Error } else { Output::Standard };
    let level = match arguments.command {
        Command::Apply => settings.log_level.as_str(),
        Command::Status | Command::Verify => "warn",
    };
    log::start(settings.log_format, level, output);
    match arguments.command {
        Command::Status => status(&settings, arguments.json).await,
        Command::Apply => apply(&settings, arguments.json).await,
        Command::Verify => verify(&settings, arguments.json).await,
    }
}

async fn status(settings: &Settings, json: bool) -> Exit {
    let (database, migrations, _) = match super::database(settings).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let looked = async {
        let look = look(&database, &migrations).await?;
        let open = matches!(look.state, State::Empty | State::Pending);
        let holder = if open { lock_holder(&database).await? } else { None };
        Ok::<_, foundation_durable::Error>((look, holder))
    };
    let (look, holder) = match looked.await {
        Ok(found) => found,
        Err(error) => {
            ui::error(&format!("{error}; {}", error.next_step()));
            return error.exit();
        }
    };
    if json {
        ui::line(&json!({ "schema": "sysndd.migrate.status/1", "engine": database.engine().name(), "look": look, "holder": holder }).to_string());
    } else {
        ui::line(&format!(
            "{}: {} applied, {} pending",
            look.state.name(),
            look.applied.len(),
            look.pending.len()
        ));
        for row in &look.applied {
            ui::line(&format!(
                "  applied  {}  {}  by {} in {} ms",
                row.name, row.applied_at, row.instance, row.milliseconds
            ));
        }
        for name in &look.pending {
            ui::line(&format!("  pending  {name}"));
        }
        if let Some(holder) = holder {
            ui::line(&format!("  migrating: {holder}"));
        }
        if !look.detail.is_empty() {
            ui::line(&look.detail);
        }
    }
    exit_of(&look)
}

/// A status that a script can tell: 0 if this program can serve, 4 if something is to be done.
const fn exit_of(look: &Look) -> Exit {
    match look.state {
        State::Drifted | State::Dirty => Exit::Integrity,
        State::Unknown => Exit::Repository,
        _ if look.serves => Exit::Success,
        _ => Exit::Refused,
    }
}

async fn apply(settings: &Settings, json: bool) -> Exit {
    if settings.database.url.starts_with("sqlite:")
        && let Err(exit) = super::data_directory(settings)
    {
        return exit;
    }
    let (_, _, coordinator) = match super::database(settings).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    match coordinator.run(Mode::Auto).await {
        Ok(outcome) => {
            if json {
                ui::line(
                    &json!({
                        "schema": "sysndd.migrate.apply/1",
                        "state": outcome.state.name(),
                        "fast_path": outcome.fast_path,
                        "lock_acquired": outcome.lock_acquired,
                        "applied": outcome.applied,
                    })
                    .to_string(),
                );
            }
            Exit::Success
        }
        Err(failure) => {
            ui::error(&failure.to_string());
            failure.exit()
        }
    }
}

async fn verify(settings: &Settings, json: bool) -> Exit {
    let (database, migrations, _) = match super::database(settings).await {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let checked = async {
        // First, as whatever else is asked may be what lies on the damaged page.
        let damage = damage(&database).await?;
        let look = look(&database, &migrations).await?;
        let broken = match damage.is_empty() {
            true => broken_postconditions(&database, &migrations, &look.applied).await?,
            false => Vec::new(),
        };
        Ok::<_, foundation_durable::Error>((look, broken, damage))
    };
    let (look, broken, damage) = match checked.await {
        Ok(found) => found,
        Err(error) => {
            ui::error(&format!("{error}; {}", error.next_step()));
            return error.exit();
        }
    };
    if json {
        ui::line(&json!({ "schema": "sysndd.migrate.verify/1", "state": look.state, "detail": look.detail, "broken": broken, "damage": damage }).to_string());
    } else {
        for (file, step, question) in &broken {
            ui::line(&format!("{file}, step `{step}`: not true any more: {question}"));
        }
        for line in &damage {
            ui::line(&format!("the database is damaged: {line}"));
        }
        if !look.detail.is_empty() {
            ui::line(&look.detail);
        }
        if damage.is_empty() {
            ui::line(&format!(
                "{}: {} applied, {} postconditions do not hold",
                look.state.name(),
                look.applied.len(),
                broken.len()
            ));
        } else {
            ui::error("the database is damaged; restore it from a backup");
        }
    }
    if broken.is_empty() && damage.is_empty() { exit_of(&look) } else { Exit::Integrity }
}

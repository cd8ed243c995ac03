//! The commands: one file each. All of them read the same configuration.

mod config;
mod health;
mod import;
mod manual;
mod migrate;
mod serve;
mod version;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use foundation_durable::Database;
use foundation_durable::migration::{Coordinator, Migrations};
use foundation_runtime::clock::SystemClock;
use foundation_runtime::configuration::{Configuration, Sources};
use foundation_runtime::exit::Exit;
use foundation_runtime::machine;

use crate::settings::{FILE_VARIABLE, Settings};
use crate::{state, ui};

/// The curated database of gene-inheritance-disease relationships in neurodevelopmental disorders.
#[derive(Debug, Parser)]
#[command(name = "sysndd", version, arg_required_else_help = true, after_help = AFTER)]
struct Arguments {
    #[command(flatten)]
    configuration: ConfigurationArguments,
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "Every key of the configuration can also be set in the environment: database.url is \
     SYSNDD_DATABASE_URL, and SYSNDD_DATABASE_URL_FILE names a file that holds it. \
     `sysndd config explain` lists all keys with their values and where these came from.";

/// Options that every command has.
#[derive(Debug, Args)]
struct ConfigurationArguments {
    /// The configuration file (TOML); else the one that SYSNDD_CONFIG names
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory
    #[arg(long, global = true, value_name = "DIRECTORY")]
    data: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer requests: pages, API, health
    Serve(serve::Arguments),
    /// Look at the schema of the database, or bring it up to date
    Migrate(migrate::Arguments),
    /// Load data from elsewhere
    Import(import::Arguments),
    /// Ask a running server whether it is ready: exit code 0 or 1
    Health(health::Arguments),
    /// Look at the configuration
    Config(config::Arguments),
    /// Print the version
    Version(version::Arguments),
    /// Print the completions for a shell
    Completions(manual::CompletionArguments),
    /// Print the manual page
    Man,
}

/// Runs what the command line asks for.
#[must_use]
pub fn run() -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let usage = error.use_stderr();
            let _ = error.print();
            return if usage { Exit::Usage } else { Exit::Success };
        }
    };
    let given = &arguments.configuration;
    match arguments.command {
        Command::Serve(arguments) => {
            started(given, arguments.flags(), |loaded| serve::run(loaded.settings))
        }
        Command::Migrate(arguments) => {
            started(given, Vec::new(), |loaded| migrate::run(arguments, loaded.settings))
        }
        Command::Import(arguments) => {
            started(given, Vec::new(), |loaded| import::run(arguments, loaded.settings))
        }
        Command::Health(arguments) => {
            let configured = || load(given, Vec::new()).map(|loaded| loaded.settings.operations);
            match arguments.address(configured) {
                Ok(url) => health::run(&arguments, &url),
                // Nothing else than 0 and 1 may come of it.
                Err(_) => Exit::Unexpected,
            }
        }
        Command::Config(arguments) => match load(given, Vec::new()) {
            Ok(loaded) => config::run(&arguments, &loaded.configuration),
            Err(exit) => exit,
        },
        Command::Version(arguments) => version::run(&arguments),
        Command::Completions(arguments) => manual::completions(&arguments, Arguments::command()),
        Command::Man => manual::man(Arguments::command()),
    }
}

/// Key, option and value.
type Flags = Vec<(&'static str, &'static str, String)>;

/// What was read.
struct Loaded {
    settings: Settings,
    configuration: Configuration,
}

fn load(given: &ConfigurationArguments, mut flags: Flags) -> Result<Loaded, Exit> {
    if let Some(data) = &given.data {
        flags.push(("data.directory", "--data", data.clone()));
    }
    let named = given.config.clone().or_else(|| std::env::var_os(FILE_VARIABLE).map(PathBuf::from));
    let file = match named {
        None => None,
        Some(path) => match std::fs::read_to_string(&path) {
            Ok(text) => Some((path, text)),
            Err(error) => {
                ui::error(&format!(
                    "the configuration file {} can't be read: {error}",
                    path.display()
                ));
                return Err(Exit::Configuration);
            }
        },
    };
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    match Settings::load(&Sources { file, environment, flags }) {
        Ok((settings, configuration)) => Ok(Loaded { settings, configuration }),
        Err(problems) => {
            for problem in problems {
                ui::error(&problem.to_string());
            }
            Err(Exit::Configuration)
        }
    }
}

/// Reads the configuration and runs `work` on the runtime.
fn started<F: Future<Output = Exit>>(
    given: &ConfigurationArguments,
    flags: Flags,
    work: impl FnOnce(Loaded) -> F,
) -> Exit {
    let loaded = match load(given, flags) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            ui::error(&format!("threads can't be started: {error}"));
            return Exit::Machine;
        }
    };
    let exit = runtime.block_on(work(loaded));
    // A name that is still being looked up, say, holds nobody up.
    runtime.shutdown_background();
    exit
}

/// Opens the database and makes its coordinator.
async fn database(settings: &Settings) -> Result<(Database, Arc<Migrations>, Coordinator), Exit> {
    let database = Database::open(&settings.database).await.map_err(|error| {
        ui::error(&format!("{error}; {}", error.next_step()));
        error.exit()
    })?;
    let migrations = state::migrations().map_err(|problem| {
        ui::error(&problem.to_string());
        Exit::Unexpected
    })?;
    let migrations = Arc::new(migrations);
    let coordinator = Coordinator::new(
        settings.database.clone(),
        database.clone(),
        Arc::clone(&migrations),
        Arc::new(SystemClock::new()),
        env!("CARGO_PKG_VERSION"),
        format!("{}:{}", machine::name(), std::process::id()),
    );
    Ok((database, migrations, coordinator))
}

/// The data directory can be written, or it is said what to do.
fn data_directory(settings: &Settings) -> Result<(), Exit> {
    machine::writable_directory(&settings.data).map_err(|error| {
        ui::error(&format!("{error}; {}", error.next_step()));
        Exit::Machine
    })
}

//! `sysndd import hpo RELEASE`.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use foundation_durable::migration::State;
use foundation_runtime::clock::{Clock as _, SystemClock};
use foundation_runtime::exit::Exit;
use foundation_runtime::interrupt::Interrupt;
use foundation_runtime::log::{self, Output};
use serde::Serialize;
use sysndd_store::import::{Changes, Error, Release, Report, load};

use crate::settings::Settings;
use crate::ui;
use crate::ui::progress::Progress;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON value
    #[arg(long, global = true)]
    json: bool,
    /// Show no progress
    #[arg(long, short, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Load a release of the Human Phenotype Ontology, with the HGNC table and the names of Mondo
    #[command(after_help = AFTER)]
    Hpo {
        /// The folder with the files
        #[arg(value_name = "RELEASE")]
        directory: PathBuf,
    },
}

const AFTER: &str = "The folder holds hp.obo, phenotype.hpoa and genes_to_phenotype.txt of one release, unaltered, the HGNC \
     table (hgnc_entries.tsv or hgnc_complete_set.txt) and Mondo's names (mondo.json or mondo.sssom.tsv); or it is the folder \
     `sample` of this project. What is there already is left as it is, and what a person curated is never changed, so the \
     command can be run again at any time. Categories are computed from the number of publications: they are not curated, \
     and the site says so.";

#[derive(Serialize)]
struct Printed<'a> {
    schema: &'static str,
    changed: bool,
    #[serde(flatten)]
    report: &'a Report,
}

pub(super) async fn run(arguments: Arguments, settings: Settings) -> Exit {
    log::start(settings.log_format, "warn", Output::Error);
    let Command::Hpo { directory } = arguments.command;
    let interrupt = match Interrupt::install() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            ui::error(&format!("signals can't be heard: {error}"));
            return Exit::Machine;
        }
    };
    if settings.database.url.starts_with("sqlite:")
        && let Err(exit) = super::data_directory(&settings)
    {
        return exit;
    }
    let progress = Progress::new(interrupt, arguments.quiet || arguments.json);
    let report = match import(directory, &settings, progress).await {
        Ok(report) => report,
        Err(exit) => return exit,
    };
    if arguments.json {
        let changed = report.changes.any();
        let printed = Printed { schema: "sysndd.import/1", changed, report: &report };
        match serde_json::to_string(&printed) {
            Ok(text) => ui::line(&text),
            Err(error) => {
                ui::error(&format!("the report can't be written as JSON: {error}"));
                return Exit::Unexpected;
            }
        }
    } else {
        ui::line(&text(&report));
    }
    Exit::Success
}

async fn import(
    directory: PathBuf,
    settings: &Settings,
    progress: Progress,
) -> Result<Report, Exit> {
    let refused = |error: Error| {
        ui::error(&format!("{error}; {}", error.next_step()));
        error.exit()
    };
    // The files first: a wrong folder must not even make a database.
    let read = tokio::task::spawn_blocking(move || {
        Release::read(&directory, &progress).map(|release| (release, progress))
    });
    let (release, progress) = match read.await {
        Ok(read) => read.map_err(refused)?,
        Err(error) => {
            ui::error(&format!("reading the files ended early: {error}"));
            return Err(Exit::Unexpected);
        }
    };
    let (database, _, coordinator) = super::database(settings).await?;
    let outcome = coordinator.run(settings.migrate).await.map_err(|failure| {
        ui::error(&failure.to_string());
        failure.exit()
    })?;
    if outcome.state != State::Current {
        ui::error(&format!(
            "the schema is {}; bring it up to date with `sysndd migrate apply`",
            outcome.state.name()
        ));
        return Err(Exit::Refused);
    }
    load(&database, &release, SystemClock::new().now(), &progress).await.map_err(refused)
}

/// The report for people.
fn text(report: &Report) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        let _ = writeln!(text, "{words}");
    };
    for source in &report.sources {
        line(format!("{}: release {}; {}", source.name, source.release, source.licence));
    }
    let (ndd, all, found) = (&report.neurodevelopmental, &report.loaded, &report.found);
    line(format!(
        "{} neurodevelopmental entities of {} genes and {} diseases, with {} terms and {} publications (before the join with HGNC: {}, {}, {}, {})",
        ndd.entities,
        ndd.genes,
        ndd.diseases,
        ndd.terms,
        ndd.publications,
        found.entities,
        found.genes,
        found.diseases,
        found.terms
    ));
    line(format!(
        "{} entities with the other diseases of these genes; {} of {} diseases have no name in Mondo",
        all.entities, report.diseases_without_name, all.diseases
    ));
    line(format!("Categories: {}.", report.category));
    for refused in &report.refused {
        let name = refused.symbol.as_deref().unwrap_or("no symbol");
        line(format!(
            "Refused: gene {} ({name}) with {} and {}: not in the HGNC table",
            refused.ncbi_gene_id, refused.disease_id, refused.inheritance_id
        ));
    }
    for (count, what) in [
        (report.left_alone, "entities are left alone: somebody curated or deactivated them"),
        (report.not_in_release, "entities of an earlier import are not in this release; they stay"),
    ] {
        if count > 0 {
            line(format!("{count} {what}"));
        }
    }
    line(summary(&report.changes, report.unchanged, report.data_version));
    text.truncate(text.trim_end().len());
    text
}

fn summary(changes: &Changes, unchanged: u64, version: i64) -> String {
    if !changes.any() {
        return format!(
            "Nothing changed: all {unchanged} entities are as this release has them. Data version {version}."
        );
    }
    format!(
        "Added {} entities, replaced {} entities, {} reviews and {} categories; {unchanged} unchanged; {} rows of terms, genes, diseases and publications. Data version {version}.",
        changes.entities_added,
        changes.entities_replaced,
        changes.reviews_replaced,
        changes.statuses_replaced,
        changes.references
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_that_changed_nothing_says_so() {
        let said = summary(&Changes::default(), 243, 2);
        assert!(said.starts_with("Nothing changed: all 243 entities"), "{said}");
        let changes = Changes { entities_added: 3, ..Changes::default() };
        assert!(summary(&changes, 0, 2).starts_with("Added 3 entities"));
    }
}

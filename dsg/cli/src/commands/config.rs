//! `dsg config`: showing, checking and changing configuration.

use clap::{Args, Subcommand};
use dsg_core::config::{
    Notice, Origin, PROJECT_FILE, ProjectFile, Sourced, USER_VALUE_KEYS, UserConfig,
};
use dsg_store::error::{Error, Result};
use dsg_store::project::{Project, find_root};
use foundation_runtime::Exit;
use serde_json::{Value, json};

use crate::context::{Context, open_project};
use crate::ui::{Tone, safe};
use crate::user_file;

const EXAMPLES: &str = "\
Examples
  dsg config set user_id you@example.org   who you are, in your own dsg.yml
  dsg config show --origin                 every value, and where it comes from
  dsg config validate                      both files, and whether the repository can be reached

docs/configuration.md explains every key.";

/// Show, check or change configuration
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    Show(ShowArgs),
    Validate(ValidateArgs),
    Set(SetArgs),
}

/// Show the values that count here
#[derive(Debug, Args)]
struct ShowArgs {
    /// Show where each value comes from
    #[arg(long)]
    origin: bool,
}

/// Check the project's file, yours, and the way to the repository
#[derive(Debug, Args)]
struct ValidateArgs {
    /// Do not look for the repository
    #[arg(long)]
    no_repository: bool,
}

/// Set a value in your own dsg.yml
#[derive(Debug, Args)]
struct SetArgs {
    /// user_name, user_id, default_host, default_project_path, local_log or backup_on_conflict
    key: String,
    /// The value
    value: String,
}

/// Runs the part that was asked for.
pub(crate) fn run(args: &ConfigArgs, context: &Context) -> Result<Exit> {
    match &args.command {
        ConfigCommand::Show(args) => show(args, context),
        ConfigCommand::Validate(args) => validate(args, context),
        ConfigCommand::Set(args) => set(args, context),
    }
}

/// A key with its value and where that comes from.
struct Shown {
    key: String,
    value: Value,
    origin: String,
}

fn show(args: &ShowArgs, context: &Context) -> Result<Exit> {
    let project = find_root(&context.directory).map(|root| open_project(&root)).transpose()?;
    let user = context.user()?;
    let groups = [
        (
            "project",
            project.as_ref().map(|project| project_values(&project.file)).unwrap_or_default(),
        ),
        ("user", user_values(user)),
    ];
    let ui = &context.ui;
    let mut result = serde_json::Map::new();
    result.insert("schema".to_owned(), json!("dsg.config/1"));
    for (group, values) in groups {
        let width = values.iter().map(|shown| shown.key.len()).max().unwrap_or(0);
        for Shown { key, value, origin } in &values {
            let text = format!("{key:<width$}  {}", safe(&plain(value)));
            ui.line(if args.origin {
                format!("{text}  {}", ui.paint(Tone::Faint, format_args!("({})", safe(origin))))
            } else {
                text
            });
        }
        let values: Vec<Value> = values
            .into_iter()
            .map(|shown| json!({ "key": shown.key, "value": shown.value, "origin": shown.origin }))
            .collect();
        result.insert(group.to_owned(), Value::Array(values));
    }
    result.insert(
        "project_root".to_owned(),
        json!(project.as_ref().map(|project| project.root.path())),
    );
    result.insert("user_files".to_owned(), json!(user.files));
    ui.json(&Value::Object(result));
    Ok(Exit::Success)
}

/// A value as people write it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", "))
        }
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

fn project_values(file: &ProjectFile) -> Vec<Shown> {
    let config = &file.config;
    let mut values = vec![("name".to_owned(), json!(config.name))];
    for (key, value) in config.repository.fields() {
        values.push((format!("repository.{key}"), json!(value.to_string())));
    }
    values.push(("data_dirs".to_owned(), json!(config.data_dirs)));
    values.push(("ignore.paths".to_owned(), json!(config.ignore.paths)));
    values.push(("ignore.names".to_owned(), json!(config.ignore.names)));
    values.push(("ignore.suffixes".to_owned(), json!(config.ignore.suffixes)));
    let origin =
        |key: &str| file.origins.iter().find(|known| known.key == key).map(|known| &known.origin);
    let shown =
        |(key, value): (String, Value)| Shown { origin: origin_text(origin(&key)), key, value };
    values.into_iter().map(shown).collect()
}

fn origin_text(origin: Option<&Origin>) -> String {
    match origin {
        Some(Origin::Written { key, line: Some(line) }) => {
            format!("{PROJECT_FILE}, line {line}: {key}")
        }
        Some(Origin::Written { key, line: None }) => format!("{PROJECT_FILE}: {key}"),
        Some(Origin::Assumed) => "assumed, as the old tool did".to_owned(),
        Some(Origin::Default) | None => "default".to_owned(),
    }
}

fn user_values(user: &UserConfig) -> Vec<Shown> {
    let text = |key: &str, value: &Option<Sourced<String>>| Shown {
        key: key.to_owned(),
        value: json!(value.as_ref().map(|sourced| &sourced.value)),
        origin: value.as_ref().map_or("not set".to_owned(), |sourced| sourced.origin.to_string()),
    };
    vec![
        text("user_name", &user.user_name),
        text("user_id", &user.user_id),
        text("default_host", &user.default_host),
        text("default_project_path", &user.default_project_path),
        text("local_log", &user.local_log),
        Shown {
            key: "backup_on_conflict".to_owned(),
            value: json!(user.backup_on_conflict.value),
            origin: user.backup_on_conflict.origin.to_string(),
        },
    ]
}

/// One thing that was checked.
struct Check {
    name: &'static str,
    what: String,
    result: std::result::Result<(), Error>,
}

fn validate(args: &ValidateArgs, context: &Context) -> Result<Exit> {
    let mut checks = Vec::new();
    let mut notices: Vec<Notice> = Vec::new();
    let project = check_project(context, &mut checks, &mut notices);
    check_user(context, &mut checks, &mut notices);
    if let Some(project) = project.filter(|_| !args.no_repository) {
        let what = project.place().map_or("the repository".to_owned(), |place| place.to_string());
        let result = context.repository_for_reading(&project).map(|_| ());
        checks.push(Check { name: "repository", what, result });
    }
    print_checks(context, &checks, &notices);
    let failed = checks.iter().find_map(|check| check.result.as_ref().err());
    Ok(failed.map_or(Exit::Success, |error| crate::ui::exit_of(error.code.class())))
}

fn check_project(
    context: &Context,
    checks: &mut Vec<Check>,
    notices: &mut Vec<Notice>,
) -> Option<Project> {
    let Some(root) = find_root(&context.directory) else {
        context
            .ui
            .notice(format_args!("no {PROJECT_FILE} at {} or above", context.directory.display()));
        return None;
    };
    let what = root.join(PROJECT_FILE).display().to_string();
    match open_project(&root) {
        Ok(project) => {
            notices.extend(project.file.notices.iter().cloned());
            checks.push(Check { name: "project", what, result: Ok(()) });
            Some(project)
        }
        Err(error) => {
            checks.push(Check { name: "project", what, result: Err(error) });
            None
        }
    }
}

fn check_user(context: &Context, checks: &mut Vec<Check>, notices: &mut Vec<Notice>) {
    match context.user() {
        Ok(user) => {
            notices.extend(user.notices.iter().cloned());
            let what = match user.files.as_slice() {
                [] => "no dsg.yml".to_owned(),
                files => files.join(", "),
            };
            checks.push(Check { name: "user", what, result: context.author().map(|_| ()) });
        }
        Err(error) => {
            checks.push(Check { name: "user", what: "dsg.yml".to_owned(), result: Err(error) });
        }
    }
}

fn print_checks(context: &Context, checks: &[Check], notices: &[Notice]) {
    let ui = &context.ui;
    for check in checks {
        let word = match &check.result {
            Ok(()) => ui.paint(Tone::Good, "ok     "),
            Err(_) => ui.paint(Tone::Bad, "problem"),
        };
        ui.line(format_args!("{word}  {:<10}  {}", check.name, safe(&check.what)));
        if let Err(error) = &check.result {
            ui.show(error);
        }
    }
    for notice in notices.iter().filter(|_| !ui.is_json()) {
        ui.notice(safe(&notice.what));
        ui.say(format_args!("  next: {}", notice.next_step));
        for line in notice.replacement.iter().flat_map(|text| text.lines()) {
            ui.line(format_args!("    {}", safe(line)));
        }
    }
    let checks: Vec<Value> = checks.iter().map(check_json).collect();
    let notices: Vec<Value> = notices
        .iter()
        .map(|notice| json!({ "what": notice.what, "next": notice.next_step, "replacement": notice.replacement }))
        .collect();
    ui.json(&json!({ "schema": "dsg.config/1", "checks": checks, "notices": notices }));
}

fn check_json(check: &Check) -> Value {
    let error = check.result.as_ref().err();
    json!({
        "name": check.name,
        "what": check.what,
        "ok": error.is_none(),
        "code": error.map(|error| error.code.as_str()),
        "problem": error.map(|error| &error.what),
        "why": error.map(|error| &error.why),
        "next": error.map(|error| &error.next),
    })
}

fn set(args: &SetArgs, context: &Context) -> Result<Exit> {
    let path = user_file::set(&[(&args.key, &args.value)])?;
    let ui = &context.ui;
    ui.line(format_args!("{} is set in {}", args.key, path.display()));
    // Another file or a variable may count more than what was written.
    if let Some(other) = counts_more(context, &args.key, &path.display().to_string())? {
        ui.notice(format_args!("what counts for {} is still {}", args.key, safe(&other)));
    }
    ui.json(
        &json!({ "schema": "dsg.config/1", "key": args.key, "value": args.value, "file": path }),
    );
    Ok(Exit::Success)
}

fn counts_more(context: &Context, key: &str, written: &str) -> Result<Option<String>> {
    let real = |origin: &str| {
        std::fs::canonicalize(origin).map_or(origin.to_owned(), |path| path.display().to_string())
    };
    let user = context.user()?;
    let known = USER_VALUE_KEYS.contains(&key);
    let shown = user_values(user).into_iter().find(|shown| known && shown.key == key);
    Ok(shown.map(|shown| shown.origin).filter(|origin| {
        let file = origin.rsplit_once(", line ").map_or(origin.as_str(), |(file, _)| file);
        real(file) != real(written)
    }))
}

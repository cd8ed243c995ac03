//! What `dsg init` is to make: from options, the user's defaults, an existing configuration, and
//! questions, in this order.

use std::path::{Path, PathBuf};

use dsg_core::config::{
    PROJECT_FILE, ProjectConfig, RepositoryConfig, RepositoryType, Sourced, UserConfig,
    new_project_text, parse_project,
};
use dsg_store::error::{Code, Error, Result};
use dsg_store::project::Place;
use dsg_store::remote::RemoteRepository;
use dsg_store::repository::{Access, Plan, plan};
use dsg_store::system::machine_name;

use super::InitArgs;
use crate::context::{Context, configuration_error, lexically_normal, read_user, ssh};
use crate::joining::refuse_nested;

/// What is to be made.
pub(super) struct Wanted {
    /// The project's directory.
    pub(super) root: PathBuf,
    /// What its configuration says.
    pub(super) config: ProjectConfig,
    /// The text of its configuration; `None` when the file is there already.
    pub(super) text: Option<String>,
    /// Where the repository is to be.
    pub(super) repository: Place,
    /// What has to be made for it on this machine.
    pub(super) plan: Option<Plan>,
    /// What a person should know of what will be made, a line each.
    pub(super) plan_lines: Vec<String>,
    /// Who may read it.
    pub(super) access: Access,
    /// What is to be written into the user's own file.
    pub(super) identity: Vec<(&'static str, String)>,
    /// Whether somebody is there to be asked.
    pub(super) asks: bool,
}

/// Finds out what is to be made.
///
/// # Errors
/// When something is missing, wrong, or not possible.
pub(super) fn wanted(args: &InitArgs, context: &Context) -> Result<Wanted> {
    refuse_unsupported_type(args)?;
    let user = read_user()?;
    let asks = !args.no_interactive && (args.interactive || context.ui.can_ask());
    let ask = Asking { context, asks, missing: Vec::new() };
    let root = context.directory.clone();
    let (config, text, access, identity) = match existing(&root)? {
        Some(config) => {
            refuse_contradictions(args, context, &config)?;
            let (access, identity) = (args.access.into(), identity(args, &user, ask)?);
            (config, None, access, identity)
        }
        None => new(args, context, &user, ask)?,
    };
    let supported = config.support(&[&machine_name()]).map_err(|error| {
        Error::new(Code::NotSupported, error.to_string()).next(error.next_step())
    })?;
    let (repository, plan, plan_lines) = match supported.host {
        Some(host) => {
            let lines = RemoteRepository::plan(&ssh(&host), &supported.path, &config.repository)?;
            (Place::There { host, path: supported.path }, None, lines)
        }
        None => {
            let path = PathBuf::from(supported.path);
            refuse_nested(&root, &path)?;
            let plan = plan(&config.repository, &path)?;
            let lines = plan.lines();
            (Place::Here(path), Some(plan), lines)
        }
    };
    Ok(Wanted { root, config, text, repository, plan, plan_lines, access, identity, asks })
}

type Parts = (ProjectConfig, Option<String>, Access, Vec<(&'static str, String)>);

fn new(
    args: &InitArgs,
    context: &Context,
    user: &UserConfig,
    mut ask: Asking<'_>,
) -> Result<Parts> {
    let own_name = context.directory.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = ask.text("Name of the project", args.name.clone(), own_name, "--name")?;
    let default = user.default_project_path.as_ref().map(|path| path.value.clone());
    let given = args.repository_path.as_ref().map(|path| path.display().to_string());
    let mountpoint =
        ask.text("Directory that holds the repositories", given, default, "--repository-path")?;
    let data_dirs = match &args.data_dirs {
        Some(data_dirs) => data_dirs.clone(),
        None if ask.asks => {
            let answer = ask.text(
                "Data directories",
                None,
                Some("input,output,frozen".to_owned()),
                "--data-dirs",
            )?;
            answer.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
        None => Vec::new(),
    };
    let identity = identity(args, user, ask)?;
    let host = args
        .host
        .clone()
        .or_else(|| value(&user.default_host))
        .unwrap_or_else(|| "localhost".to_owned());
    let mountpoint = lexically_normal(&context.directory.join(mountpoint)).display().to_string();
    let kind = repository_type(args)?;
    let zfs = args.pool.as_deref().map(|pool| (pool, args.mode.into()));
    let text = new_project_text(&name, kind, &host, &mountpoint, &data_dirs, zfs)
        .map_err(|error| configuration_error(&error))?;
    let config = parse_project(&text).map_err(|error| configuration_error(&error))?.config;
    Ok((config, Some(text), args.access.into(), identity))
}

/// What has to be written into the user's file, so that changes can be signed.
fn identity(
    args: &InitArgs,
    user: &UserConfig,
    mut ask: Asking<'_>,
) -> Result<Vec<(&'static str, String)>> {
    let keys = [
        ("user_name", "Your name", "--user-name", &args.user_name, &user.user_name),
        (
            "user_id",
            "Your e-mail address, which signs your changes",
            "--user-id",
            &args.user_id,
            &user.user_id,
        ),
    ];
    let mut written = Vec::new();
    for (key, question, flag, given, known) in keys {
        match (given, known) {
            (Some(given), Some(known)) if *given != known.value => {
                return Err(Error::new(
                    Code::Usage,
                    format!("{flag} says {given}, but you are {}", known.value),
                )
                .because(format!("{} says so", known.origin))
                .next(format!("leave {flag} out, or run `dsg config set {key} …` first")));
            }
            (_, Some(_)) => {}
            (given, None) => written.push((key, ask.text(question, given.clone(), None, flag)?)),
        }
    }
    ask.finish()?;
    Ok(written)
}

fn value(sourced: &Option<Sourced<String>>) -> Option<String> {
    sourced.as_ref().map(|sourced| sourced.value.clone())
}

/// Asks where somebody is there; else collects what is missing, so that it is told at once.
struct Asking<'a> {
    context: &'a Context,
    asks: bool,
    missing: Vec<&'static str>,
}

impl Asking<'_> {
    fn text(
        &mut self,
        question: &str,
        given: Option<String>,
        default: Option<String>,
        flag: &'static str,
    ) -> Result<String> {
        match (given, default) {
            (Some(given), _) => Ok(given),
            (None, default) if self.asks => {
                self.context.ui.ask(question, default.as_deref(), &self.context.interrupt)
            }
            (None, Some(default)) => Ok(default),
            (None, None) => {
                self.missing.push(flag);
                Ok(String::new())
            }
        }
    }

    fn finish(self) -> Result<()> {
        if self.missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(Code::Usage, format!("missing: {}", self.missing.join(", ")))
            .because("nobody can be asked: there is no terminal, or --no-interactive was given")
            .next("give these options; `dsg init --help` explains them"))
    }
}

/// What the configuration says that is there already.
fn existing(root: &Path) -> Result<Option<ProjectConfig>> {
    let path = root.join(PROJECT_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let file = parse_project(&text).map_err(|error| configuration_error(&error))?;
            Ok(Some(file.config))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Error::new(Code::Configuration, format!("{} can't be read", path.display()))
                .because(error))
        }
    }
}

/// Options that the existing configuration does not agree with.
fn refuse_contradictions(args: &InitArgs, context: &Context, config: &ProjectConfig) -> Result<()> {
    let fields = config.repository.fields();
    let field = |wanted: &str| {
        fields
            .iter()
            .find(|(key, _)| *key == wanted)
            .map(|(_, value)| value.to_string())
            .unwrap_or_default()
    };
    let mountpoint = args
        .repository_path
        .as_ref()
        .map(|path| lexically_normal(&context.directory.join(path)).display().to_string());
    let data_dirs = args.data_dirs.as_ref().map(|data_dirs| data_dirs.join(", "));
    let pairs = [
        ("name", args.name.clone(), config.name.clone()),
        ("repository.type", args.kind.clone(), field("type")),
        ("repository.host", args.host.clone(), field("host")),
        ("repository.pool", args.pool.clone(), field("pool")),
        ("repository.mountpoint", mountpoint, field("mountpoint")),
        ("data_dirs", data_dirs, config.data_dirs.join(", ")),
    ];
    let contradictions: Vec<String> = pairs
        .into_iter()
        .filter_map(|(key, given, known)| {
            let given = given.filter(|given| *given != known)?;
            Some(format!("{key}: {known} in the file, {given} in the options"))
        })
        .collect();
    if contradictions.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        Code::ProjectExists,
        format!("there is a {PROJECT_FILE} here already, and it says something else"),
    )
    .about(contradictions)
    .next("leave these options out to use the file as it is, or edit the file"))
}

/// The type of the repository; `posix` when none is given.
fn repository_type(args: &InitArgs) -> Result<RepositoryType> {
    let Some(word) = &args.kind else { return Ok(RepositoryType::Posix) };
    RepositoryType::from_word(word).ok_or_else(|| {
        let known: Vec<_> = RepositoryType::ALL.iter().map(|kind| kind.as_str()).collect();
        Error::new(Code::Usage, format!("there is no repository type {word}")).next(format!(
            "take posix, a directory of any file system; known are {}",
            known.join(", ")
        ))
    })
}

/// Types that can be configured but not worked with are refused before anything else is asked.
fn refuse_unsupported_type(args: &InitArgs) -> Result<()> {
    let mountpoint =
        args.repository_path.as_ref().map_or("DIR".to_owned(), |path| path.display().to_string());
    let repository = match repository_type(args)? {
        RepositoryType::Posix
        | RepositoryType::Xfs
        | RepositoryType::Zfs
        | RepositoryType::Btrfs => return Ok(()),
        RepositoryType::Rclone => {
            RepositoryConfig::Rclone { remote: String::new(), path: mountpoint }
        }
        RepositoryType::Ipfs => RepositoryConfig::Ipfs { did: String::new(), encrypted: true },
    };
    match repository.support("", &[&machine_name()]) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(Error::new(Code::NotSupported, error.to_string()).next(error.next_step()))
        }
    }
}

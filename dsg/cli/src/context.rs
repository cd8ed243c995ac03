//! Where the program stands: the directory, the project around it, who the user is.
//!
//! What costs or can fail is found when it is first asked for, so that a command that needs no user
//! or no project works without one.

use std::cell::OnceCell;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use dsg_core::config::{
    BACKUP_ON_CONFLICT_VARIABLE, ConfigError, PROJECT_FILE, USER_ID_VARIABLE, USER_NAME_VARIABLE,
    UserConfig, UserLayer, parse_project, resolve_user, user_layer_paths,
};
use dsg_core::path::RepoPath;
use dsg_store::error::{Code, Error, Result};
use dsg_store::project::{Place, Project, find_root, no_project};
use dsg_store::remote::{RemoteRepository, Ssh};
use dsg_store::repository::{LocalRepository, Repository, open};
use foundation_runtime::{Clock, Interrupt};

use crate::ui::{Progress, Ui};

/// What every command is given.
pub(crate) struct Context {
    /// Where the user stands: absolute, without links.
    pub(crate) directory: PathBuf,
    /// Tells the time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Says when to stop.
    pub(crate) interrupt: Interrupt,
    /// Prints and asks.
    pub(crate) ui: Ui,
    user: OnceCell<UserConfig>,
}

impl Context {
    /// A context for the working directory, or for `directory` below it.
    ///
    /// # Errors
    /// When that directory does not exist.
    pub(crate) fn new(
        directory: Option<&Path>,
        ui: Ui,
        clock: Arc<dyn Clock>,
        interrupt: Interrupt,
    ) -> Result<Self> {
        let wanted = directory.unwrap_or(Path::new("."));
        let directory =
            wanted.canonicalize().ok().filter(|found| found.is_dir()).ok_or_else(|| {
                Error::new(
                    Code::NotFound,
                    format!("{} is no directory that can be used", wanted.display()),
                )
                .next("give an existing directory with -C")
            })?;
        Ok(Self { directory, clock, interrupt, ui, user: OnceCell::new() })
    }

    /// The project that the user stands in.
    ///
    /// # Errors
    /// When there is none, or its configuration is wrong.
    pub(crate) fn project(&self) -> Result<Project> {
        let root = find_root(&self.directory).ok_or_else(|| no_project(&self.directory))?;
        open_project(&root)
    }

    /// Who the user is and how they like to work.
    ///
    /// # Errors
    /// When one of the files can't be read: none is skipped.
    pub(crate) fn user(&self) -> Result<&UserConfig> {
        if let Some(user) = self.user.get() {
            return Ok(user);
        }
        let user = read_user()?;
        Ok(self.user.get_or_init(|| user))
    }

    /// The name under which changes are made.
    ///
    /// # Errors
    /// When the user never said who they are.
    pub(crate) fn author(&self) -> Result<String> {
        let identity = self.user()?.identity().map_err(|error| configuration_error(&error))?;
        Ok(identity.id.to_owned())
    }

    /// The project's repository, to change it.
    ///
    /// # Errors
    /// When it can't be opened, or the user never said who they are.
    pub(crate) fn repository(&self, project: &Project) -> Result<Box<dyn Repository>> {
        self.open(project, &self.author()?)
    }

    /// The project's repository, only to read it: that needs no name.
    ///
    /// # Errors
    /// When it can't be opened.
    pub(crate) fn repository_for_reading(&self, project: &Project) -> Result<Box<dyn Repository>> {
        self.open(project, &self.author().unwrap_or_default())
    }

    fn open(&self, project: &Project, author: &str) -> Result<Box<dyn Repository>> {
        match project.place()? {
            Place::Here(path) => self.open_here(&path, author),
            Place::There { host, path } => {
                let repository = RemoteRepository::open(&ssh(&host), &path)?;
                Ok(Box::new(repository.keeping_chunks(project.dsg()?)))
            }
        }
    }

    /// A repository of this machine.
    ///
    /// # Errors
    /// As [`open`].
    pub(crate) fn open_here(&self, path: &Path, author: &str) -> Result<Box<dyn Repository>> {
        open(path, author, Arc::clone(&self.clock))
    }

    /// What the user means by a place: `HOST:PATH`, or a directory of this machine.
    ///
    /// # Errors
    /// When it is an address as browsers know them, or the host's name holds a user or a port.
    pub(crate) fn place(&self, given: &Path) -> Result<Place> {
        let text = given.to_str().unwrap_or_default();
        if text.contains("://") {
            return Err(Error::new(Code::Usage, format!("{text} is no place that dsg knows"))
                .because("a place is a directory of this machine, or HOST:DIR")
                .next("write /DIR or HOST:/DIR"));
        }
        match text.split_once(':') {
            Some((host, path)) if !host.is_empty() && !host.contains('/') => {
                if host.contains('@') || host.starts_with('-') {
                    return Err(Error::new(Code::Usage, format!("{host} is no host's name")).next(
                        "user and port belong in ~/.ssh/config; write the host's name alone",
                    ));
                }
                Ok(Place::There { host: host.to_owned(), path: path.to_owned() })
            }
            _ => Ok(Place::Here(lexically_normal(&self.directory.join(given)))),
        }
    }

    /// The directory of the project's repository, for what only a directory of this machine can answer.
    ///
    /// # Errors
    /// When it can't be opened.
    pub(crate) fn local_repository(&self, project: &Project) -> Result<LocalRepository> {
        let author = self.author().unwrap_or_default();
        project.local_repository(&author, Arc::clone(&self.clock))
    }

    /// What long work reports to; it shows progress where that is wanted.
    pub(crate) fn monitor(&self) -> Progress {
        self.ui.progress(self.interrupt.clone())
    }

    /// The date and time in UTC, RFC 3339, to the second.
    pub(crate) fn now_in_seconds(&self) -> String {
        let now = self.clock.now();
        now.round(jiff::Unit::Second).unwrap_or(now).to_string()
    }

    /// The mark that a copy which is kept gets in its name: `20261121T074202+0000`.
    pub(crate) fn backup_stamp(&self) -> String {
        self.clock.now().strftime("%Y%m%dT%H%M%S+0000").to_string()
    }

    /// The key of a path that the user gave, relative to where they stand; `None` is the project's
    /// root itself.
    ///
    /// # Errors
    /// When it lies outside the project or can't be a key.
    pub(crate) fn path_in_project(
        &self,
        project: &Project,
        given: &Path,
    ) -> Result<Option<RepoPath>> {
        let wrong = |why: &str| {
            Error::new(Code::Usage, format!("{} can't be a path of this project", given.display()))
                .because(why)
                .next(format!("give a path below {}", project.root.path().display()))
        };
        let absolute = lexically_normal(&self.directory.join(given));
        let below = match absolute.strip_prefix(project.root.path()) {
            Ok(below) => below.to_owned(),
            Err(_) => below_by_links(&absolute, project.root.path())
                .ok_or_else(|| wrong("it lies outside the project"))?,
        };
        let text = below.to_str().ok_or_else(|| wrong("it is no UTF-8 text"))?;
        if text.is_empty() {
            return Ok(None);
        }
        RepoPath::from_spelling(text).map(Some).map_err(|why| wrong(&why.to_string()))
    }

    /// As [`path_in_project`](Self::path_in_project), for commands that need a file.
    ///
    /// # Errors
    /// Also when it is the project's root.
    pub(crate) fn repo_path(&self, project: &Project, given: &Path) -> Result<RepoPath> {
        self.path_in_project(project, given)?.ok_or_else(|| {
            Error::new(Code::Usage, format!("{} is the project itself", given.display()))
                .next("give the path of a file in it")
        })
    }
}

/// The way to another machine: the user's own `ssh`.
pub(crate) fn ssh(host: &str) -> Ssh {
    let (command, program) = (variable("DSG_SSH"), variable("DSG_REMOTE_PROGRAM"));
    Ssh::new(host, command.as_deref(), program.as_deref())
}

/// Opens the project at `root`; what is wrong with its configuration is told with the next steps.
///
/// # Errors
/// When there is none, or its configuration is wrong.
pub(crate) fn open_project(root: &Path) -> Result<Project> {
    if let Ok(text) = std::fs::read_to_string(root.join(PROJECT_FILE)) {
        parse_project(&text).map_err(|error| configuration_error(&error))?;
    }
    Project::open(root)
}

/// What is wrong with a configuration, as the rest of the program knows errors.
pub(crate) fn configuration_error(error: &ConfigError) -> Error {
    let steps: Vec<&str> =
        error.problems.iter().map(|problem| problem.next_step.as_str()).collect();
    Error::new(Code::Configuration, error.to_string()).next(steps.join("\n"))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The files that may say who the user is, lowest first.
pub(crate) fn user_files() -> Vec<String> {
    let [home, xdg, own] = ["HOME", "XDG_CONFIG_HOME", "DSG_CONFIG_HOME"].map(variable);
    user_layer_paths(home.as_deref(), xdg.as_deref(), own.as_deref())
}

/// Reads who the user is, anew.
///
/// # Errors
/// When one of the files can't be read: none is skipped.
pub(crate) fn read_user() -> Result<UserConfig> {
    let mut layers = Vec::new();
    for origin in user_files() {
        match std::fs::read_to_string(&origin) {
            Ok(text) => layers.push(UserLayer { origin, text }),
            Err(error) if is_absent(&error) => {}
            Err(error) => {
                return Err(Error::new(Code::Configuration, format!("{origin} can't be read"))
                    .because(error)
                    .next("make it readable, or remove it"));
            }
        }
    }
    let environment: Vec<(String, String)> =
        [USER_NAME_VARIABLE, USER_ID_VARIABLE, BACKUP_ON_CONFLICT_VARIABLE]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), variable(name)?)))
            .collect();
    resolve_user(&layers, &environment).map_err(|error| configuration_error(&error))
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// The path without `.` and `..`, by its text alone: the file need not exist (any more).
pub(crate) fn lexically_normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// The part below `root` of a path that reaches it through a link outside of the project. What is
/// inside the project is never resolved: a link there is an entry of its own.
fn below_by_links(path: &Path, root: &Path) -> Option<PathBuf> {
    path.ancestors().find_map(|ancestor| {
        let real = ancestor.canonicalize().ok()?;
        (real == root).then(|| path.strip_prefix(ancestor).ok().map(Path::to_owned))?
    })
}

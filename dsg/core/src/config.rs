//! The two files that people write: a project's `.dsgconfig.yml` and a person's `dsg.yml`.
//!
//! Text comes in, values go out; which files there are and what the environment holds is for the
//! caller to find out. Three promises hold for both files: nothing in them is ignored in silence
//! (an unknown key is an error with a suggestion), all problems are told at once, each with its
//! place and a next step, and every value can tell where it comes from. `docs/configuration.md`
//! is the reference for users.

mod document;
mod edit;
mod error;
mod layers;
mod legacy;
mod origin;
mod project;
mod repository;
mod section;
mod selection;
mod support;
mod user;
mod values;
mod write;

#[cfg(test)]
mod documentation;
#[cfg(test)]
mod vectors;

pub use edit::set_user_value;
pub use error::{ConfigError, Notice, Place, Problem, ProblemKind};
pub use layers::{
    BACKUP_ON_CONFLICT_VARIABLE, USER_ID_VARIABLE, USER_NAME_VARIABLE, UserLayer, resolve_user,
};
pub use origin::{KeyOrigin, Origin};
pub use project::{Form, PROJECT_FILE, ProjectConfig, ProjectFile, parse_project};
pub use repository::{FieldValue, RepositoryConfig, RepositoryType, ZfsMode};
pub use selection::{
    DEFAULT_DATA_DIRS, DEFAULT_IGNORED_NAMES, DEFAULT_IGNORED_SUFFIXES, IgnoreConfig,
};
pub use support::{NotSupported, Supported, is_this_machine};
pub use user::{
    Identity, SYSTEM_USER_FILE, Sourced, USER_VALUE_KEYS, UserConfig, user_layer_paths,
};
pub use write::{new_project_text, to_yaml};

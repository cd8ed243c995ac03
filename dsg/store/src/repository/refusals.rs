//! The errors by which a repository refuses a commit, in words.

use dsg_core::path::RepoPath;
use dsg_core::tree;

use crate::error::{Code, Error};

pub(super) fn foreign(path: &RepoPath, why: &str) -> Error {
    Error::new(Code::ForeignEdit, format!("{path} was changed in the repository without dsg"))
        .because(why)
        .about([path])
        .next("nothing was changed. `dsg doctor --adopt PATH` makes that file a new version, `dsg doctor --restore PATH` puts the last version back")
}

pub(super) fn tree_error(error: tree::TreeError<Error>) -> Error {
    match error {
        tree::TreeError::Store(error) => error,
        other @ tree::TreeError::Damaged { .. } => {
            Error::new(Code::TreeDamaged, "a manifest object can't be used")
                .because(other)
                .next("run `dsg validate-chain` to see what is affected")
        }
    }
}

pub(super) fn edit_error(error: tree::EditError<Error, Error>) -> Error {
    match error {
        tree::EditError::Tree(error) => tree_error(error),
        tree::EditError::Store(error) => error,
        tree::EditError::NotATree { path } => {
            Error::new(Code::NotATree, format!("{path} would be a file and a directory at once"))
                .about([path])
                .next("rename one of them, then sync again")
        }
        other @ (tree::EditError::NotSorted { .. } | tree::EditError::TextTooLong { .. }) => {
            Error::new(Code::Usage, "this commit can't be made").because(other)
        }
    }
}

//! What `init` and `clone` share: where a project and its repository may lie, and the advice about git.

use std::path::{Path, PathBuf};

use dsg_core::config::{PROJECT_FILE, ProjectConfig};
use dsg_core::tracked::{CONFLICTS_FILE, RuleLists, Rules};
use dsg_store::error::{Code, Error, Result};
use dsg_store::project::find_root;

use crate::context::Context;
use crate::ui::safe;

/// The rules of a configuration that is not a project's yet.
///
/// # Errors
/// When a rule could never mean what its writer thought.
pub(crate) fn rules(config: &ProjectConfig) -> Result<Rules> {
    let lists = RuleLists {
        data_dirs: config.data_dirs.clone(),
        ignore_paths: config.ignore.paths.clone(),
        ignore_names: config.ignore.names.clone(),
        ignore_suffixes: config.ignore.suffixes.clone(),
    };
    Rules::new(&lists).map_err(|error| {
        Error::new(Code::Configuration, format!("the rules in {PROJECT_FILE} don't work"))
            .because(error)
            .next("correct that rule; docs/configuration.md shows what is possible")
    })
}

/// A project inside its repository, or the other way round, would be its own data.
///
/// # Errors
/// When one lies in the other.
pub(crate) fn refuse_nested(project: &Path, repository: &Path) -> Result<()> {
    let (project, repository) = (real(project), real(repository));
    if !project.starts_with(&repository) && !repository.starts_with(&project) {
        return Ok(());
    }
    Err(Error::new(Code::Usage, "the project and its repository can't lie in one another")
        .because(format!(
            "the project is {}, the repository {}",
            project.display(),
            repository.display()
        ))
        .next("give the repository a directory of its own, outside the project"))
}

/// The path with links resolved as far as it exists.
fn real(path: &Path) -> PathBuf {
    let found = path.ancestors().find_map(|ancestor| {
        let real = ancestor.canonicalize().ok()?;
        Some(real.join(path.strip_prefix(ancestor).unwrap_or(Path::new(""))))
    });
    found.unwrap_or_else(|| path.to_owned())
}

/// Tells of a project that this one lies in: its next sync may take these files for its own.
pub(crate) fn tell_of_outer(context: &Context, root: &Path) {
    let Some(outer) = root.parent().and_then(find_root) else { return };
    context.ui.notice(format_args!(
        "{} is a project too; this one lies inside it, and its next sync takes what its data_dirs cover here: \
         ignore.paths of its {PROJECT_FILE} can leave it out",
        outer.display()
    ));
}

/// In a git working tree, says what git should leave to dsg. Nothing is written: `.gitignore` is the
/// user's.
pub(crate) fn advise_about_git(context: &Context, root: &Path, config: &ProjectConfig) {
    let missing = missing_from_gitignore(root, config);
    if missing.is_empty() {
        return;
    }
    context.ui.say("This is a git working tree. Commit .dsgconfig.yml; git should leave these to dsg, so add to .gitignore:");
    for line in missing {
        context.ui.say(format_args!("  {}", safe(&line)));
    }
}

/// The lines that `.gitignore` lacks; none outside of git.
fn missing_from_gitignore(root: &Path, config: &ProjectConfig) -> Vec<String> {
    if !root.join(".git").exists() {
        return Vec::new();
    }
    let present = std::fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    let data = config.data_dirs.iter().filter(|name| *name != "*").map(|name| format!("{name}/"));
    let wanted = [".dsg/".to_owned(), CONFLICTS_FILE.to_owned()].into_iter().chain(data);
    let bare = |line: &str| line.trim().trim_matches('/').to_owned();
    wanted.filter(|line| !present.lines().any(|known| bare(known) == bare(line))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsg_core::config::parse_project;

    #[test]
    fn project_and_repository_must_not_lie_in_one_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |path: &str| folder.path().join(path);
        std::fs::create_dir_all(at("project")).expect("made");
        std::os::unix::fs::symlink(at("project"), at("other-name")).expect("linked");
        for (project, repository, fine) in [
            ("project", "repositories/project", true),
            ("project", "project-2", true),
            ("project", "project", false),
            ("project", "project/repositories/x", false),
            ("project", "other-name/x", false),
            ("project/deep", "project", false),
        ] {
            let result = refuse_nested(&at(project), &at(repository));
            assert_eq!(result.is_ok(), fine, "{project} {repository}");
        }
    }

    #[test]
    fn git_is_told_only_what_it_does_not_know() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "name: p\nrepository: {type: posix, host: localhost, mountpoint: /x}\ndata_dirs: [input]\n";
        let config = parse_project(text).expect("a configuration").config;
        assert!(missing_from_gitignore(folder.path(), &config).is_empty());
        std::fs::create_dir(folder.path().join(".git")).expect("made");
        let all = missing_from_gitignore(folder.path(), &config);
        assert_eq!(all, [".dsg/", "conflicts.txt", "input/"]);
        std::fs::write(folder.path().join(".gitignore"), "/.dsg\ninput\n").expect("written");
        assert_eq!(missing_from_gitignore(folder.path(), &config), ["conflicts.txt"]);
    }
}

//! Which texts of symbolic links are allowed.
//!
//! A link is kept as its text and never followed by dsg. The text may only lead to a place inside
//! the project: elsewhere it would mean another thing on each machine, and a file of a stranger on
//! some. It is resolved by the text alone, as if no directory on the way were itself a link, and
//! it may not go above the root at any step, even if it comes back.
//!
//! The legacy tool counted the link's own name as a directory and so let a text go one step too
//! far; and it dropped absolute links in silence. Here they are refused aloud.

use crate::entry::TEXT_BYTES_MAX;
use crate::name::display_safe;
use crate::path::{self, RepoPath};

/// Directories of dsg itself; no link may lead into them.
const OWN_DIRECTORIES: [&str; 2] = [".dsg", ".dsg-repository"];

/// Why a link is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    /// No text.
    #[error("the link has no target")]
    Empty,
    /// A NUL in the text.
    #[error("the link's target has a NUL")]
    Nul,
    /// Longer than a file system takes.
    #[error("the link's target is too long: {0} bytes, at most {TEXT_BYTES_MAX} are possible")]
    TooLong(usize),
    /// Starts with a slash; even a path inside the project is another one elsewhere.
    #[error(
        "the link's target `{}` is absolute, which means something else on another machine",
        display_safe(.0)
    )]
    Absolute(String),
    /// Goes above the project's root, now or in between.
    #[error("the link's target `{}` leaves the project", display_safe(.0))]
    Leaves(String),
    /// Goes into or through `.dsg` or `.dsg-repository`.
    #[error("the link's target `{}` leads into a directory of dsg itself", display_safe(.0))]
    IntoDsg(String),
}

/// Where an allowed link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkVerdict {
    /// The path inside the project, spelled as in the text; empty for the root.
    pub resolved: String,
    /// Whether it lies below a hidden name. That is allowed, but such things take no part, so the
    /// link will lead nowhere on another machine.
    pub hidden: bool,
}

/// Judges the text of the link at `link_path`. The text itself is never changed.
///
/// # Errors
/// [`BadLink`] says what is wrong.
pub fn check(link_path: &RepoPath, target: &str) -> Result<LinkVerdict, BadLink> {
    if target.is_empty() {
        return Err(BadLink::Empty);
    }
    if target.len() > TEXT_BYTES_MAX {
        return Err(BadLink::TooLong(target.len()));
    }
    if target.contains('\0') {
        return Err(BadLink::Nul);
    }
    if target.starts_with('/') {
        return Err(BadLink::Absolute(target.to_owned()));
    }
    let mut here: Vec<&str> = link_path.directory().split('/').filter(|c| !c.is_empty()).collect();
    for component in target.split('/') {
        match component {
            "" | "." => {}
            ".." => {
                if here.pop().is_none() {
                    return Err(BadLink::Leaves(target.to_owned()));
                }
            }
            // A file system that ignores case would take `.DSG` for it.
            name if OWN_DIRECTORIES.contains(&path::fold(name).as_str()) => {
                return Err(BadLink::IntoDsg(target.to_owned()));
            }
            name => here.push(name),
        }
    }
    let hidden = here.iter().any(|name| name.starts_with('.'));
    Ok(LinkVerdict { resolved: here.join("/"), hidden })
}

/// The path inside the project to which the link's text leads, empty for the root; `None` when
/// [`check`] refuses it. Whether something is there is for the caller to look.
#[must_use]
pub fn resolved(link_path: &RepoPath, target: &str) -> Option<String> {
    check(link_path, target).ok().map(|verdict| verdict.resolved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(path: &str) -> RepoPath {
        RepoPath::parse(path).expect("good")
    }

    #[test]
    fn a_link_may_lead_anywhere_inside_the_project() {
        for (link, target, place) in [
            ("input/l", "a.csv", "input/a.csv"),
            ("input/l", "../output/b.csv", "output/b.csv"),
            ("input/l", "..", ""),
            ("input/l", "./x/../y//z/.", "input/y/z"),
            ("l", "input/a.csv", "input/a.csv"),
            ("l", "l", "l"),
            ("input/l", "a\\b", "input/a\\b"),
        ] {
            assert_eq!(resolved(&at(link), target).as_deref(), Some(place), "{link} -> {target}");
        }
    }

    #[test]
    fn a_link_out_of_the_project_is_refused_by_one_step_too() {
        for target in
            ["../../outside", "../..", "../input/../../x", "../../p/input/a", "x/../../.."]
        {
            assert_eq!(
                check(&at("input/l"), target),
                Err(BadLink::Leaves(target.to_owned())),
                "{target}"
            );
        }
        assert!(matches!(check(&at("l"), ".."), Err(BadLink::Leaves(_))));
    }

    #[test]
    fn texts_that_no_machine_agrees_on_are_refused() {
        let link = at("input/l");
        assert_eq!(check(&link, ""), Err(BadLink::Empty));
        assert_eq!(check(&link, "a\0"), Err(BadLink::Nul));
        assert!(matches!(check(&link, "/etc/hostname"), Err(BadLink::Absolute(_))));
        assert_eq!(check(&link, &"x".repeat(4097)), Err(BadLink::TooLong(4097)));
    }

    #[test]
    fn hidden_places_are_allowed_but_not_those_of_dsg() {
        assert!(check(&at("input/l"), "../.venv/x").expect("allowed").hidden);
        assert!(!check(&at("input/l"), "../.venv/../x").expect("allowed").hidden);
        for target in ["../.dsg/state", "../.DSG", "../.dsg-repository/x", "../.dsg/../input/a"] {
            assert!(matches!(check(&at("input/l"), target), Err(BadLink::IntoDsg(_))), "{target}");
        }
    }

    #[test]
    fn a_refusal_is_safe_to_print() {
        let message = check(&at("l"), "/\u{1b}[2J").expect_err("absolute").to_string();
        assert!(message.contains(r"`/\u{1b}[2J`"), "{message}");
    }

    proptest! {
        #[test]
        fn what_is_allowed_stays_inside(target in "[a/.]{0,12}", link in "[ab](/[ab]){0,2}") {
            let link = at(&link);
            if let Ok(verdict) = check(&link, &target) {
                prop_assert!(verdict.resolved.split('/').all(|c| c != ".." && c != "."));
                // Stepping along, the depth never goes below the root.
                let mut depth = link.components().count() - 1;
                for step in target.split('/').filter(|c| !matches!(*c, "" | ".")) {
                    prop_assert!(step != ".." || depth > 0);
                    depth = if step == ".." { depth - 1 } else { depth + 1 };
                }
            }
        }

        #[test]
        fn checking_is_total(target in any::<String>()) {
            let _ = check(&at("a/b"), &target);
        }
    }
}

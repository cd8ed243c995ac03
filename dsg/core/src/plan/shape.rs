//! A plan is a tree: no path that will be there lies below another one.
//!
//! It is enough to look at the steps. A path that a step leaves present is in L or in R before (a
//! restored one too: its conflict is about at least one copy). Suppose that an ancestor or a
//! descendant of it is in no step; then that path is the same in L, C and R, so it is in L and in
//! R, and the side that has the first path would hold both. But each side is a tree to begin with:
//! a disk can't be anything else, and a manifest is refused otherwise.
//!
//! Unknown paths are in no step, and L is a tree with them but may not be one without them. So a
//! path that will be there is also checked against what is unknown below it. (Above it there is
//! nothing unknown: then it would be unknown itself.)

use super::{Action, Asked, Conflict, Step};
use crate::conflict::Resolutions;
use crate::path::RepoPath;

/// Unknown paths, in order.
pub(super) struct Unknown<'a>(Vec<&'a RepoPath>);

impl<'a> Unknown<'a> {
    pub(super) fn of(paths: &'a [RepoPath]) -> Self {
        let mut sorted: Vec<_> = paths.iter().collect();
        sorted.sort_unstable();
        Self(sorted)
    }

    /// Whether the path is unknown or below an unknown one.
    pub(super) fn covers(&self, path: &RepoPath) -> bool {
        let text = path.as_str();
        let mut ends = text.match_indices('/').map(|(at, _)| at).chain([text.len()]);
        !self.0.is_empty() && ends.any(|end| self.has(&text[..end]))
    }

    /// An unknown path that lies below this one.
    fn below(&self, path: &RepoPath) -> Option<&RepoPath> {
        // What lies below a path follows it directly in the order of paths.
        let next = self.0.partition_point(|unknown| *unknown <= path);
        self.0.get(next).copied().filter(|unknown| unknown.is_below(path))
    }

    fn has(&self, text: &str) -> bool {
        self.0.binary_search_by(|unknown| crate::path::compare(unknown.as_str(), text)).is_ok()
    }
}

/// Makes conflicts of the steps that would leave something that is no tree. `steps` are sorted.
pub(super) fn keep_a_tree(steps: &mut [Step], unknown: &Unknown<'_>, resolutions: &Resolutions) {
    // For each step that is in the way of another one, or has one in its way: that one.
    let mut clashes: Vec<(usize, RepoPath)> = Vec::new();
    // Steps that leave their path present, each below the one before. If the tree is one, never
    // more than one; that a path is compared with the nearest above it only is enough, as that one
    // clashes with the next above in turn.
    let mut above: Vec<usize> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        if !step.is_present_afterwards() {
            continue;
        }
        if let Some(below) = unknown.below(step.path()) {
            clashes.push((index, below.clone()));
        }
        while above.pop_if(|top| !step.path().is_below(steps[*top].path())).is_some() {}
        if let Some(top) = above.last() {
            clashes.push((index, steps[*top].path().clone()));
            clashes.push((*top, step.path().clone()));
        }
        above.push(index);
    }
    for (index, other) in clashes {
        block(&mut steps[index], other, resolutions);
    }
}

/// Takes a step out of what is done: into a question where there is something to choose.
fn block(step: &mut Step, other: RepoPath, resolutions: &Resolutions) {
    if step.is_conflict() {
        // Undecided anyway. Its choices stay: one of them may end the clash.
        return;
    }
    let choice = resolutions.get(step.path()).map(|resolution| resolution.choice);
    step.action = Action::Conflict(Box::new(match choice {
        Some(choice) if step.state.is_conflict() => {
            Conflict::Differ { asked: Asked::Blocked { choice, by: other } }
        }
        _ => Conflict::Clash { with: other },
    }));
}

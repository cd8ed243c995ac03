//! What follows from a state and, in a conflict, from somebody's choice.

use super::{Action, Asked, Conflict, Triple};
use crate::compare::SyncState;
use crate::conflict::{Choice, Resolutions};

/// The action for one path, seen alone.
pub(super) fn action(triple: &Triple, state: SyncState, resolutions: &Resolutions) -> Action {
    match state {
        SyncState::Synced | SyncState::Nowhere => Action::Nothing,
        SyncState::RemoteChanged | SyncState::OnlyRemote => Action::Download,
        SyncState::LocalChanged | SyncState::OnlyLocal => Action::Upload,
        SyncState::ChangedAlike | SyncState::AddedAlike => Action::Agree,
        SyncState::LocalDeleted => Action::DeleteRemote,
        SyncState::RemoteDeleted => Action::DeleteLocal,
        SyncState::OnlyCached => Action::Forget,
        SyncState::ChangedDifferently
        | SyncState::LocalDeletedRemoteChanged
        | SyncState::AddedDifferently
        | SyncState::RemoteDeletedLocalChanged => settle(triple, state, resolutions),
    }
}

/// A conflict: what its resolution says, if it has one that was made for these copies.
fn settle(triple: &Triple, state: SyncState, resolutions: &Resolutions) -> Action {
    let asked = match resolutions.get(&triple.path) {
        None => Asked::First,
        Some(resolution) => {
            let (local, remote) = (triple.local.as_ref(), triple.remote.as_deref());
            match resolved(state, resolution.choice) {
                _ if !resolution.made_for.still_holds(local, remote) => Asked::Moved,
                None => Asked::NotOffered(resolution.choice),
                Some(action) => return action,
            }
        }
    };
    Action::Conflict(Box::new(Conflict::Differ { asked }))
}

/// What a choice does in a state; `None` where it is not offered: there is no conflict, or C has
/// nothing to restore.
fn resolved(state: SyncState, choice: Choice) -> Option<Action> {
    use SyncState as S;
    match (state, choice) {
        (S::LocalDeletedRemoteChanged, Choice::Local) => Some(Action::DeleteRemote),
        (S::RemoteDeletedLocalChanged, Choice::Remote) => Some(Action::DeleteLocal),
        (S::AddedDifferently, Choice::Cached) => None,
        (state, _) if !state.is_conflict() => None,
        (_, Choice::Local) => Some(Action::Upload),
        (_, Choice::Remote) => Some(Action::Download),
        (_, Choice::Cached) => Some(Action::RestoreCached),
    }
}

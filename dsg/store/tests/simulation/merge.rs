//! What a sync has to make of three copies of a path: the rules of merging, told a second time and
//! as shortly as possible, so that what dsg did can be held against them.

use std::collections::BTreeSet;

use dsg_core::conflict::{Choice, Question};

use super::client::Client;
use super::view::{Identity, State};
use super::world::{Before, Checked};

type Copy<'a> = Option<&'a Identity>;

/// What three copies come to; `None` when somebody has to choose.
fn merged<'a>(local: Copy<'a>, base: Copy<'a>, remote: Copy<'a>) -> Option<Copy<'a>> {
    if local == remote || remote == base {
        Some(local)
    } else if local == base {
        Some(remote)
    } else {
        None
    }
}

/// Checks the outcome of a sync path by path, and remembers it as what is agreed.
pub(crate) fn settled(
    client: &mut Client,
    before: &Before,
    keys: &BTreeSet<String>,
    after: &State,
) -> Checked {
    for key in keys {
        let local = before.view.accepted.get(key).map(|(_, identity)| identity);
        let (remote, now) = (before.remote.get(key), after.get(key));
        if let Some(base) = client.agreed(key) {
            let expected = match merged(local, base, remote) {
                Some(expected) => Some(expected),
                None => match client.answers.get(key) {
                    Some((choice, for_local, for_remote))
                        if (for_local.as_ref(), for_remote.as_ref()) == (local, remote) =>
                    {
                        Some(match choice {
                            Choice::Local => local,
                            Choice::Remote => remote,
                            Choice::Cached => base,
                        })
                    }
                    _ => None,
                },
            };
            if expected != Some(now) {
                return Err(format!(
                    "MERGE: at {key} {} had {local:?}, agreed was {base:?}, the repository had {remote:?}; expected {expected:?}, now {now:?}",
                    client.name
                ));
            }
        }
    }
    for key in keys {
        client.uncertain.remove(key);
        match after.get(key) {
            Some(identity) => client.base.insert(key.clone(), identity.clone()),
            None => client.base.remove(key),
        };
    }
    Ok(())
}

/// Checks that nobody is asked about what is no conflict.
pub(crate) fn questions_are_right(
    client: &Client,
    before: &Before,
    questions: &[Question],
) -> Checked {
    for question in questions.iter().filter(|question| !question.choices.is_empty()) {
        let key = question.path.as_str();
        let local = before.view.accepted.get(key).map(|(_, identity)| identity);
        let remote = before.remote.get(key);
        if let Some(base) = client.agreed(key)
            && merged(local, base, remote).is_some()
        {
            return Err(format!(
                "ASKED without reason: {question:?}, {} had {local:?}, agreed was {base:?}, the repository had {remote:?}",
                client.name
            ));
        }
    }
    Ok(())
}

/// After a sync that was cut off it is not certain what is agreed where the copies differed.
pub(crate) fn cut_off(client: &mut Client, local: [&State; 2], remote: [&State; 2]) {
    let mut keys: BTreeSet<&String> = client.base.keys().collect();
    for state in local.into_iter().chain(remote) {
        keys.extend(state.keys());
    }
    let differs = |key: &&String| {
        let base = client.base.get(*key);
        local.into_iter().chain(remote).any(|state| state.get(*key) != base)
    };
    let keys: Vec<String> = keys.into_iter().filter(differs).cloned().collect();
    client.uncertain.extend(keys);
}

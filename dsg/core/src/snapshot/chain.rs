//! Whether a row of snapshot documents is one unbroken history.
//!
//! Each document names the chain hash of the one before, so whoever trusts the last trusts all,
//! and a change to any is seen at the next. What nothing names is the last document: who wants to
//! be sure of it keeps its number and hash, as every project does, and goes on from there.

use super::{BadSnapshot, RepositoryId, SnapshotDocument, SnapshotNumber};
use crate::hash::ChainHash;

/// Where a chain breaks, and what that means.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// Numbers are consecutive, and this one is not there.
    #[error("the document of {number} is missing")]
    Missing {
        /// The first that is missing.
        number: SnapshotNumber,
    },
    /// A document comes again, or after a later one.
    #[error("the document of {number} comes where that of a later snapshot is due")]
    OutOfOrder {
        /// The number under which it comes.
        number: SnapshotNumber,
    },
    /// The bytes are no document.
    #[error("the document of {number} can't be read: {why}")]
    Unreadable {
        /// The number under which it comes.
        number: SnapshotNumber,
        /// What is wrong with it.
        why: BadSnapshot,
    },
    /// The document is that of another snapshot.
    #[error("in the place of {number} is the document of {says}")]
    Misplaced {
        /// The number under which it comes.
        number: SnapshotNumber,
        /// The number that it says.
        says: SnapshotNumber,
    },
    /// The document is that of another repository.
    #[error("the document of {number} belongs to another repository, {repository}")]
    OtherRepository {
        /// The number under which it comes.
        number: SnapshotNumber,
        /// The repository that it says.
        repository: RepositoryId,
    },
    /// The document after it names another hash than it has now.
    #[error("the chain breaks after {number}: its document, or the next, was changed later")]
    Changed {
        /// The last before the break.
        number: SnapshotNumber,
    },
    /// The first snapshot names one before it.
    #[error("{} is not the beginning: its document names one before it", SnapshotNumber::FIRST)]
    NotTheBeginning,
}

/// Checks a chain document by document.
#[derive(Debug, Clone, Default)]
pub struct ChainChecker {
    before: Option<Before>,
}

/// The last document that was found good.
#[derive(Debug, Clone, Copy)]
struct Before {
    repository: RepositoryId,
    number: SnapshotNumber,
    hash: ChainHash,
}

impl ChainChecker {
    /// Begins with the first snapshot.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on after a snapshot that is known to be good.
    #[must_use]
    pub fn after(repository: RepositoryId, number: SnapshotNumber, hash: ChainHash) -> Self {
        Self { before: Some(Before { repository, number, hash }) }
    }

    /// The last snapshot that was found good, and its chain hash.
    #[must_use]
    pub fn head(&self) -> Option<(SnapshotNumber, ChainHash)> {
        self.before.map(|before| (before.number, before.hash))
    }

    /// Takes the next document, as it is stored under this number.
    ///
    /// # Errors
    /// [`ChainBreak`]; the checker then still stands where it stood.
    pub fn push(
        &mut self,
        number: SnapshotNumber,
        bytes: &[u8],
    ) -> Result<SnapshotDocument, ChainBreak> {
        let due = match self.before {
            None => SnapshotNumber::FIRST,
            // After the last possible number every other is out of order.
            Some(before) => before.number.next().ok_or(ChainBreak::OutOfOrder { number })?,
        };
        if number > due {
            return Err(ChainBreak::Missing { number: due });
        }
        if number < due {
            return Err(ChainBreak::OutOfOrder { number });
        }
        let document = SnapshotDocument::decode(bytes)
            .map_err(|why| ChainBreak::Unreadable { number, why })?;
        self.check(number, &document)?;
        let (repository, hash) = (document.repository, ChainHash::of(bytes));
        self.before = Some(Before { repository, number, hash });
        Ok(document)
    }

    fn check(&self, number: SnapshotNumber, document: &SnapshotDocument) -> Result<(), ChainBreak> {
        let repository = document.repository;
        if self.before.is_some_and(|before| before.repository != repository) {
            return Err(ChainBreak::OtherRepository { number, repository });
        }
        if document.number != number {
            return Err(ChainBreak::Misplaced { number, says: document.number });
        }
        match self.before {
            None if document.parent.is_some() => Err(ChainBreak::NotTheBeginning),
            Some(before) if document.parent != Some(before.hash) => {
                Err(ChainBreak::Changed { number: before.number })
            }
            _ => Ok(()),
        }
    }
}

/// Checks a whole chain, from the first document on, and gives its last number and hash; `None`
/// when there is no document.
///
/// # Errors
/// The first [`ChainBreak`].
pub fn check_chain<Bytes: AsRef<[u8]>>(
    documents: impl IntoIterator<Item = (SnapshotNumber, Bytes)>,
) -> Result<Option<(SnapshotNumber, ChainHash)>, ChainBreak> {
    let mut checker = ChainChecker::new();
    for (number, bytes) in documents {
        checker.push(number, bytes.as_ref())?;
    }
    Ok(checker.head())
}

#[cfg(test)]
mod tests {
    use super::super::document::tests::example;
    use super::*;

    fn number(number: u64) -> SnapshotNumber {
        SnapshotNumber::new(number).unwrap()
    }

    /// Documents of s1, s2, … of one repository.
    fn chain(length: u64) -> Vec<(SnapshotNumber, Vec<u8>)> {
        let mut documents: Vec<(SnapshotNumber, Vec<u8>)> = Vec::new();
        for count in 1..=length {
            let mut document = example();
            document.number = number(count);
            document.parent = documents.last().map(|(_, bytes)| ChainHash::of(bytes));
            documents.push((document.number, document.encode().unwrap()));
        }
        documents
    }

    fn change(bytes: &mut Vec<u8>, change: impl FnOnce(&mut SnapshotDocument)) {
        let mut document = SnapshotDocument::decode(bytes).unwrap();
        change(&mut document);
        *bytes = document.encode().unwrap();
    }

    #[test]
    fn an_unbroken_chain_is_good_at_once_and_step_by_step() {
        let documents = chain(4);
        let head = (number(4), ChainHash::of(&documents[3].1));
        assert_eq!(check_chain(documents.clone()), Ok(Some(head)));
        assert_eq!(check_chain(chain(0)), Ok(None));
        let second = (example().repository, number(2), ChainHash::of(&documents[1].1));
        let mut checker = ChainChecker::after(second.0, second.1, second.2);
        for (number, bytes) in &documents[2..] {
            assert_eq!(checker.push(*number, bytes).map(|document| document.number), Ok(*number));
        }
        assert_eq!(checker.head(), Some(head));
    }

    #[test]
    fn any_changed_byte_is_seen_at_the_next_document() {
        let mut documents = chain(4);
        change(&mut documents[1].1, |document| document.message.push('!'));
        assert_eq!(check_chain(documents), Err(ChainBreak::Changed { number: number(2) }));
        let mut documents = chain(4);
        documents[2].1.insert(0, b' ');
        assert_eq!(check_chain(documents), Err(ChainBreak::Changed { number: number(3) }));
        let mut documents = chain(2);
        change(&mut documents[1].1, |document| document.parent = None);
        assert_eq!(check_chain(documents), Err(ChainBreak::Changed { number: number(1) }));
    }

    #[test]
    fn a_rewritten_history_does_not_go_on_from_what_is_known() {
        let documents = chain(3);
        let known = ChainHash::of(b"another s2");
        let mut checker = ChainChecker::after(example().repository, number(2), known);
        let pushed = checker.push(number(3), &documents[2].1);
        assert_eq!(pushed, Err(ChainBreak::Changed { number: number(2) }));
        assert_eq!(checker.head(), Some((number(2), known)));
    }

    #[test]
    fn a_missing_document_is_named_and_the_checker_stays_where_it_is() {
        let documents = chain(4);
        let mut checker = ChainChecker::new();
        checker.push(documents[0].0, &documents[0].1).unwrap();
        let pushed = checker.push(documents[3].0, &documents[3].1);
        assert_eq!(pushed, Err(ChainBreak::Missing { number: number(2) }));
        assert!(checker.push(documents[1].0, &documents[1].1).is_ok());
        let pushed = checker.push(documents[1].0, &documents[1].1);
        assert_eq!(pushed, Err(ChainBreak::OutOfOrder { number: number(2) }));
        let beheaded = check_chain(documents[1..].to_vec());
        assert_eq!(beheaded, Err(ChainBreak::Missing { number: number(1) }));
    }

    #[test]
    fn a_document_in_the_wrong_place_or_repository_is_named() {
        let mut documents = chain(3);
        documents[1].1 = documents[2].1.clone();
        let misplaced = ChainBreak::Misplaced { number: number(2), says: number(3) };
        assert_eq!(check_chain(documents), Err(misplaced));

        let mut documents = chain(3);
        let other = RepositoryId::from_bytes([9; 16]);
        change(&mut documents[2].1, |document| document.repository = other);
        let foreign = ChainBreak::OtherRepository { number: number(3), repository: other };
        assert_eq!(check_chain(documents), Err(foreign));

        let mut documents = chain(1);
        change(&mut documents[0].1, |document| {
            document.parent = Some(ChainHash::of(b""));
        });
        assert_eq!(check_chain(documents), Err(ChainBreak::NotTheBeginning));
    }

    #[test]
    fn an_unreadable_document_says_why() {
        let mut documents = chain(2);
        documents[1].1 = b"{\"format\":7}".to_vec();
        let why = BadSnapshot::Newer { format: 7 };
        let unreadable = ChainBreak::Unreadable { number: number(2), why };
        assert_eq!(check_chain(documents), Err(unreadable));
        let mut documents = chain(2);
        documents[0].1.truncate(30);
        let broken = check_chain(documents);
        assert!(matches!(broken, Err(ChainBreak::Unreadable { number: n, .. }) if n == number(1)));
    }
}

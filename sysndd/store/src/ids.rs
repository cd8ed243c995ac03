//! New ids, from counters in the database. Who writes locks the counters first, counts in memory, and
//! writes them back in the same transaction: ids have no gaps, rows that were given theirs elsewhere
//! fit in, two writers come one after the other, and a counter is written once however many ids are
//! taken (PostgreSQL keeps every version of a row until the transaction ends).

use foundation_durable::{Error, Statement, Transaction};

const LOCK: Statement = Statement {
    name: "lock ids",
    sql: "UPDATE id_sequence SET last_id = last_id WHERE name = $1 RETURNING last_id",
};

const STORE: Statement =
    Statement { name: "store ids", sql: "UPDATE id_sequence SET last_id = $2 WHERE name = $1" };

pub(crate) const STATEMENTS: &[Statement] = &[LOCK, STORE];

/// What has ids. Everybody locks in this order, so nobody waits in a circle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sequence {
    User,
    Entity,
    Review,
    Status,
    ReviewPhenotype,
    ReviewPublication,
    Annotation,
}

impl Sequence {
    const ALL: [Self; 7] = [
        Self::User,
        Self::Entity,
        Self::Review,
        Self::Status,
        Self::ReviewPhenotype,
        Self::ReviewPublication,
        Self::Annotation,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::User => "sysndd_user",
            Self::Entity => "ndd_entity",
            Self::Review => "ndd_entity_review",
            Self::Status => "ndd_entity_status",
            Self::ReviewPhenotype => "ndd_review_phenotype_connect",
            Self::ReviewPublication => "ndd_review_publication_join",
            Self::Annotation => "review_annotation",
        }
    }
}

/// The counters, locked.
#[derive(Debug)]
pub(crate) struct Ids {
    last: [i64; Sequence::ALL.len()],
    before: [i64; Sequence::ALL.len()],
}

impl Ids {
    /// Locks the counters until the transaction ends.
    pub(crate) async fn lock(transaction: &mut Transaction) -> Result<Self, Error> {
        let mut last = [0; Sequence::ALL.len()];
        for (sequence, last) in Sequence::ALL.into_iter().zip(&mut last) {
            if let Some(row) = transaction.row(&LOCK, &[sequence.name().into()]).await? {
                *last = row.integer(0)?;
            }
        }
        Ok(Self { last, before: last })
    }

    /// The next id.
    pub(crate) const fn next(&mut self, sequence: Sequence) -> i64 {
        let last = &mut self.last[sequence as usize];
        *last += 1;
        *last
    }

    /// Writes back the counters that were used.
    pub(crate) async fn store(&self, transaction: &mut Transaction) -> Result<(), Error> {
        let counters = self.last.iter().zip(&self.before);
        for (sequence, (last, before)) in Sequence::ALL.into_iter().zip(counters) {
            if last != before {
                transaction.execute(&STORE, &[sequence.name().into(), (*last).into()]).await?;
            }
        }
        Ok(())
    }
}

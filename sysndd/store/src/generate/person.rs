//! Two accounts: one that writes and one that approves.

use foundation_durable::{Error, Statement, Transaction};

use crate::ids::{Ids, Sequence};

const ADD: Statement = Statement {
    name: "generate account",
    sql: "INSERT INTO sysndd_user (user_id, user_name, user_role, approved, created_at) VALUES ($1, $2, $3, 1, '2010-01-01T00:00:00Z')",
};

/// Their ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct Authors {
    pub(super) writer: i64,
    pub(super) approver: i64,
}

pub(super) async fn write(transaction: &mut Transaction) -> Result<Authors, Error> {
    let mut ids = Ids::lock(transaction).await?;
    let (writer, approver) = (ids.next(Sequence::User), ids.next(Sequence::User));
    for (id, name, role) in
        [(writer, "generated-writer", "Reviewer"), (approver, "generated-approver", "Curator")]
    {
        transaction.execute(&ADD, &[id.into(), name.into(), role.into()]).await?;
    }
    ids.store(transaction).await?;
    Ok(Authors { writer, approver })
}

//! SQL texts. A [`Statement`] is written by us and stands in a registry which a test prepares on
//! both engines; a [`BuiltSql`] is put together by a query builder out of such pieces. Values never
//! become part of either.

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

use crate::database::Engine;
use crate::value::Value;

/// A SQL text with a name, its values as `$1`, `$2`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The name, in errors and logs.
    pub name: &'static str,
    /// The text, the same for both engines.
    pub sql: &'static str,
}

/// A SQL text that a query builder made of constant pieces. Whoever makes one vouches that no value
/// from outside is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltSql {
    name: &'static str,
    sql: String,
}

impl BuiltSql {
    /// Takes the text that the query builder called `name` made.
    #[must_use]
    pub fn from_builder(name: &'static str, sql: String) -> Self {
        Self { name, sql }
    }

    /// The name of the builder.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The text.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// PostgreSQL fixes the types of the values when it prepares a text, and sqlx finds a prepared
    /// one by its text: the same text with other kinds of values must be another text.
    pub(crate) fn prepared_as(&self, engine: Engine, values: &[Value]) -> SqlStr {
        let mut sql = self.sql.clone();
        if engine == Engine::Postgres && !values.is_empty() {
            sql.push_str(" -- ");
            sql.extend(values.iter().map(Value::letter));
        }
        AssertSqlSafe(sql).into_sql_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_with_other_kinds_of_values_is_prepared_on_its_own() {
        let built = BuiltSql::from_builder("list", "SELECT $1, $2".to_owned());
        let text =
            |values: &[Value]| built.prepared_as(Engine::Postgres, values).as_str().to_owned();
        assert_eq!(text(&[1.into(), "a".into()]), "SELECT $1, $2 -- it");
        assert_eq!(text(&[Value::Null, 1.5.into()]), "SELECT $1, $2 -- nr");
        assert_eq!(built.prepared_as(Engine::Sqlite, &[1.into()]).as_str(), "SELECT $1, $2");
    }
}

//! Values that go into a statement and come out of a row.
//!
//! Both engines have more types than these four. The four are those which mean the same on both:
//! flags are 0 and 1, times are text in UTC, and so one SQL text and one reader serve both.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgRow, PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Decode, Encode, Postgres, Row as _, Sqlite, Type, TypeInfo as _, ValueRef as _};

use crate::error::Error;

/// A value of a statement or a row.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number; also a flag, as 0 or 1.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text; also a time, in UTC and of fixed width.
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Value {
    /// One letter for the kind.
    pub(crate) const fn letter(&self) -> char {
        match self {
            Self::Null => 'n',
            Self::Integer(_) => 'i',
            Self::Real(_) => 'r',
            Self::Text(_) => 't',
        }
    }
}

/// A null whose type PostgreSQL takes from where it stands.
pub(crate) struct Untyped;

impl Type<Postgres> for Untyped {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Untyped {
    fn encode_by_ref(&self, _: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(IsNull::Yes)
    }
}

/// A row of an answer: its values by place, counted from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    values: Vec<Value>,
}

impl Row {
    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value at a place; null where the row has no such place.
    #[must_use]
    pub fn value(&self, index: usize) -> &Value {
        self.values.get(index).unwrap_or(&Value::Null)
    }

    /// All values.
    #[must_use]
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// The whole number at a place.
    ///
    /// # Errors
    /// When something else stands there.
    pub fn integer(&self, index: usize) -> Result<i64, Error> {
        match self.value(index) {
            Value::Integer(value) => Ok(*value),
            other => Err(wrong(index, "a whole number", other)),
        }
    }

    /// The whole number at a place, or nothing.
    ///
    /// # Errors
    /// When something else stands there.
    pub fn optional_integer(&self, index: usize) -> Result<Option<i64>, Error> {
        match self.value(index) {
            Value::Null => Ok(None),
            Value::Integer(value) => Ok(Some(*value)),
            other => Err(wrong(index, "a whole number or nothing", other)),
        }
    }

    /// The flag at a place.
    ///
    /// # Errors
    /// When something else stands there.
    pub fn flag(&self, index: usize) -> Result<bool, Error> {
        Ok(self.integer(index)? != 0)
    }

    /// The number at a place.
    ///
    /// # Errors
    /// When something else stands there.
    pub fn real(&self, index: usize) -> Result<f64, Error> {
        match self.value(index) {
            Value::Real(value) => Ok(*value),
            other => Err(wrong(index, "a number", other)),
        }
    }

    /// The text at a place.
    ///
    /// # Errors
    /// When something else stands there.
    pub fn text(&self, index: usize) -> Result<&str, Error> {
        match self.value(index) {
            Value::Text(value) => Ok(value),
            other => Err(wrong(index, "text", other)),
        }
    }

    /// The text at a place, or nothing.
    ///
    /// # Errors
    /// When something else stands there.
    pub fn optional_text(&self, index: usize) -> Result<Option<&str>, Error> {
        match self.value(index) {
            Value::Null => Ok(None),
            Value::Text(value) => Ok(Some(value)),
            other => Err(wrong(index, "text or nothing", other)),
        }
    }

    pub(crate) fn of_sqlite(row: &SqliteRow) -> Result<Self, Error> {
        let mut values = Vec::with_capacity(row.len());
        for index in 0..row.len() {
            let value = row.try_get_raw(index).map_err(Error::from)?;
            values.push(of_sqlite(value).map_err(|source| undecodable(index, &*source))?);
        }
        Ok(Self { values })
    }

    pub(crate) fn of_postgres(row: &PgRow) -> Result<Self, Error> {
        let mut values = Vec::with_capacity(row.len());
        for index in 0..row.len() {
            let value = row.try_get_raw(index).map_err(Error::from)?;
            values.push(of_postgres(value).map_err(|source| undecodable(index, &*source))?);
        }
        Ok(Self { values })
    }
}

fn of_sqlite(value: SqliteValueRef<'_>) -> Result<Value, BoxDynError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let kind = value.type_info().name().to_owned();
    Ok(match kind.as_str() {
        "INTEGER" | "BOOLEAN" => Value::Integer(<i64 as Decode<Sqlite>>::decode(value)?),
        "REAL" => Value::Real(<f64 as Decode<Sqlite>>::decode(value)?),
        "TEXT" => Value::Text(<String as Decode<Sqlite>>::decode(value)?),
        other => return Err(format!("the type {other} is none of ours").into()),
    })
}

fn of_postgres(value: PgValueRef<'_>) -> Result<Value, BoxDynError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let kind = value.type_info().name().to_owned();
    Ok(match kind.as_str() {
        "INT8" => Value::Integer(<i64 as Decode<Postgres>>::decode(value)?),
        "INT4" => Value::Integer(<i32 as Decode<Postgres>>::decode(value)?.into()),
        "INT2" => Value::Integer(<i16 as Decode<Postgres>>::decode(value)?.into()),
        "BOOL" => Value::Integer(<bool as Decode<Postgres>>::decode(value)?.into()),
        "FLOAT8" => Value::Real(<f64 as Decode<Postgres>>::decode(value)?),
        "FLOAT4" => Value::Real(<f32 as Decode<Postgres>>::decode(value)?.into()),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" => {
            Value::Text(<String as Decode<Postgres>>::decode(value)?)
        }
        other => {
            return Err(format!(
                "the type {other} is none of ours: CAST it to BIGINT, DOUBLE PRECISION or TEXT"
            )
            .into());
        }
    })
}

fn wrong(index: usize, expected: &'static str, found: &Value) -> Error {
    let found = match found {
        Value::Null => "nothing",
        Value::Integer(_) => "a whole number",
        Value::Real(_) => "a number",
        Value::Text(_) => "text",
    };
    Error::Decode { column: index, what: format!("{expected} was expected, {found} is there") }
}

fn undecodable(index: usize, source: &(dyn std::error::Error + Send + Sync)) -> Error {
    Error::Decode { column: index, what: source.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_null_and_never_a_panic() {
        let row = Row { values: vec![Value::Integer(1), "a".into(), None::<i64>.into()] };
        assert_eq!(row.len(), 3);
        assert!(!row.is_empty());
        assert_eq!(row.integer(0).expect("a number"), 1);
        assert!(row.flag(0).expect("a flag"));
        assert_eq!(row.text(1).expect("text"), "a");
        assert_eq!(row.optional_text(2).expect("nothing"), None);
        assert_eq!(row.optional_integer(2).expect("nothing"), None);
        assert_eq!(row.value(9), &Value::Null);
        assert!(row.text(9).is_err());
        let said = row.integer(1).expect_err("text").to_string();
        assert_eq!(said, "column 1: a whole number was expected, text is there");
    }
}

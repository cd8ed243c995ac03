#![doc = include_str!("../README.md")]

mod database;
mod error;
mod filesystem;
pub mod migration;
mod reach;
mod statement;
mod transaction;
mod value;

pub use database::{Database, DatabaseSettings, Engine, PoolUse};
pub use error::{Constraint, Error};
pub use statement::{BuiltSql, Statement};
pub use transaction::Transaction;
pub use value::{Row, Value};

//! What all lists of the published contract have in common: which columns a table has, and what a
//! caller may ask of it (`sort`, `filter`, `fields`, `page_after`, `page_size`, `fspec`).
//!
//! Every name that reaches a database comes from the tables in this module; a caller's text only
//! selects among them.

mod request;
mod table;
#[cfg(test)]
mod tests;

pub use request::{
    ListError, ListQuery, ListRequest, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, PageSize, SortKey,
};
pub use table::{Column, ENTITY, GENE, Kind, PANEL, PANEL_ROWS, PHENOTYPE, Table};

//! The parameters of the contract, as they are sent and as the document describes them.

use serde::{Deserialize, Deserializer};
use sysndd_core::list::PAGE_ROWS_MAX;
use sysndd_store::list::ListQuery;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

/// The parameters that all lists have.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListParameters {
    /// Columns to sort by, separated by commas; `-` before a column turns it round. The id breaks ties.
    #[param(nullable = false, example = "-category,symbol")]
    pub(super) sort: Option<String>,
    /// Which rows: terms such as `equals(symbol,MECP2)`, separated by commas, all of which hold; or
    /// `or(…)` or `not(…)` around them. The page `/API` says more.
    #[param(nullable = false, max_length = 8192, example = "contains(ndd_phenotype_word,Yes)")]
    pub(super) filter: Option<String>,
    /// Columns of the answer, separated by commas; the id is always among them. Empty for all.
    #[param(nullable = false)]
    pub(super) fields: Option<String>,
    /// The id of the last row of the page before: a cursor of an earlier answer. `0` for the beginning.
    #[param(nullable = false)]
    pub(super) page_after: Option<String>,
    /// Rows of a page, from 1 to 50000, or `all`.
    #[param(inline, nullable = false, value_type = Option<PageSizeParameter>)]
    pub(super) page_size: Option<String>,
    /// Columns whose specifications are wanted, separated by commas.
    #[param(nullable = false)]
    pub(super) fspec: Option<String>,
    /// The form of the answer.
    #[param(inline, nullable = false)]
    pub(super) format: Option<Format>,
}

/// The rows of a page, as the document describes them: a number or the word `all`.
pub(super) struct PageSizeParameter;

impl PartialSchema for PageSizeParameter {
    fn schema() -> RefOr<Schema> {
        let rows = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(PAGE_ROWS_MAX));
        let all = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["all"]));
        OneOfBuilder::new().item(rows).item(all).into()
    }
}

impl ToSchema for PageSizeParameter {}

/// A yes or no, as the document describes it: published links write it in several ways, and a form that
/// was not filled in sends nothing.
pub(super) struct FlagParameter;

impl PartialSchema for FlagParameter {
    fn schema() -> RefOr<Schema> {
        let flag = ObjectBuilder::new().schema_type(Type::Boolean);
        let words = ["", "TRUE", "FALSE", "T", "F", "1", "0"];
        let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
        OneOfBuilder::new().item(flag).item(word).into()
    }
}

impl ToSchema for FlagParameter {}

/// The form of an answer.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// JSON.
    #[default]
    Json,
    /// A workbook with the sheets `data`, `meta` and `links`; all rows unless `page_size` says otherwise.
    Xlsx,
    /// Comma-separated values; all rows unless `page_size` says otherwise.
    Csv,
}

impl ListParameters {
    pub(super) fn query(&self) -> ListQuery {
        ListQuery {
            sort: self.sort.clone(),
            filter: self.filter.clone(),
            fields: self.fields.clone(),
            page_after: self.page_after.clone(),
            page_size: self.page_size.clone(),
            fspec: self.fspec.clone(),
        }
    }

    pub(super) fn form(&self) -> Format {
        self.format.unwrap_or_default()
    }
}

/// A yes or no: published links write it in capitals.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    match text.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("") => Ok(None),
        Some("true" | "t" | "1") => Ok(Some(true)),
        Some("false" | "f" | "0") => Ok(Some(false)),
        Some(_) => Err(serde::de::Error::custom(super::asked::FLAG)),
    }
}

//! Panels: lists of genes for a laboratory, by category and inheritance.

use sysndd_core::list::{ListError, ListQuery, ListRequest, PANEL, PANEL_ROWS};

use crate::error::Error;
use crate::list::{ListPage, list};
use crate::reader::Reading;

/// The categories of a panel, as the addresses of pages have them.
pub const CATEGORIES: &[&str] = &["All", "Definitive", "Limited", "Moderate", "Refuted"];
/// The groups of inheritances of a panel.
pub const INHERITANCES: &[&str] =
    &["All", "Autosomal dominant", "Autosomal recessive", "Other", "X-linked"];
/// The columns of a panel.
pub const COLUMNS: &[&str] = &[
    "category",
    "inheritance",
    "symbol",
    "hgnc_id",
    "entrez_id",
    "ensembl_gene_id",
    "ucsc_id",
    "bed_hg19",
    "bed_hg38",
    "gnomad_constraints",
    "alphafold_id",
];

/// The filter of a panel: a category and an inheritance, each of them or `All`.
#[must_use]
pub fn filter(category: &str, inheritance: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let category = match category {
        "All" => format!(
            "any(category,{})",
            CATEGORIES[1..].iter().map(|c| quoted(c)).collect::<Vec<_>>().join(",")
        ),
        one => format!("equals(category,{})", quoted(one)),
    };
    let inheritance = match inheritance {
        "All" => INHERITANCES[1..].iter().map(|i| quoted(i)).collect::<Vec<_>>().join(","),
        one => quoted(one),
    };
    format!("{category},any(inheritance_filter,{inheritance})")
}

/// Reads the parameters of a panel.
///
/// # Errors
/// When one of them is wrong.
pub fn request(query: &ListQuery, max_category: bool) -> Result<ListRequest, ListError> {
    let table = if max_category { &PANEL } else { &PANEL_ROWS };
    let mut query = query.clone();
    query.page_size.get_or_insert_with(|| "all".to_owned());
    ListRequest::read(table, &query)
}

/// Reads one page of a panel.
///
/// # Errors
/// As [`list`].
pub async fn browse(reading: &mut Reading, request: &ListRequest) -> Result<ListPage, Error> {
    list(reading, request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_panel_of_the_page_can_be_asked_for() {
        for category in CATEGORIES {
            for inheritance in INHERITANCES {
                for max_category in [true, false] {
                    let filter = Some(filter(category, inheritance));
                    let query = ListQuery { filter, ..ListQuery::default() };
                    request(&query, max_category).expect("a panel");
                }
            }
        }
        let columns: Vec<_> = PANEL.shown().map(|column| column.name).collect();
        assert_eq!(columns, COLUMNS);
    }
}

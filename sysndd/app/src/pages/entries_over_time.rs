//! `/EntriesOverTime`: how the collection grew, as a chart.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use sysndd_core::filter::Filter;
use sysndd_store::statistics::{self, Group, Step, Unit};

use super::Pages;
use super::address::Address;
use super::answer::{self, Answer};
use super::chart::{Chart, Month, Series};
use super::condition::quoted;
use super::failure::Failure;
use super::frame::Frame;
use super::table::Choice;

const FILTER: &str = "contains(ndd_phenotype_word,Yes)";

#[derive(Template)]
#[template(path = "entries_over_time.html")]
struct EntriesOverTimePage {
    frame: Frame,
    json: String,
    noun: &'static str,
    note: &'static str,
    aggregates: Vec<Choice>,
    groups: Vec<Choice>,
    chart: Chart,
}

/// What is counted and by what, with the published words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    unit: Unit,
    group: Group,
    /// Something was asked for that only genes have.
    is_replaced: bool,
}

impl Wish {
    fn read(query: &[(String, String)]) -> Result<Self, Failure> {
        let value = |name: &str| {
            query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
        };
        let unit = match value("aggregate") {
            None | Some("" | "entity_id") => Unit::Entity,
            Some("symbol") => Unit::Gene,
            Some(other) => {
                return Err(Failure::bad(format!(
                    "aggregate is {other}; it is entity_id or symbol"
                )));
            }
        };
        let asked = value("group");
        let group = match asked {
            None | Some("" | "category") => Group::Category,
            Some("inheritance_filter") => Group::Inheritance,
            // Only a gene has several; for entities the plain groups are what comes nearest.
            Some("inheritance_multiple") if unit == Unit::Entity => Group::Inheritance,
            Some("inheritance_multiple") => Group::InheritanceMultiple,
            Some(other) => {
                let known = "category, inheritance_filter or inheritance_multiple";
                return Err(Failure::bad(format!("group is {other}; it is {known}")));
            }
        };
        let is_replaced = asked == Some("inheritance_multiple") && unit == Unit::Entity;
        Ok(Self { unit, group, is_replaced })
    }

    fn aggregate(self) -> &'static str {
        if self.unit == Unit::Gene { "symbol" } else { "entity_id" }
    }

    fn grouped_by(self) -> &'static str {
        match self.group {
            Group::Category => "category",
            Group::Inheritance => "inheritance_filter",
            Group::InheritanceMultiple => "inheritance_multiple",
        }
    }

    /// The list of what was there at the end of a year.
    fn address(self, year: i32, name: Option<&str>) -> String {
        let mut filter =
            format!("any(ndd_phenotype_word,Yes),lessThan(entry_date,{}-01-01)", year + 1);
        if let Some(name) = name {
            let (column, operation) = match self.group {
                Group::Category => ("category", "any"),
                Group::Inheritance => ("inheritance_filter", "any"),
                Group::InheritanceMultiple => ("inheritance_filter", "all"),
            };
            let values: Vec<_> = name.split(" | ").map(quoted).collect();
            filter.push_str(&format!(",{operation}({column},{})", values.join(",")));
        }
        Address::of(if self.unit == Unit::Gene { "/Genes" } else { "/Entities" })
            .with("filter", &filter)
            .to_string()
    }
}

fn choices(values: &[(&str, &str)], held: &str) -> Vec<Choice> {
    let choice = |(value, label): &(&str, &str)| Choice {
        value: (*value).to_owned(),
        label: (*label).to_owned(),
        chosen: *value == held,
    };
    values.iter().map(choice).collect()
}

/// The page.
pub(crate) async fn show(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Answer {
    let wish = Wish::read(&query)?;
    let mut visit = pages.visit(&headers).await?;
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let filter = Filter::parse(FILTER).map_err(Failure::internal)?;
    let read = statistics::entities_over_time(
        &mut visit.reading,
        wish.unit,
        wish.group,
        Step::Month,
        &filter,
    )
    .await?;
    let mut series: Vec<Series> =
        read.iter()
            .map(|series| {
                let totals = series.values.iter().filter_map(|point| {
                    Some((Month::of(&point.entry_date)?, point.cumulative_count))
                });
                Series::new(series.group.clone(), totals)
            })
            .collect();
    series.sort_by_key(|series| std::cmp::Reverse(series.end()));
    let noun = if wish.unit == Unit::Gene { "genes" } else { "entities" };
    let by = match wish.group {
        Group::Category => "category",
        Group::Inheritance => "inheritance",
        Group::InheritanceMultiple => "inheritance, genes with several on their own",
    };
    let own = |base: &str| {
        let unless = |value: &'static str, default: &str| if value == default { "" } else { value };
        Address::of(base.to_owned())
            .with("aggregate", unless(wish.aggregate(), "entity_id"))
            .with("group", unless(wish.grouped_by(), "category"))
    };
    let page = EntriesOverTimePage {
        frame: visit
            .frame("Entries over time", "How the number of entities and genes of SysNDD grew.")
            .at("/EntriesOverTime", visit.absolute(&own("/EntriesOverTime").to_string())),
        json: own("/api/statistics/entities_over_time").with("filter", FILTER).to_string(),
        noun,
        note: if wish.is_replaced {
            "Only a gene has several inheritances, an entity has one. Shown are entities by inheritance; count genes to see several."
        } else {
            ""
        },
        aggregates: choices(&[("entity_id", "Entities"), ("symbol", "Genes")], wish.aggregate()),
        groups: choices(
            &[
                ("category", "Category"),
                ("inheritance_filter", "Inheritance"),
                ("inheritance_multiple", "Several inheritances (genes)"),
            ],
            wish.grouped_by(),
        ),
        chart: Chart::new(format!("NDD {noun} over time by {by}"), series, move |year, name| {
            wish.address(year, name)
        }),
    };
    answer::page(&page, &visit.etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Wish, Failure> {
        let query: Vec<_> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Wish::read(&query)
    }

    #[test]
    fn a_point_leads_to_what_was_there_before_the_next_year() {
        let wish = read(&[]).expect("the default");
        assert_eq!(
            wish.address(2015, Some("not applicable")),
            "/Entities?filter=any(ndd_phenotype_word,Yes),lessThan(entry_date,2016-01-01),any(category,not%20applicable)"
        );
    }

    #[test]
    fn several_inheritances_are_for_genes_only() {
        let entities = read(&[("group", "inheritance_multiple")]).expect("a wish");
        assert_eq!((entities.group, entities.is_replaced), (Group::Inheritance, true));
        let genes =
            read(&[("group", "inheritance_multiple"), ("aggregate", "symbol")]).expect("a wish");
        assert_eq!((genes.group, genes.is_replaced), (Group::InheritanceMultiple, false));
        assert!(
            genes
                .address(2015, Some("Other | X-linked"))
                .contains("all(inheritance_filter,Other,X-linked)")
        );
    }

    #[test]
    fn an_unknown_word_is_refused() {
        assert!(read(&[("group", "moon")]).is_err() && read(&[("aggregate", "moon")]).is_err());
    }
}

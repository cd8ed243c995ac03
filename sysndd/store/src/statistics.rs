//! Numbers for the front page: counts by category, the newest entities, entities over time.
//!
//! They are counted from the rows of the same view and by the same filters as the lists, so that a
//! number and the list behind its link agree.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use foundation_durable::{BuiltSql, Statement};
use sysndd_core::filter::Filter;
use sysndd_core::list::ENTITY;

use crate::entity::{Entity, of_row};
use crate::error::Error;
use crate::list::Condition;
use crate::reader::Reading;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Genes; each in its strongest category, or from its first entry on.
    Gene,
    /// Entities.
    Entity,
}

/// One part of a category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryPart {
    /// The group of inheritances.
    pub inheritance: String,
    /// How many; a gene with two inheritances is in two parts.
    pub n: i64,
}

/// A category and how many are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryCount {
    /// Its name.
    pub category: String,
    /// Its number.
    pub category_id: i64,
    /// How many.
    pub n: i64,
    /// The same by inheritance, the largest first.
    pub groups: Vec<CategoryPart>,
}

/// What entities over time are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// The strength of the evidence.
    Category,
    /// The group of inheritances.
    Inheritance,
    /// All inheritances of a gene together; for genes only.
    InheritanceMultiple,
}

/// How long a step in time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A day.
    Day,
    /// A month.
    Month,
    /// A quarter.
    Quarter,
    /// A year.
    Year,
}

/// A point of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The first day of the step.
    pub entry_date: String,
    /// New in this step.
    pub count: i64,
    /// In this step and all before.
    pub cumulative_count: i64,
}

/// The series of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The group.
    pub group: String,
    /// Its points in time order; steps without anything new are left out.
    pub values: Vec<Point>,
}

/// The weakest category that is counted: Limited.
const WEAKEST: i64 = 3;

const COUNTED: Statement = Statement {
    name: "statistics: counted",
    sql: "SELECT symbol, category_id, category, inheritance_filter FROM public_entity \
          WHERE ndd_phenotype = 1",
};

/// The time of entry is not in the view, whose date is a day.
const NEWS: Statement = Statement {
    name: "statistics: news",
    sql: "SELECT p.entity_id, p.hgnc_id, p.symbol, p.disease_ontology_id_version, \
          p.disease_ontology_name, p.hpo_mode_of_inheritance_term, \
          p.hpo_mode_of_inheritance_term_name, p.inheritance_filter, p.ndd_phenotype, \
          p.ndd_phenotype_word, replace(replace(n.entry_date, 'T', ' '), 'Z', ''), p.category, \
          p.category_id, p.synopsis, p.category_basis \
          FROM public_entity AS p JOIN ndd_entity AS n ON n.entity_id = p.entity_id \
          WHERE p.ndd_phenotype = 1 AND p.category_id = 1 \
          ORDER BY n.entry_date DESC, p.entity_id DESC LIMIT $1",
};

const LAST_UPDATE: Statement = Statement {
    name: "statistics: last update",
    sql: "SELECT replace(replace(MAX(n.entry_date), 'T', ' '), 'Z', '') \
          FROM public_entity AS p JOIN ndd_entity AS n ON n.entity_id = p.entity_id",
};

pub(crate) const STATEMENTS: &[Statement] = &[COUNTED, NEWS, LAST_UPDATE];

/// Counts by category and inheritance, for neurodevelopmental disorders; Definitive, Moderate and
/// Limited only.
///
/// # Errors
/// When the database can't be read.
pub async fn category_count(
    reading: &mut Reading,
    unit: Unit,
) -> Result<Arc<Vec<CategoryCount>>, Error> {
    let name = format!("statistics category {unit:?}");
    if let Some(counts) = reading.memory.get::<Vec<CategoryCount>>(reading.version(), &name) {
        return Ok(counts);
    }
    let mut rows = Vec::new();
    for row in reading.rows(&COUNTED, &[]).await? {
        rows.push((
            row.text(0)?.to_owned(),
            row.integer(1)?,
            row.text(2)?.to_owned(),
            row.text(3)?.to_owned(),
        ));
    }
    let counts = Arc::new(by_category(unit, &rows));
    reading.memory.keep(reading.version(), name, 1024, &counts);
    Ok(counts)
}

/// Symbol, number and name of the category, inheritance.
type Counted = (String, i64, String, String);

fn by_category(unit: Unit, rows: &[Counted]) -> Vec<CategoryCount> {
    let mut best: HashMap<&str, i64> = HashMap::new();
    for (symbol, category, _, _) in rows {
        let known = best.entry(symbol).or_insert(*category);
        *known = (*known).min(*category);
    }
    let names: BTreeMap<i64, &str> =
        rows.iter().map(|(_, number, name, _)| (*number, name.as_str())).collect();
    let mut total: BTreeMap<i64, i64> = BTreeMap::new();
    let mut parts: BTreeMap<(i64, &str), i64> = BTreeMap::new();
    match unit {
        Unit::Entity => {
            for (_, category, _, inheritance) in rows {
                *total.entry(*category).or_default() += 1;
                *parts.entry((*category, inheritance)).or_default() += 1;
            }
        }
        Unit::Gene => {
            for category in best.values() {
                *total.entry(*category).or_default() += 1;
            }
            let pairs: BTreeSet<(&str, &str)> =
                rows.iter().map(|(symbol, _, _, part)| (symbol.as_str(), part.as_str())).collect();
            for (symbol, inheritance) in pairs {
                *parts.entry((best[symbol], inheritance)).or_default() += 1;
            }
        }
    }
    let part = |category: i64| {
        let mut groups: Vec<CategoryPart> = parts
            .iter()
            .filter(|((of, _), _)| *of == category)
            .map(|((_, name), n)| CategoryPart { inheritance: (*name).to_owned(), n: *n })
            .collect();
        groups.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| a.inheritance.cmp(&b.inheritance)));
        groups
    };
    total
        .iter()
        .filter(|(category, _)| **category <= WEAKEST)
        .map(|(category, n)| CategoryCount {
            category: names.get(category).copied().unwrap_or_default().to_owned(),
            category_id: *category,
            n: *n,
            groups: part(*category),
        })
        .collect()
}

/// The newest entities that are neurodevelopmental disorders on definitive evidence; their dates
/// have the time.
///
/// # Errors
/// When the database can't be read.
pub async fn news(reading: &mut Reading, n: u32) -> Result<Vec<Entity>, Error> {
    reading.rows(&NEWS, &[i64::from(n).into()]).await?.iter().map(of_row).collect()
}

/// The time of the newest entry; nothing for an empty database.
///
/// # Errors
/// When the database can't be read.
pub async fn last_update(reading: &mut Reading) -> Result<Option<String>, Error> {
    let row = reading.row(&LAST_UPDATE, &[]).await?;
    Ok(match row {
        Some(row) => row.optional_text(0)?.map(str::to_owned),
        None => None,
    })
}

/// How many entities or genes there were at the end of each step in time, by group. Over all groups
/// the last cumulative counts sum up to the length of the list with the same filter, for entities.
///
/// # Errors
/// When the database can't be read.
pub async fn entities_over_time(
    reading: &mut Reading,
    unit: Unit,
    group: Group,
    step: Step,
    filter: &Filter,
) -> Result<Arc<Vec<Series>>, Error> {
    let name = format!("statistics time {unit:?} {group:?} {step:?} {filter:?}");
    if let Some(series) = reading.memory.get::<Vec<Series>>(reading.version(), &name) {
        return Ok(series);
    }
    let condition = Condition::of(reading, &ENTITY, filter);
    let built = BuiltSql::from_builder(
        "statistics: over time",
        format!(
            "SELECT e.symbol, e.entry_date, e.category, e.inheritance_filter \
             FROM public_entity AS e WHERE {}",
            condition.sql
        ),
    );
    let mut rows = Vec::new();
    for row in reading.transaction.built_rows(&built, &condition.values).await? {
        let at = if group == Group::Category { 2 } else { 3 };
        rows.push((row.text(0)?.to_owned(), row.text(1)?.to_owned(), row.text(at)?.to_owned()));
    }
    let series = Arc::new(over_time(unit, group, step, rows));
    let bytes = series.iter().map(|series| series.values.len() * 64 + 64).sum();
    reading.memory.keep(reading.version(), name, bytes, &series);
    Ok(series)
}

/// Rows are symbol, date and group.
fn over_time(
    unit: Unit,
    group: Group,
    step: Step,
    mut rows: Vec<(String, String, String)>,
) -> Vec<Series> {
    if group == Group::InheritanceMultiple {
        let mut all: HashMap<String, BTreeSet<String>> = HashMap::new();
        for (symbol, _, part) in &rows {
            all.entry(symbol.clone()).or_default().insert(part.clone());
        }
        for (symbol, _, part) in &mut rows {
            let parts: Vec<_> = all[symbol.as_str()].iter().map(String::as_str).collect();
            *part = parts.join(" | ");
        }
    }
    if unit == Unit::Gene {
        let mut first: BTreeMap<(String, String), String> = BTreeMap::new();
        for (symbol, date, part) in rows {
            let known = first.entry((symbol, part)).or_insert_with(|| date.clone());
            if date < *known {
                *known = date;
            }
        }
        rows = first.into_iter().map(|((symbol, part), date)| (symbol, date, part)).collect();
    }
    let mut counts: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for (_, date, part) in rows {
        *counts.entry(part).or_default().entry(floor(&date, step)).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(group, steps)| {
            let mut cumulative_count = 0;
            let values = steps
                .into_iter()
                .map(|(entry_date, count)| {
                    cumulative_count += count;
                    Point { entry_date, count, cumulative_count }
                })
                .collect();
            Series { group, values }
        })
        .collect()
}

/// The first day of the step in which a day lies.
fn floor(date: &str, step: Step) -> String {
    let part = |from: usize, to: usize| date.get(from..to).unwrap_or("01");
    match step {
        Step::Day => part(0, 10).to_owned(),
        Step::Month => format!("{}-01", part(0, 7)),
        Step::Quarter => {
            let month: u32 = part(5, 7).parse().unwrap_or(1);
            format!("{}-{:02}-01", part(0, 4), (month.saturating_sub(1) / 3) * 3 + 1)
        }
        Step::Year => format!("{}-01-01", part(0, 4)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(symbol: &str, category: i64, inheritance: &str) -> Counted {
        (symbol.to_owned(), category, format!("category {category}"), inheritance.to_owned())
    }

    #[test]
    fn a_gene_counts_once_in_its_strongest_category_and_in_each_of_its_inheritances() {
        let rows = [row("A", 3, "AD"), row("A", 1, "AR"), row("B", 3, "AR"), row("B", 3, "AR")];
        let genes = by_category(Unit::Gene, &rows);
        let shape: Vec<_> = genes.iter().map(|c| (c.category_id, c.n, c.groups.len())).collect();
        assert_eq!(shape, [(1, 1, 2), (3, 1, 1)]);
        let entities = by_category(Unit::Entity, &rows);
        let shape: Vec<_> = entities.iter().map(|c| (c.category_id, c.n)).collect();
        assert_eq!(shape, [(1, 1), (3, 3)]);
        assert_eq!(entities[1].groups[0], CategoryPart { inheritance: "AR".to_owned(), n: 2 });
    }

    #[test]
    fn a_gene_enters_when_its_first_entity_does() {
        let row = |symbol: &str, date: &str, group: &str| {
            (symbol.to_owned(), date.to_owned(), group.to_owned())
        };
        let rows = vec![
            row("A", "2012-05-03", "X"),
            row("A", "2010-11-30", "X"),
            row("B", "2010-11-02", "X"),
            row("B", "2011-08-02", "Y"),
        ];
        let series = over_time(Unit::Gene, Group::Category, Step::Month, rows.clone());
        let point = |entry_date: &str, count, cumulative_count| Point {
            entry_date: entry_date.to_owned(),
            count,
            cumulative_count,
        };
        assert_eq!(series[0].values, [point("2010-11-01", 2, 2)]);
        assert_eq!(series[1].values, [point("2011-08-01", 1, 1)]);
        let series = over_time(Unit::Entity, Group::Category, Step::Year, rows.clone());
        assert_eq!(series[0].values, [point("2010-01-01", 2, 2), point("2012-01-01", 1, 3)]);
        let both = over_time(Unit::Gene, Group::InheritanceMultiple, Step::Quarter, rows);
        let groups: Vec<_> = both.iter().map(|series| series.group.as_str()).collect();
        assert_eq!(groups, ["X", "X | Y"]);
        assert_eq!(both[0].values, [point("2010-10-01", 1, 1)]);
    }
}

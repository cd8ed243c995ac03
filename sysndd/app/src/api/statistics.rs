//! Statistics.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use serde::{Deserialize, Serialize};
use sysndd_store::list::{ENTITY, ListQuery, ListRequest};
use sysndd_store::statistics::{self, CategoryCount, Group, Step, Unit};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::answer::{Answer, json, open, refused};
use super::asked::Parameters;
use super::envelope::took;
use super::problem::{Problem, Problems};
use super::wire::NewsRow;

const CATEGORY_SORT: &str = "category_id,-n";
const OVER_TIME_FILTER: &str = "contains(ndd_phenotype_word,Yes)";
const NEWS_MAX: u32 = 100;

/// What is counted.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum CountType {
    /// Genes, each in its strongest category.
    #[default]
    Gene,
    /// Entities.
    Entity,
}

/// The parameters of counts by category.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CategoryParameters {
    /// What is counted: genes unless said otherwise.
    #[param(inline, nullable = false)]
    r#type: Option<CountType>,
    /// `category_id`, `category` and `n`, separated by commas, `-` before those to turn round.
    #[param(nullable = false)]
    sort: Option<String>,
}

/// Counts by category.
#[derive(Serialize, ToSchema)]
pub(super) struct CategoryAnswer {
    meta: Vec<CategoryMeta>,
    data: Vec<CategoryRow>,
}

/// What the counts are of.
#[derive(Serialize, ToSchema)]
pub(super) struct CategoryMeta {
    /// The time of the newest entry; null if there is none.
    last_update: Option<String>,
    #[serde(rename = "executionTime")]
    execution_time: String,
}

/// A category.
#[derive(Serialize, ToSchema)]
pub(super) struct CategoryRow {
    category: String,
    n: i64,
    /// Always `All`.
    inheritance: String,
    groups: Vec<CategoryGroup>,
}

/// A category and an inheritance.
#[derive(Serialize, ToSchema)]
pub(super) struct CategoryGroup {
    category: String,
    category_id: i64,
    inheritance: String,
    n: i64,
}

/// The parameters of the news.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct NewsParameters {
    /// How many; 5 unless said otherwise.
    #[param(nullable = false, minimum = 1, maximum = 100)]
    n: Option<u32>,
}

/// What entities over time are counted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Aggregate {
    /// Entities.
    #[default]
    EntityId,
    /// Genes, from their first entry on.
    Symbol,
}

/// What entities over time are grouped by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum GroupBy {
    /// The strength of the evidence.
    #[default]
    Category,
    /// The group of inheritances.
    InheritanceFilter,
    /// All inheritances of a gene; with `aggregate=symbol` only.
    InheritanceMultiple,
}

/// How long a step is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Summarize {
    /// A day.
    Day,
    /// A month.
    #[default]
    Month,
    /// A quarter.
    Quarter,
    /// A year.
    Year,
}

/// The parameters of entities over time.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OverTimeParameters {
    /// What is counted; entities unless said otherwise.
    #[param(inline, nullable = false, value_type = Option<Aggregate>)]
    aggregate: Option<String>,
    /// By what; the category unless said otherwise.
    #[param(inline, nullable = false, value_type = Option<GroupBy>)]
    group: Option<String>,
    /// How long a step is; a month unless said otherwise.
    #[param(inline, nullable = false)]
    summarize: Option<Summarize>,
    /// Which entities; those of neurodevelopmental disorders unless said otherwise.
    #[param(nullable = false, max_length = 8192)]
    filter: Option<String>,
}

/// Entities over time.
#[derive(Serialize, ToSchema)]
pub(super) struct OverTimeAnswer {
    meta: Vec<OverTimeMeta>,
    data: Vec<OverTimeSeries>,
}

/// What the series are.
#[derive(Serialize, ToSchema)]
pub(super) struct OverTimeMeta {
    aggregate: Aggregate,
    group: GroupBy,
    summarize: Summarize,
    filter: String,
    max_count: i64,
    max_cumulative_count: i64,
    #[serde(rename = "executionTime")]
    execution_time: String,
}

/// The series of one group; a step without anything new is left out.
#[derive(Serialize, ToSchema)]
pub(super) struct OverTimeSeries {
    group: String,
    values: Vec<OverTimePoint>,
}

/// A point of a series.
#[derive(Serialize, ToSchema)]
pub(super) struct OverTimePoint {
    /// The first day of the step.
    entry_date: String,
    count: i64,
    cumulative_count: i64,
}

/// Sorts counts as asked.
fn sort(counts: &mut [CategoryCount], text: &str) -> Result<(), Problem> {
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()).rev() {
        let (descending, name) = match word.strip_prefix('-') {
            Some(name) => (true, name.trim()),
            None => (false, word.strip_prefix('+').unwrap_or(word).trim()),
        };
        let compare: fn(&CategoryCount, &CategoryCount) -> std::cmp::Ordering = match name {
            "category_id" => |a, b| a.category_id.cmp(&b.category_id),
            "category" => |a, b| a.category.cmp(&b.category),
            "n" => |a, b| a.n.cmp(&b.n),
            _ => {
                let detail = format!("Unknown column `{name}`; there are category_id, category, n");
                return Err(Problem::parameter("sort", detail));
            }
        };
        counts.sort_by(|a, b| if descending { compare(b, a) } else { compare(a, b) });
    }
    Ok(())
}

/// Genes or entities by category and inheritance.
///
/// Of neurodevelopmental disorders; Definitive, Moderate and Limited. A gene with two inheritances is
/// in two groups, so groups may sum up to more than their category.
#[utoipa::path(
    get, path = "/api/statistics/category_count", tag = "Statistics", operation_id = "categoryCount",
    params(CategoryParameters),
    responses((status = 200, description = "The counts", body = CategoryAnswer), Problems)
)]
pub(super) async fn category_count(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Parameters(parameters): Parameters<CategoryParameters>,
) -> Answer {
    let start = shared.state.clock.monotonic();
    let unit = match parameters.r#type.unwrap_or_default() {
        CountType::Gene => Unit::Gene,
        CountType::Entity => Unit::Entity,
    };
    let sort_text = parameters.sort.as_deref().unwrap_or(CATEGORY_SORT);
    sort(&mut [], sort_text).map_err(axum::response::IntoResponse::into_response)?;
    let mut reading = open(&shared.state, &headers).await?;
    let counts = statistics::category_count(&mut reading, unit).await.map_err(refused)?;
    let last_update = statistics::last_update(&mut reading).await.map_err(refused)?;
    let mut counts = counts.to_vec();
    sort(&mut counts, sort_text).map_err(axum::response::IntoResponse::into_response)?;
    let row = |count: CategoryCount| CategoryRow {
        groups: count
            .groups
            .iter()
            .map(|part| CategoryGroup {
                category: count.category.clone(),
                category_id: count.category_id,
                inheritance: part.inheritance.clone(),
                n: part.n,
            })
            .collect(),
        category: count.category,
        n: count.n,
        inheritance: "All".to_owned(),
    };
    let seconds = shared.state.clock.monotonic().saturating_sub(start).as_secs_f64();
    let answer = CategoryAnswer {
        meta: vec![CategoryMeta { last_update, execution_time: took(seconds) }],
        data: counts.into_iter().map(row).collect(),
    };
    json(reading, &answer).await
}

/// The newest entities of neurodevelopmental disorders on definitive evidence.
#[utoipa::path(
    get, path = "/api/statistics/news", tag = "Statistics", operation_id = "news",
    params(NewsParameters),
    responses((status = 200, description = "The entities", body = Vec<NewsRow>), Problems)
)]
pub(super) async fn news(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Parameters(parameters): Parameters<NewsParameters>,
) -> Answer {
    let n = parameters.n.unwrap_or(5);
    if !(1..=NEWS_MAX).contains(&n) {
        let detail = format!("`n` is a number from 1 to {NEWS_MAX}");
        return Err(Problem::parameter("n", detail).into_response());
    }
    let mut reading = open(&shared.state, &headers).await?;
    let found = statistics::news(&mut reading, n).await.map_err(refused)?;
    json(reading, &found.into_iter().map(NewsRow::from).collect::<Vec<_>>()).await
}

/// The choices of two parameters, whose refusals existing clients know by their words.
fn choices(parameters: &OverTimeParameters) -> Result<(Aggregate, GroupBy), Problem> {
    let refused = |parameter: &str| {
        let detail = "Required 'aggregate' or 'group' parameter not in allowed list.";
        Problem::parameter(parameter, detail)
    };
    let aggregate = match parameters.aggregate.as_deref() {
        None | Some("entity_id") => Aggregate::EntityId,
        Some("symbol") => Aggregate::Symbol,
        Some(_) => return Err(refused("aggregate")),
    };
    let group = match parameters.group.as_deref() {
        None | Some("category") => GroupBy::Category,
        Some("inheritance_filter") => GroupBy::InheritanceFilter,
        Some("inheritance_multiple") => GroupBy::InheritanceMultiple,
        Some(_) => return Err(refused("group")),
    };
    if group == GroupBy::InheritanceMultiple && aggregate == Aggregate::EntityId {
        let detail = "Multiple inheritance only sensible when grouping by gene symbol.";
        return Err(Problem::parameter("group", detail));
    }
    Ok((aggregate, group))
}

/// How many entities or genes there were at the end of each step in time, by group.
#[utoipa::path(
    get, path = "/api/statistics/entities_over_time", tag = "Statistics",
    operation_id = "entitiesOverTime", params(OverTimeParameters),
    responses((status = 200, description = "The series", body = OverTimeAnswer), Problems)
)]
pub(super) async fn entities_over_time(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Parameters(parameters): Parameters<OverTimeParameters>,
) -> Answer {
    let start = shared.state.clock.monotonic();
    let (aggregate, group) =
        choices(&parameters).map_err(axum::response::IntoResponse::into_response)?;
    let filter = parameters.filter.unwrap_or_else(|| OVER_TIME_FILTER.to_owned());
    let query = ListQuery { filter: Some(filter), ..ListQuery::default() };
    let request =
        ListRequest::read(&ENTITY, &query).map_err(|error| Problem::from(error).into_response())?;
    let unit = if aggregate == Aggregate::Symbol { Unit::Gene } else { Unit::Entity };
    let by = match group {
        GroupBy::Category => Group::Category,
        GroupBy::InheritanceFilter => Group::Inheritance,
        GroupBy::InheritanceMultiple => Group::InheritanceMultiple,
    };
    let summarize = parameters.summarize.unwrap_or_default();
    let step = match summarize {
        Summarize::Day => Step::Day,
        Summarize::Month => Step::Month,
        Summarize::Quarter => Step::Quarter,
        Summarize::Year => Step::Year,
    };
    let mut reading = open(&shared.state, &headers).await?;
    let series = statistics::entities_over_time(&mut reading, unit, by, step, &request.filter)
        .await
        .map_err(refused)?;
    let points = || series.iter().flat_map(|series| &series.values);
    let seconds = shared.state.clock.monotonic().saturating_sub(start).as_secs_f64();
    let meta = OverTimeMeta {
        aggregate,
        group,
        summarize,
        filter: request.filter_text,
        max_count: points().map(|point| point.count).max().unwrap_or(0),
        max_cumulative_count: points().map(|point| point.cumulative_count).max().unwrap_or(0),
        execution_time: took(seconds),
    };
    let data = series.iter().map(|series| OverTimeSeries {
        group: series.group.clone(),
        values: series
            .values
            .iter()
            .map(|point| OverTimePoint {
                entry_date: point.entry_date.clone(),
                count: point.count,
                cumulative_count: point.cumulative_count,
            })
            .collect(),
    });
    let answer = OverTimeAnswer { meta: vec![meta], data: data.collect() };
    json(reading, &answer).await
}

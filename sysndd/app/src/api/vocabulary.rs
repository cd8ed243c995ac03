//! The words that entities are made of, in the envelope of lists.
//!
//! They are a few rows each, so they are paged here and not in the database.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use sysndd_core::list::PAGE_ROWS_MAX;
use sysndd_store::vocabulary;
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::answer::{Answer, json, open, refused};
use super::asked::Parameters;
use super::envelope::{ItemId, Links, Place};
use super::lists;
use super::parameters::{FlagParameter, PageSizeParameter, flag};
use super::problem::{Problem, Problems};

/// The parameters of a vocabulary.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct VocabularyParameters {
    /// Whether to answer with what a tree of choices shows: `id`, `label` and, for phenotypes, `children`.
    #[serde(default, deserialize_with = "flag")]
    #[param(inline, nullable = false, value_type = Option<FlagParameter>)]
    tree: Option<bool>,
    /// The id of the last row of the page before; `0` for the beginning.
    #[param(nullable = false)]
    page_after: Option<String>,
    /// Rows of a page, from 1 to 50000, or `all`, which is what happens unless it is said otherwise.
    #[param(inline, nullable = false, value_type = Option<PageSizeParameter>)]
    page_size: Option<String>,
}

/// A vocabulary with what leads to its other pages.
#[derive(Serialize, ToSchema)]
pub(super) struct VocabularyEnvelope<T> {
    links: Vec<Links>,
    meta: Vec<VocabularyMeta>,
    data: Vec<T>,
}

/// What a page is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct VocabularyMeta {
    per_page: usize,
    current_page: usize,
    total_pages: usize,
    #[serde(rename = "prevItemID")]
    prev_item_id: ItemId,
    #[serde(rename = "currentItemID")]
    current_item_id: ItemId,
    #[serde(rename = "nextItemID")]
    next_item_id: ItemId,
    #[serde(rename = "lastItemID")]
    last_item_id: ItemId,
    total_items: usize,
}

/// A strength of evidence.
#[derive(Serialize, ToSchema)]
pub(super) struct StatusWord {
    category_id: i64,
    category: String,
}

/// A phenotype that reviews use.
#[derive(Serialize, ToSchema)]
pub(super) struct PhenotypeWord {
    phenotype_id: String,
    #[serde(rename = "HPO_term")]
    hpo_term: String,
    #[serde(rename = "HPO_term_definition")]
    hpo_term_definition: Option<String>,
    #[serde(rename = "HPO_term_synonyms")]
    hpo_term_synonyms: Option<String>,
}

/// An inheritance that entities may have.
#[derive(Serialize, ToSchema)]
pub(super) struct InheritanceWord {
    hpo_mode_of_inheritance_term: String,
    hpo_mode_of_inheritance_term_name: String,
    hpo_mode_of_inheritance_term_definition: Option<String>,
    inheritance_filter: String,
    inheritance_short_text: String,
    sort: i64,
}

/// A choice.
#[derive(Serialize, ToSchema)]
pub(super) struct Choice<I> {
    id: I,
    label: String,
}

/// A choice with more of them below.
#[derive(Serialize, ToSchema)]
pub(super) struct Branch {
    /// The term with its modifier before it.
    #[schema(example = "1-HP:0000077")]
    id: String,
    #[schema(example = "present: Abnormality of the kidney")]
    label: String,
    children: Vec<Choice<String>>,
}

/// Either a page or the choices of a tree.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "what the document says of an answer that is one or the other")]
pub(super) enum PageOrTree<P, T> {
    /// With `tree=FALSE`, which is what happens unless it is said otherwise.
    Page(P),
    /// With `tree=TRUE`.
    Tree(Vec<T>),
}

impl VocabularyParameters {
    /// The rows of a page; `None` for all.
    fn page_rows(&self) -> Result<Option<usize>, Problem> {
        match self.page_size.as_deref().map(str::trim) {
            None => Ok(None),
            Some(all) if all.eq_ignore_ascii_case("all") => Ok(None),
            Some(text) => match text.parse::<u32>() {
                Ok(size) if (1..=PAGE_ROWS_MAX).contains(&size) => Ok(Some(size as usize)),
                _ => {
                    let detail =
                        format!("`page_size` is a number from 1 to {PAGE_ROWS_MAX}, or `all`");
                    Err(Problem::parameter("page_size", detail))
                }
            },
        }
    }

    /// Whether a tree is asked for. It has no pages, but what is said about them has to be right.
    fn is_tree(&self) -> Result<bool, Problem> {
        self.page_rows().map(|_| self.tree == Some(true))
    }
}

/// Cuts a page out of a few rows.
fn page<T>(
    rows: Vec<T>,
    parameters: &VocabularyParameters,
    place: &Place,
    id: impl Fn(&T) -> ItemId,
) -> Result<VocabularyEnvelope<T>, Problem> {
    let total = rows.len();
    let per_page = parameters.page_rows()?.unwrap_or(total.max(1));
    let text = |item: &ItemId| match item {
        ItemId::Number(number) => number.to_string(),
        ItemId::Text(text) => text.clone(),
    };
    let after = parameters.page_after.as_deref().unwrap_or_default().trim();
    let start = rows.iter().position(|row| text(&id(row)) == after).map_or(0, |place| place + 1);
    let end = (start + per_page).min(total);
    let total_pages = total.div_ceil(per_page).max(1);
    let nothing = || ItemId::Text("null".to_owned());
    let cursor = |place: usize| match place.checked_sub(1) {
        None => ItemId::Number(0),
        Some(last) => rows.get(last).map_or(ItemId::Number(0), &id),
    };
    let meta = VocabularyMeta {
        per_page,
        current_page: (start.div_ceil(per_page) + 1).min(total_pages),
        total_pages,
        prev_item_id: if start == 0 { nothing() } else { cursor(start.saturating_sub(per_page)) },
        current_item_id: cursor(start),
        next_item_id: if end < total { cursor(end) } else { nothing() },
        last_item_id: match total_pages {
            1 => nothing(),
            pages => cursor(per_page * (pages - 1)),
        },
        total_items: total,
    };
    let link = |item: &ItemId| match text(item) {
        word if word == "null" => word,
        after => format!("{}?page_after={after}&page_size={per_page}", place.address),
    };
    let links = Links {
        prev: link(&meta.prev_item_id),
        this: link(&meta.current_item_id),
        next: link(&meta.next_item_id),
        last: link(&meta.last_item_id),
    };
    let data = rows.into_iter().skip(start).take(per_page).collect();
    Ok(VocabularyEnvelope { links: vec![links], meta: vec![meta], data })
}

/// The strengths of evidence, the strongest first.
#[utoipa::path(
    get, path = "/api/list/status", tag = "Lists", operation_id = "listStatus",
    params(VocabularyParameters),
    responses((status = 200, description = "The words",
        body = PageOrTree<VocabularyEnvelope<StatusWord>, Choice<i64>>), Problems)
)]
pub(super) async fn status(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Parameters(parameters): Parameters<VocabularyParameters>,
) -> Answer {
    let mut reading = open(&shared.state, &headers).await?;
    let words = vocabulary::categories(&mut reading).await.map_err(refused)?;
    if parameters.is_tree().map_err(IntoResponse::into_response)? {
        let choice =
            |word: vocabulary::Category| Choice { id: word.category_id, label: word.category };
        return json(reading, &words.into_iter().map(choice).collect::<Vec<_>>()).await;
    }
    let rows = words
        .into_iter()
        .map(|word| StatusWord { category_id: word.category_id, category: word.category })
        .collect();
    let place = lists::place(&shared, &headers, "/api/list/status");
    let page = page(rows, &parameters, &place, |row| ItemId::Number(row.category_id));
    json(reading, &page.map_err(IntoResponse::into_response)?).await
}

/// The phenotypes that reviews use.
#[utoipa::path(
    get, path = "/api/list/phenotype", tag = "Lists", operation_id = "listPhenotype",
    params(VocabularyParameters),
    responses((status = 200, description = "The words",
        body = PageOrTree<VocabularyEnvelope<PhenotypeWord>, Branch>), Problems)
)]
pub(super) async fn phenotype(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Parameters(parameters): Parameters<VocabularyParameters>,
) -> Answer {
    let mut reading = open(&shared.state, &headers).await?;
    let words = vocabulary::phenotypes(&mut reading).await.map_err(refused)?;
    if parameters.is_tree().map_err(IntoResponse::into_response)? {
        let modifiers = vocabulary::modifiers(&mut reading).await.map_err(refused)?;
        let branches: Vec<_> = words.iter().filter_map(|word| branch(word, &modifiers)).collect();
        return json(reading, &branches).await;
    }
    let rows = words
        .into_iter()
        .map(|word| PhenotypeWord {
            phenotype_id: word.phenotype_id,
            hpo_term: word.hpo_term,
            hpo_term_definition: word.hpo_term_definition,
            hpo_term_synonyms: word.hpo_term_synonyms,
        })
        .collect();
    let id = |row: &PhenotypeWord| ItemId::Text(row.phenotype_id.clone());
    let place = lists::place(&shared, &headers, "/api/list/phenotype");
    let page = page(rows, &parameters, &place, id);
    json(reading, &page.map_err(IntoResponse::into_response)?).await
}

/// A term with its first modifier, and below it the term with the others.
fn branch(word: &vocabulary::Term, modifiers: &[vocabulary::Modifier]) -> Option<Branch> {
    let choice = |modifier: &vocabulary::Modifier| Choice {
        id: format!("{}-{}", modifier.modifier_id, word.phenotype_id),
        label: format!("{}: {}", modifier.modifier_name, word.hpo_term),
    };
    let (first, others) = modifiers.split_first()?;
    let Choice { id, label } = choice(first);
    Some(Branch { id, label, children: others.iter().map(choice).collect() })
}

/// The inheritances that entities may have.
#[utoipa::path(
    get, path = "/api/list/inheritance", tag = "Lists", operation_id = "listInheritance",
    params(VocabularyParameters),
    responses((status = 200, description = "The words",
        body = PageOrTree<VocabularyEnvelope<InheritanceWord>, Choice<String>>), Problems)
)]
pub(super) async fn inheritance(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Parameters(parameters): Parameters<VocabularyParameters>,
) -> Answer {
    let mut reading = open(&shared.state, &headers).await?;
    let words = vocabulary::inheritances(&mut reading).await.map_err(refused)?;
    if parameters.is_tree().map_err(IntoResponse::into_response)? {
        let choice = |word: vocabulary::Inheritance| Choice {
            id: word.hpo_mode_of_inheritance_term,
            label: word.hpo_mode_of_inheritance_term_name,
        };
        return json(reading, &words.into_iter().map(choice).collect::<Vec<_>>()).await;
    }
    let rows = words
        .into_iter()
        .map(|word| InheritanceWord {
            hpo_mode_of_inheritance_term: word.hpo_mode_of_inheritance_term,
            hpo_mode_of_inheritance_term_name: word.hpo_mode_of_inheritance_term_name,
            hpo_mode_of_inheritance_term_definition: word.definition,
            inheritance_filter: word.inheritance_filter,
            inheritance_short_text: word.inheritance_short_text,
            sort: word.sort,
        })
        .collect();
    let id = |row: &InheritanceWord| ItemId::Text(row.hpo_mode_of_inheritance_term.clone());
    let place = lists::place(&shared, &headers, "/api/list/inheritance");
    let page = page(rows, &parameters, &place, id).map_err(IntoResponse::into_response)?;
    json(reading, &page).await
}

//! The rows: first what each entity is, then all of them, table by table.

use foundation_durable::{Error, Statement, Transaction, Value};
use sysndd_core::term::Term;
use sysndd_core::vocabulary::{Category, PHENOTYPES};

use super::person::Authors;
use super::random::Random;
use super::reference::{hgnc, omim, pubmed};
use super::{Made, SUPERSEDED, UNAPPROVED};
use crate::batch::Batch;
use crate::ids::{Ids, Sequence};

/// How often each phenotype of the list is linked on the published site, in its order, of
/// [`LINKED_OF`].
const LINKED: [usize; 39] = [
    153, 20, 67, 289, 78, 723, 147, 255, 681, 1285, 701, 148, 499, 900, 1165, 1071, 76, 26, 212,
    321, 94, 344, 818, 1172, 231, 86, 1186, 264, 46, 129, 187, 347, 606, 189, 747, 165, 442, 112,
    187,
];
const LINKED_OF: usize = 1998;

const MODES: [(u32, usize); 7] =
    [(7, 1133), (6, 656), (1419, 60), (1423, 55), (1417, 23), (1427, 12), (1428, 4)];

const CATEGORIES: [(Category, usize); 5] = [
    (Category::Definitive, 1998),
    (Category::Moderate, 199),
    (Category::Limited, 1482),
    (Category::Refuted, 5),
    (Category::NotApplicable, 400),
];

const MODIFIERS: [(i64, usize); 4] = [(1, 900), (3, 60), (4, 30), (2, 10)];

pub(super) const WORDS: [&str; 24] = [
    "intellectual",
    "developmental",
    "disorder",
    "with",
    "seizures",
    "epileptic",
    "encephalopathy",
    "microcephaly",
    "ataxia",
    "spasticity",
    "syndrome",
    "hypotonia",
    "dysmorphic",
    "facies",
    "delayed",
    "speech",
    "leukodystrophy",
    "autism",
    "regression",
    "brain",
    "anomalies",
    "early",
    "onset",
    "type",
];

/// What is pending or hidden of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Public,
    /// Public, with an older approved review.
    Edited,
    /// Public, with a review and a status that wait for approval.
    PendingEdit,
    /// Public by its status; its only review waits.
    PendingReview,
    /// Its only status and its only review wait.
    Pending,
    /// Deactivated.
    Inactive,
}

const KINDS: [(Kind, usize); 6] = [
    (Kind::Public, 8500),
    (Kind::Edited, 500),
    (Kind::PendingEdit, 500),
    (Kind::PendingReview, 150),
    (Kind::Pending, 250),
    (Kind::Inactive, 100),
];

/// What an entity is.
#[derive(Clone, Debug)]
pub(super) struct Entity {
    pub(super) gene: usize,
    pub(super) disease: usize,
    mode: Term,
    is_neurodevelopmental: bool,
    category: Category,
    kind: Kind,
    day: String,
    text: String,
    phenotypes: Vec<(Term, i64)>,
    pub(super) publications: Vec<usize>,
}

/// Draws entities. Each has a disease of its own; three quarters have a gene of their own.
pub(super) fn entities(random: &mut Random, count: usize) -> Vec<Entity> {
    let genes = (count * 3215 / 4200).max(1);
    let papers = count + count / 8 + 10;
    (0..count).map(|number| entity(random, number, count, genes, papers)).collect()
}

fn entity(random: &mut Random, number: usize, count: usize, genes: usize, papers: usize) -> Entity {
    let gene = if number < genes { number } else { random.below(genes) };
    let category = random.weighted(&CATEGORIES, Category::Limited);
    let phenotypes = PHENOTYPES
        .iter()
        .zip(LINKED)
        .filter(|(_, linked)| random.happens(linked * 10_000 / LINKED_OF))
        .map(|((term, _), _)| *term)
        .collect::<Vec<_>>();
    let phenotypes =
        phenotypes.into_iter().map(|term| (term, random.weighted(&MODIFIERS, 1))).collect();
    let mut publications: Vec<usize> =
        (0..=random.below(6)).map(|_| random.below(papers)).collect();
    publications.sort_unstable();
    publications.dedup();
    // Fifteen years of months, each with its share of entities, in the order of their numbers.
    let month = number * 180 / count.max(1);
    let day = format!(
        "{:04}-{:02}-{:02}",
        2010 + (month + 10) / 12,
        (month + 10) % 12 + 1,
        random.below(28) + 1
    );
    Entity {
        gene,
        disease: number,
        mode: Term::new(random.weighted(&MODES, 7)),
        is_neurodevelopmental: category != Category::NotApplicable,
        category,
        kind: random.weighted(&KINDS, Kind::Public),
        day,
        text: sentence(random),
        phenotypes,
        publications,
    }
}

fn sentence(random: &mut Random) -> String {
    let words: Vec<&str> =
        (0..8 + random.below(40)).map(|_| WORDS[random.below(WORDS.len())]).collect();
    words.join(" ")
}

const APPROVE: Statement = Statement {
    name: "generate approve reviews",
    sql: "UPDATE ndd_entity_review SET review_approved = 1, approved_at = review_date, public_from = review_date, approving_user_id = $1
        WHERE review_approved = 0 AND comment = 'approve'",
};

const SUPERSEDE: Statement = Statement {
    name: "generate supersede reviews",
    sql: "UPDATE ndd_entity_review SET is_primary = 0, public_until = '2026-01-01T00:00:00Z' WHERE synopsis LIKE $1 AND is_primary = 1",
};

const PROMOTE: Statement = Statement {
    name: "generate promote reviews",
    sql: "UPDATE ndd_entity_review SET is_primary = 1, review_approved = 1, approved_at = '2026-01-01T00:00:00Z',
            public_from = '2026-01-01T00:00:00Z', approving_user_id = $1
        WHERE comment = 'promote'",
};

struct Tables {
    entities: Batch,
    reviews: Batch,
    statuses: Batch,
    phenotypes: Batch,
    publications: Batch,
}

impl Tables {
    fn new() -> Self {
        Self {
            entities: Batch::new(
                "ndd_entity",
                &[
                    "entity_id",
                    "hgnc_id",
                    "hpo_mode_of_inheritance_term",
                    "disease_ontology_id_version",
                    "ndd_phenotype",
                    "entry_date",
                    "entry_user_id",
                    "is_active",
                    "first_review_id",
                    "first_status_id",
                ],
            ),
            reviews: Batch::new(
                "ndd_entity_review",
                &[
                    "review_id",
                    "entity_id",
                    "synopsis",
                    "is_primary",
                    "review_date",
                    "review_user_id",
                    "comment",
                    "supersedes",
                ],
            ),
            statuses: Batch::new(
                "ndd_entity_status",
                &[
                    "status_id",
                    "entity_id",
                    "category_id",
                    "is_active",
                    "status_date",
                    "status_user_id",
                    "status_approved",
                    "approving_user_id",
                    "comment",
                    "approved_at",
                    "public_from",
                ],
            ),
            phenotypes: Batch::new(
                "ndd_review_phenotype_connect",
                &[
                    "review_phenotype_id",
                    "review_id",
                    "entity_id",
                    "phenotype_id",
                    "modifier_id",
                    "phenotype_date",
                ],
            ),
            publications: Batch::new(
                "ndd_review_publication_join",
                &["review_publication_id", "review_id", "entity_id", "publication_id"],
            ),
        }
    }
}

/// Writes entities with all that belongs to them, then approves what is approved: an approved review
/// takes nothing more.
pub(super) async fn write_entities(
    transaction: &mut Transaction,
    entities: &[Entity],
    authors: Authors,
) -> Result<(), Error> {
    let mut ids = Ids::lock(transaction).await?;
    let mut tables = Tables::new();
    // One table after the other, because a row needs the rows it refers to.
    let mut reviews = Vec::new();
    for entity in entities {
        let id = ids.next(Sequence::Entity);
        let first = ids.next(Sequence::Review);
        let status = ids.next(Sequence::Status);
        let second = matches!(entity.kind, Kind::Edited | Kind::PendingEdit)
            .then(|| ids.next(Sequence::Review));
        let pending = (entity.kind == Kind::PendingEdit).then(|| ids.next(Sequence::Status));
        reviews.push((id, first, second, status, pending));
        let row = [
            id.into(),
            hgnc(entity.gene),
            entity.mode.to_string().into(),
            omim(entity.disease),
            entity.is_neurodevelopmental.into(),
            moment(entity).into(),
            authors.writer.into(),
            (entity.kind != Kind::Inactive).into(),
            first.into(),
            status.into(),
        ];
        tables.entities.add(transaction, row).await?;
    }
    tables.entities.flush(transaction).await?;
    for (entity, (id, first, second, status, pending)) in entities.iter().zip(&reviews) {
        review_rows(transaction, &mut tables, entity, authors, (*id, *first, *second)).await?;
        status_rows(transaction, &mut tables, entity, authors, (*id, *status, *pending)).await?;
    }
    tables.reviews.flush(transaction).await?;
    tables.statuses.flush(transaction).await?;
    for (entity, (id, first, second, ..)) in entities.iter().zip(&reviews) {
        for review in std::iter::once(first).chain(second) {
            child_rows(transaction, &mut tables, &mut ids, entity, (*id, *review)).await?;
        }
    }
    tables.phenotypes.flush(transaction).await?;
    tables.publications.flush(transaction).await?;
    let approver = [Value::Integer(authors.approver)];
    transaction.execute(&APPROVE, &approver).await?;
    transaction.execute(&SUPERSEDE, &[format!("%{SUPERSEDED}%").into()]).await?;
    transaction.execute(&PROMOTE, &approver).await?;
    ids.store(transaction).await
}

fn moment(entity: &Entity) -> String {
    format!("{}T00:00:00Z", entity.day)
}

async fn review_rows(
    transaction: &mut Transaction,
    tables: &mut Tables,
    entity: &Entity,
    authors: Authors,
    (id, first, second): (i64, i64, Option<i64>),
) -> Result<(), Error> {
    let is_pending = matches!(entity.kind, Kind::PendingReview | Kind::Pending);
    let (mark, then) = match entity.kind {
        Kind::Edited => (SUPERSEDED, Some("approve")),
        _ if is_pending => (UNAPPROVED, Some(UNAPPROVED)),
        _ => ("", Some("approve")),
    };
    let row =
        |review: i64, mark: &str, is_primary: bool, then: Option<&str>, before: Option<i64>| {
            [
                review.into(),
                id.into(),
                format!("{} {mark}", entity.text).trim_end().into(),
                is_primary.into(),
                moment(entity).into(),
                authors.writer.into(),
                then.into(),
                before.into(),
            ]
        };
    tables.reviews.add(transaction, row(first, mark, !is_pending, then, None)).await?;
    let Some(second) = second else { return Ok(()) };
    // Rows of one batch are of one statement, so the first is there when the second refers to it.
    let second = match entity.kind {
        Kind::Edited => row(second, "", false, Some("promote"), Some(first)),
        _ => row(second, UNAPPROVED, false, Some(UNAPPROVED), Some(first)),
    };
    tables.reviews.add(transaction, second).await
}

async fn status_rows(
    transaction: &mut Transaction,
    tables: &mut Tables,
    entity: &Entity,
    authors: Authors,
    (id, status, pending): (i64, i64, Option<i64>),
) -> Result<(), Error> {
    let row = |status: i64, is_approved: bool, category: Category| {
        let when = is_approved.then(|| moment(entity));
        [
            status.into(),
            id.into(),
            category.id().into(),
            is_approved.into(),
            moment(entity).into(),
            authors.writer.into(),
            is_approved.into(),
            is_approved.then_some(authors.approver).into(),
            (!is_approved).then_some(UNAPPROVED).into(),
            when.clone().into(),
            when.into(),
        ]
    };
    let is_approved = entity.kind != Kind::Pending;
    tables.statuses.add(transaction, row(status, is_approved, entity.category)).await?;
    if let Some(pending) = pending {
        // A category that no generated entity has by this way would show a leak.
        tables.statuses.add(transaction, row(pending, false, Category::Refuted)).await?;
    }
    Ok(())
}

async fn child_rows(
    transaction: &mut Transaction,
    tables: &mut Tables,
    ids: &mut Ids,
    entity: &Entity,
    (id, review): (i64, i64),
) -> Result<(), Error> {
    for (term, modifier) in &entity.phenotypes {
        let row = [
            ids.next(Sequence::ReviewPhenotype).into(),
            review.into(),
            id.into(),
            term.to_string().into(),
            (*modifier).into(),
            moment(entity).into(),
        ];
        tables.phenotypes.add(transaction, row).await?;
    }
    for paper in &entity.publications {
        let row = [
            ids.next(Sequence::ReviewPublication).into(),
            review.into(),
            id.into(),
            format!("PMID:{}", pubmed(*paper)).into(),
        ];
        tables.publications.add(transaction, row).await?;
    }
    Ok(())
}

/// What the entities will be.
pub(super) fn made(entities: &[Entity]) -> Made {
    let count =
        |kinds: &[Kind]| entities.iter().filter(|entity| kinds.contains(&entity.kind)).count();
    let hidden = count(&[Kind::Pending, Kind::Inactive]);
    Made {
        public: entities.len() - hidden,
        hidden,
        unapproved_reviews: count(&[Kind::PendingEdit, Kind::PendingReview, Kind::Pending]),
        genes: entities.iter().map(|entity| entity.gene + 1).max().unwrap_or(0),
    }
}

//! Search over entities, genes, diseases and inheritances.
//!
//! What can be found is read once for each state of the data into an index in memory
//! ([`sysndd_core::search`]): at most some megabytes, and a word is answered without the database.

use std::sync::Arc;

use foundation_durable::Statement;
use sysndd_core::search::{Found, Index, RESULTS_MAX};

use crate::error::Error;
use crate::reader::Reading;

/// The column in which something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The number of an entity.
    EntityId,
    /// The identifier of a gene.
    HgncId,
    /// The symbol of a gene.
    Symbol,
    /// The identifier of a disease with its version.
    DiseaseId,
    /// The name of a disease.
    DiseaseName,
    /// The name of a gene.
    GeneName,
    /// An inheritance by its term.
    InheritanceId,
    /// An inheritance by its name.
    InheritanceName,
}

impl Field {
    /// The published name of the column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EntityId => "entity_id",
            Self::HgncId => "hgnc_id",
            Self::Symbol => "symbol",
            Self::DiseaseId => "disease_ontology_id_version",
            Self::DiseaseName => "disease_ontology_name",
            Self::GeneName => "name",
            Self::InheritanceId => "hpo_mode_of_inheritance_term",
            Self::InheritanceName => "hpo_mode_of_inheritance_term_name",
        }
    }
}

/// Something that can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The column.
    pub field: Field,
    /// The text in that column.
    pub text: Arc<str>,
    /// The first entity that has it; 0 for what is no entity's.
    pub entity_id: i64,
    /// The key of what it belongs to: a gene's HGNC id, a disease's version, a term.
    pub key: Arc<str>,
}

/// What was found.
pub type Hit = Found<Target>;

const ENTITIES: Statement = Statement {
    name: "search: entities",
    sql: "SELECT entity_id, hgnc_id, symbol, disease_ontology_id_version, disease_ontology_name \
          FROM public_entity ORDER BY entity_id",
};

const GENES: Statement = Statement {
    name: "search: genes",
    sql: "SELECT hgnc_id, symbol, name FROM non_alt_loci_set ORDER BY symbol",
};

const DISEASES: Statement = Statement {
    name: "search: diseases",
    sql: "SELECT disease_ontology_id_version, disease_ontology_name FROM disease_ontology_set \
          WHERE is_active = 1 ORDER BY disease_ontology_id_version",
};

const INHERITANCES: Statement = Statement {
    name: "search: inheritances",
    sql: "SELECT hpo_mode_of_inheritance_term, hpo_mode_of_inheritance_term_name \
          FROM mode_of_inheritance_list WHERE is_active = 1 ORDER BY sort",
};

/// Several identifiers of Mondo stand in one value, with `;` between them.
const BY_MONDO: Statement = Statement {
    name: "search: by Mondo identifier",
    sql: "SELECT d.disease_ontology_id_version, d.disease_ontology_name, COALESCE(MIN(e.entity_id), 0) \
          FROM disease_ontology_set AS d LEFT JOIN public_entity AS e \
          ON e.disease_ontology_id_version = d.disease_ontology_id_version \
          WHERE d.is_active = 1 AND ';' || d.mondo || ';' LIKE '%;' || $1 || ';%' \
          GROUP BY d.disease_ontology_id_version, d.disease_ontology_name \
          ORDER BY d.disease_ontology_id_version",
};

pub(crate) const STATEMENTS: &[Statement] = &[ENTITIES, GENES, DISEASES, INHERITANCES, BY_MONDO];

type Targets = Vec<(String, Target)>;

/// Puts a text in, unless it was put in just before for another entity.
fn add(
    targets: &mut Targets,
    seen: &mut std::collections::HashSet<(Field, Arc<str>)>,
    field: Field,
    text: &str,
    entity_id: i64,
    key: &Arc<str>,
) {
    let text: Arc<str> = if &**key == text { Arc::clone(key) } else { Arc::from(text) };
    if seen.insert((field, Arc::clone(&text))) {
        let target = Target { field, text: Arc::clone(&text), entity_id, key: Arc::clone(key) };
        targets.push((text.to_string(), target));
    }
}

/// What is kept in memory of a target, about: its texts, its trigrams and what holds them.
fn bytes(targets: &Targets) -> usize {
    targets.iter().map(|(text, target)| text.len() * 6 + target.key.len() + 160).sum()
}

async fn index(reading: &mut Reading, what: &'static str) -> Result<Arc<Index<Target>>, Error> {
    let name = format!("search {what}");
    if let Some(index) = reading.memory.get::<Index<Target>>(reading.version(), &name) {
        return Ok(index);
    }
    let mut targets = Vec::new();
    let mut seen = std::collections::HashSet::new();
    match what {
        "entities" => {
            let mut each = Vec::new();
            for row in reading.rows(&ENTITIES, &[]).await? {
                let entity_id = row.integer(0)?;
                each.push((
                    entity_id,
                    [
                        row.text(1)?.into(),
                        row.text(2)?.into(),
                        row.text(3)?.into(),
                        row.text(4)?.into(),
                    ],
                ));
            }
            fill_entities(&mut targets, &mut seen, &each);
        }
        "genes" => {
            for row in reading.rows(&GENES, &[]).await? {
                let key: Arc<str> = row.text(0)?.into();
                add(&mut targets, &mut seen, Field::HgncId, row.text(0)?, 0, &key);
                add(&mut targets, &mut seen, Field::Symbol, row.text(1)?, 0, &key);
                add(&mut targets, &mut seen, Field::GeneName, row.text(2)?, 0, &key);
            }
        }
        "diseases" => {
            for row in reading.rows(&DISEASES, &[]).await? {
                let key: Arc<str> = row.text(0)?.into();
                add(&mut targets, &mut seen, Field::DiseaseId, row.text(0)?, 0, &key);
                add(&mut targets, &mut seen, Field::DiseaseName, row.text(1)?, 0, &key);
            }
        }
        _ => {
            for row in reading.rows(&INHERITANCES, &[]).await? {
                let key: Arc<str> = row.text(0)?.into();
                add(&mut targets, &mut seen, Field::InheritanceId, row.text(0)?, 0, &key);
                add(&mut targets, &mut seen, Field::InheritanceName, row.text(1)?, 0, &key);
            }
        }
    }
    drop(seen);
    let size = bytes(&targets);
    let index = Arc::new(Index::new(targets));
    reading.memory.keep(reading.version(), name, size, &index);
    Ok(index)
}

/// Column by column, so that among equal distances a gene comes before a disease.
fn fill_entities(
    targets: &mut Targets,
    seen: &mut std::collections::HashSet<(Field, Arc<str>)>,
    rows: &[(i64, [Arc<str>; 4])],
) {
    let columns = [
        (Field::Symbol, 1, 0),
        (Field::HgncId, 0, 0),
        (Field::DiseaseName, 3, 2),
        (Field::DiseaseId, 2, 2),
    ];
    for (entity_id, _) in rows {
        let text = entity_id.to_string();
        add(targets, seen, Field::EntityId, &text, *entity_id, &Arc::from(text.as_str()));
    }
    for (field, column, key) in columns {
        for (entity_id, texts) in rows {
            add(targets, seen, field, &texts[column], *entity_id, &texts[key]);
        }
    }
}

/// What has all words in it that were typed, or is spelt nearly so, among the entities that everybody
/// sees: what a page of results shows.
///
/// # Errors
/// When the database can't be read.
pub async fn rank(reading: &mut Reading, word: &str) -> Result<Vec<Hit>, Error> {
    suggest(reading, word, RESULTS_MAX).await
}

/// What is nearest to a word among the entities that everybody sees, as published: those within the
/// distance, at least ten; a word that is equal and no number finds just that.
///
/// # Errors
/// When the database can't be read.
pub async fn nearest(reading: &mut Reading, word: &str) -> Result<Vec<Hit>, Error> {
    match by_mondo(reading, word, true).await? {
        hits if hits.is_empty() => Ok(index(reading, "entities").await?.search(word)),
        hits => Ok(hits),
    }
}

/// The same as [`rank`], only the best: what a box with suggestions shows.
///
/// # Errors
/// When the database can't be read.
pub async fn suggest(reading: &mut Reading, word: &str, most: usize) -> Result<Vec<Hit>, Error> {
    match by_mondo(reading, word, true).await? {
        hits if hits.is_empty() => Ok(index(reading, "entities").await?.find(word, most)),
        hits => Ok(hits),
    }
}

/// The diseases that Mondo has this identifier for; none if the word is none. They are looked up, and
/// not in the index: nobody misspells them, and they would make it a fifth larger.
async fn by_mondo(
    reading: &mut Reading,
    word: &str,
    with_entities: bool,
) -> Result<Vec<Hit>, Error> {
    let Some(identifier) = mondo_identifier(word) else { return Ok(Vec::new()) };
    let mut hits = Vec::new();
    for row in reading.rows(&BY_MONDO, &[identifier.into()]).await? {
        let (key, text, entity_id) = (row.text(0)?.into(), row.text(1)?.into(), row.integer(2)?);
        if entity_id > 0 || !with_entities {
            let item = Target { field: Field::DiseaseName, text, entity_id, key };
            hits.push(Hit { item, distance: 0.0 });
        }
    }
    Ok(hits)
}

/// `MONDO:0010524`, in any case.
fn mondo_identifier(word: &str) -> Option<String> {
    let (start, digits) = word.trim().split_once([':', '_'])?;
    let is_one = start.eq_ignore_ascii_case("mondo")
        && (1..=10).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then(|| format!("MONDO:{digits}"))
}

/// Genes by identifier, symbol or name; all that are known, with and without entities.
///
/// # Errors
/// When the database can't be read.
pub async fn genes(reading: &mut Reading, word: &str, most: usize) -> Result<Vec<Hit>, Error> {
    Ok(index(reading, "genes").await?.suggest(word, most))
}

/// Diseases by identifier, name or Mondo's identifier.
///
/// # Errors
/// When the database can't be read.
pub async fn diseases(reading: &mut Reading, word: &str, most: usize) -> Result<Vec<Hit>, Error> {
    match by_mondo(reading, word, false).await? {
        hits if hits.is_empty() => Ok(index(reading, "diseases").await?.suggest(word, most)),
        hits => Ok(hits),
    }
}

/// Inheritances by term or name.
///
/// # Errors
/// When the database can't be read.
pub async fn inheritances(
    reading: &mut Reading,
    word: &str,
    most: usize,
) -> Result<Vec<Hit>, Error> {
    Ok(index(reading, "inheritances").await?.suggest(word, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_of_mondo_is_known_by_its_form() {
        assert_eq!(mondo_identifier(" mondo:0010524 ").as_deref(), Some("MONDO:0010524"));
        assert_eq!(mondo_identifier("MONDO_0010524").as_deref(), Some("MONDO:0010524"));
        for other in ["OMIM:300005", "MONDO:", "MONDO:1%", "0010524", "MONDO"] {
            assert_eq!(mondo_identifier(other), None, "{other}");
        }
    }
}

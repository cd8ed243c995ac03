//! Search over entities, genes, diseases and inheritances.
//!
//! What can be found is read once for each state of the data into an index in memory
//! ([`sysndd_core::search`]): at most some megabytes, and a word is answered without the database.

use std::sync::Arc;

use foundation_durable::Statement;
use sysndd_core::search::{Found, Index};

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

pub(crate) const STATEMENTS: &[Statement] = &[ENTITIES, GENES, DISEASES, INHERITANCES];

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

/// What is nearest to a word among the entities that everybody sees: those within the distance, at
/// least ten; a word that is equal and no number finds just that.
///
/// # Errors
/// When the database can't be read.
pub async fn rank(reading: &mut Reading, word: &str) -> Result<Vec<Hit>, Error> {
    Ok(index(reading, "entities").await?.search(word))
}

/// What a box with suggestions shows for the beginning of a word, a middle or a near spelling.
///
/// # Errors
/// When the database can't be read.
pub async fn suggest(reading: &mut Reading, word: &str, most: usize) -> Result<Vec<Hit>, Error> {
    Ok(index(reading, "entities").await?.suggest(word, most))
}

/// Genes by identifier, symbol or name; all that are known, with and without entities.
///
/// # Errors
/// When the database can't be read.
pub async fn genes(reading: &mut Reading, word: &str, most: usize) -> Result<Vec<Hit>, Error> {
    Ok(index(reading, "genes").await?.suggest(word, most))
}

/// Diseases by identifier or name.
///
/// # Errors
/// When the database can't be read.
pub async fn diseases(reading: &mut Reading, word: &str, most: usize) -> Result<Vec<Hit>, Error> {
    Ok(index(reading, "diseases").await?.suggest(word, most))
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

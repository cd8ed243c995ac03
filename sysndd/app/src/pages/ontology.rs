//! `/Ontology/<identifier or name>`: one disease.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use sysndd_store::entity;
use sysndd_store::ontology::{self, Disease};

use super::Pages;
use super::address::encoded;
use super::answer::{self, Answer};
use super::badge;
use super::entity_row::EntityRow;
use super::failure::Failure;
use super::frame::Frame;
use super::links::{self, Fact};
use super::markup::Markup;

#[derive(Template)]
#[template(path = "ontology.html")]
struct OntologyPage {
    frame: Frame,
    name: String,
    json: String,
    versions: Vec<Version>,
    associated: Vec<EntityRow>,
}

struct Version {
    id: String,
    facts: Vec<Fact>,
}

/// The page.
pub(crate) async fn show(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Path(term): Path<String>,
) -> Answer {
    let mut visit = pages.visit(&headers).await?;
    let found = ontology::find(&mut visit.reading, &term).await?;
    let Some(first) = found.first() else {
        return Err(Failure::not_found(format!("Disease {term}")));
    };
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let id = first.disease_ontology_id.clone();
    let name = first.disease_ontology_name.clone();
    let mut entities = Vec::new();
    let mut asked: Vec<&str> = Vec::new();
    for disease in &found {
        if !asked.contains(&disease.disease_ontology_id.as_str()) {
            asked.push(&disease.disease_ontology_id);
            entities.extend(
                entity::of_disease(&mut visit.reading, &disease.disease_ontology_id).await?,
            );
        }
    }
    let path = format!("/Ontology/{}", encoded(&id));
    let page = OntologyPage {
        frame: visit
            .frame(&name, format!("{name} ({id}): its entities in SysNDD and identifiers."))
            .at("", visit.absolute(&path)),
        json: format!("/api/ontology/{}?input_type=ontology_id", encoded(&id)),
        versions: found.iter().map(version).collect(),
        associated: entities.iter().map(EntityRow::of_entity).collect(),
        name,
    };
    answer::page(&page, &visit.etag)
}

fn version(disease: &Disease) -> Version {
    let id = &disease.disease_ontology_id_version;
    let place = if id.starts_with("MONDO:") { links::MONDO } else { links::OMIM };
    let own = Fact::one("Identifier", links::identifier(place, id));
    let name = Fact::one("Name", Markup::text(&disease.disease_ontology_name));
    let inheritance =
        disease.hpo_mode_of_inheritance_term_name.as_deref().filter(|name| !name.is_empty());
    let other = |place, ids: &Option<String>| links::identifiers(place, ids.as_deref());
    let facts = [
        Some(own),
        Some(name),
        inheritance.map(|name| Fact::one("Inheritance", badge::inheritance_in_full(name))),
        (place.label != links::MONDO.label).then(|| other(links::MONDO, &disease.mondo)).flatten(),
        other(links::ORPHANET, &disease.orphanet),
        other(links::DOID, &disease.doid),
        other(links::EFO, &disease.efo),
        Some(Fact::one("Source", Markup::text(&disease.disease_ontology_source))),
    ];
    Version { id: id.clone(), facts: facts.into_iter().flatten().collect() }
}

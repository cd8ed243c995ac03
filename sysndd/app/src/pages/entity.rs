//! `/Entities/<id>`: one entity.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use sysndd_store::entity::{self, Absence, Entity};
use sysndd_store::{gene, ontology};

use super::Pages;
use super::answer::{self, Answer};
use super::badge;
use super::entity_row::day;
use super::failure::Failure;
use super::frame::Frame;
use super::links;
use super::markup::Markup;
use super::site::Visit;

#[derive(Template)]
#[template(path = "entity.html")]
struct EntityPage {
    frame: Frame,
    entity: View,
}

struct View {
    id: String,
    json: String,
    gene: Markup,
    gene_name: String,
    disease: Markup,
    disease_links: Markup,
    inheritance: Markup,
    inheritance_term: Markup,
    ndd: Markup,
    category: Markup,
    computed: bool,
    entered: String,
    status_date: String,
    review_date: String,
    synopsis: String,
    phenotypes: Vec<Markup>,
    publications: Vec<Markup>,
}

/// A number, also as `sysndd:4`.
fn number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("sysndd:").unwrap_or(text);
    digits.parse().ok().filter(|number| *number > 0)
}

/// The page.
pub(crate) async fn show(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Answer {
    let what = format!("Entity {id}");
    let Some(number) = number(&id) else { return Err(Failure::not_found(what)) };
    if number.to_string() != id {
        return answer::see(&format!("/Entities/{number}"));
    }
    let mut visit = pages.visit(&headers).await?;
    let Some(found) = entity::find(&mut visit.reading, number).await? else {
        let replaced_by = match entity::absence(&mut visit.reading, number).await? {
            Absence::Deactivated { replaced_by } => replaced_by,
            Absence::Unknown => None,
        };
        return Err(Failure::NotFound { what: format!("Entity sysndd:{number}"), replaced_by });
    };
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let title = format!("sysndd:{number} – {}", found.symbol);
    let description = format!(
        "{}, {}, {}: {} ({}).",
        found.symbol,
        found.hpo_mode_of_inheritance_term_name,
        found.disease_ontology_name,
        found.category,
        found.disease_ontology_id_version
    );
    let frame = visit
        .frame(title, description)
        .at("/Entities", visit.absolute(&format!("/Entities/{number}")));
    let entity = view(&mut visit, found).await?;
    answer::page(&EntityPage { frame, entity }, &visit.etag)
}

async fn view(visit: &mut Visit, found: Entity) -> Result<View, Failure> {
    let id = found.entity_id;
    let reading = &mut visit.reading;
    let gene = gene::by_id(reading, &found.hgnc_id).await?;
    let disease = ontology::by_id(reading, &found.disease_ontology_id_version).await?;
    let disease = disease
        .into_iter()
        .find(|known| known.disease_ontology_id_version == found.disease_ontology_id_version);
    let review = entity::review(reading, id).await?;
    let status = entity::status(reading, id).await?;
    let phenotypes = entity::phenotypes(reading, id).await?;
    let publications = entity::publications(reading, id).await?;
    let mut disease_links = Markup::constant("<span class=\"soft\">");
    let elsewhere = [
        found
            .disease_ontology_id_version
            .starts_with("OMIM:")
            .then(|| links::identifier(links::OMIM, &found.disease_ontology_id_version)),
        disease
            .as_ref()
            .and_then(|disease| disease.mondo.as_deref())
            .filter(|id| !id.is_empty())
            .map(|ids| {
                Markup::group(
                    "badges",
                    ids.split(';').map(|id| links::identifier(links::MONDO, id)),
                )
            }),
    ];
    for link in elsewhere.into_iter().flatten() {
        disease_links = disease_links.then(" ").append(&link);
    }
    Ok(View {
        id: format!("sysndd:{id}"),
        json: format!("/api/entity/?filter=equals(entity_id,{id})"),
        gene: badge::gene(&found.symbol),
        gene_name: gene.map(|gene| gene.name).unwrap_or_default(),
        disease: badge::disease(&found.disease_ontology_id_version, &found.disease_ontology_name),
        disease_links: disease_links.then("</span>"),
        inheritance: badge::inheritance_in_full(&found.hpo_mode_of_inheritance_term_name),
        inheritance_term: links::identifier(links::HPO, &found.hpo_mode_of_inheritance_term),
        ndd: badge::ndd(&found.ndd_phenotype_word),
        category: badge::category(&found.category),
        computed: found.category_computed,
        entered: day(&found.entry_date).to_owned(),
        status_date: status.map(|status| status.status_date).unwrap_or_default(),
        review_date: review.and_then(|review| review.review_date).unwrap_or_default(),
        synopsis: found.synopsis.unwrap_or_default(),
        phenotypes: phenotypes
            .iter()
            .map(|known| {
                badge::phenotype(&known.phenotype_id, &known.hpo_term, &known.modifier_name)
            })
            .collect(),
        publications: publications
            .iter()
            .map(|known| badge::publication(&known.publication_id))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_is_named_by_its_number() {
        assert_eq!([number("4"), number("sysndd:4")], [Some(4); 2]);
        assert_eq!(
            [number("0"), number("-1"), number("x"), number("99999999999999999999")],
            [None; 4]
        );
    }
}

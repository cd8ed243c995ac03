//! `/Genes/<symbol or HGNC id>`: one gene.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use sysndd_store::entity;
use sysndd_store::gene::{self, Gene};

use super::Pages;
use super::address::encoded;
use super::answer::{self, Answer};
use super::entity_row::EntityRow;
use super::failure::Failure;
use super::frame::Frame;
use super::links::{self, Fact};
use super::markup::Markup;

#[derive(Template)]
#[template(path = "gene.html")]
struct GenePage {
    frame: Frame,
    symbol: String,
    name: String,
    location: String,
    json: String,
    associated: Vec<EntityRow>,
    identifiers: Vec<Fact>,
    resources: Vec<Fact>,
}

/// The page. A gene has one address, by its present symbol; others lead there.
pub(crate) async fn show(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Answer {
    let mut visit = pages.visit(&headers).await?;
    let Some(found) = gene::find(&mut visit.reading, &name).await? else {
        return Err(Failure::not_found(format!("Gene {name}")));
    };
    let path = format!("/Genes/{}", encoded(&found.symbol));
    if found.symbol != name {
        return answer::see(&path);
    }
    let entities = entity::of_gene(&mut visit.reading, &found.hgnc_id).await?;
    if entities.is_empty() {
        return Err(Failure::not_found(format!("Gene {name}, which has no public entity,")));
    }
    if let Some(answer) = visit.known() {
        return Ok(answer);
    }
    let description = format!(
        "{} ({}): its entities in SysNDD, identifiers and links.",
        found.symbol, found.name
    );
    let page = GenePage {
        frame: visit.frame(&found.symbol, description).at("/Genes", visit.absolute(&path)),
        json: format!("/api/gene/{}?input_type=symbol", encoded(&found.symbol)),
        associated: entities.iter().map(EntityRow::of_entity).collect(),
        identifiers: identifiers(&found),
        resources: links::resources(&found.symbol, &found.hgnc_id, found.entrez_id.as_deref()),
        symbol: found.symbol,
        name: found.name,
        location: found.location.unwrap_or_default(),
    };
    answer::page(&page, &visit.etag)
}

fn identifiers(gene: &Gene) -> Vec<Fact> {
    let plain = |label, value: &Option<String>| {
        let value = value.as_deref().filter(|value| !value.is_empty())?;
        Some(Fact { label, values: value.split('|').map(Markup::text).collect() })
    };
    let linked = |place, value: &Option<String>| links::identifiers(place, value.as_deref());
    [
        links::identifiers(links::HGNC, Some(&gene.hgnc_id)),
        linked(links::ENTREZ, &gene.entrez_id),
        linked(links::ENSEMBL, &gene.ensembl_gene_id),
        linked(links::UNIPROT, &gene.uniprot_ids),
        linked(links::OMIM, &gene.omim_id),
        linked(links::UCSC, &gene.ucsc_id),
        linked(links::CCDS, &gene.ccds_id),
        plain("MANE Select", &gene.mane_select),
        linked(links::STRING, &gene.string_id),
        linked(links::ALPHAFOLD, &gene.alphafold_id),
        linked(links::MGI, &gene.mgd_id),
        linked(links::RGD, &gene.rgd_id),
        plain("GRCh37", &gene.bed_hg19),
        plain("GRCh38", &gene.bed_hg38),
        plain("Other symbols", &gene.alias_symbol),
        plain("Earlier symbols", &gene.prev_symbol),
    ]
    .into_iter()
    .flatten()
    .collect()
}

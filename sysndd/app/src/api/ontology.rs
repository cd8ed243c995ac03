//! Diseases.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use sysndd_store::ontology::{self, Disease};
use utoipa::{IntoParams, ToSchema};

use super::Shared;
use super::answer::{Answer, json, open, refused, searchable};
use super::asked::{Parameters, Segment};
use super::problem::Problems;

/// A disease; of each field there may be several values, over all versions of its identifier.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct OntologyDetail {
    disease_ontology_id_version: Vec<String>,
    disease_ontology_id: Vec<String>,
    disease_ontology_name: Vec<String>,
    disease_ontology_source: Vec<String>,
    disease_ontology_is_specific: Vec<bool>,
    hgnc_id: Vec<String>,
    hpo_mode_of_inheritance_term: Vec<String>,
    hpo_mode_of_inheritance_term_name: Vec<String>,
    inheritance_filter: Vec<String>,
    #[serde(rename = "DOID")]
    doid: Vec<String>,
    #[serde(rename = "MONDO")]
    mondo: Vec<String>,
    #[serde(rename = "Orphanet")]
    orphanet: Vec<String>,
    #[serde(rename = "EFO")]
    efo: Vec<String>,
}

impl OntologyDetail {
    fn add(&mut self, disease: Disease) {
        let several = |text: Option<String>| -> Vec<String> {
            let text = text.unwrap_or_default();
            text.split(';').filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        put(&mut self.disease_ontology_id_version, [disease.disease_ontology_id_version]);
        put(&mut self.disease_ontology_id, [disease.disease_ontology_id]);
        put(&mut self.disease_ontology_name, [disease.disease_ontology_name]);
        put(&mut self.disease_ontology_source, [disease.disease_ontology_source]);
        put(&mut self.disease_ontology_is_specific, [disease.disease_ontology_is_specific]);
        put(&mut self.hgnc_id, disease.hgnc_id);
        put(&mut self.hpo_mode_of_inheritance_term, disease.hpo_mode_of_inheritance_term);
        put(&mut self.hpo_mode_of_inheritance_term_name, disease.hpo_mode_of_inheritance_term_name);
        put(&mut self.inheritance_filter, disease.inheritance_filter);
        put(&mut self.doid, several(disease.doid));
        put(&mut self.mondo, several(disease.mondo));
        put(&mut self.orphanet, several(disease.orphanet));
        put(&mut self.efo, several(disease.efo));
    }
}

/// Adds values that are not there yet.
fn put<T: PartialEq>(values: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for value in more {
        if !values.contains(&value) {
            values.push(value);
        }
    }
}

/// What a disease is asked for by.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OntologyInput {
    /// The identifier, with or without a version.
    #[default]
    OntologyId,
    /// The name.
    OntologyName,
}

/// The parameters of a disease.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OntologyParameters {
    /// What the path names: an identifier (unless said otherwise) or a name.
    #[param(inline, nullable = false)]
    input_type: Option<OntologyInput>,
}

/// Diseases by identifier or name, one row for each identifier; nothing if none is known.
#[utoipa::path(
    get, path = "/api/ontology/{input}", tag = "Ontology", operation_id = "ontology",
    params(("input" = String, Path, description = "An identifier or a name"), OntologyParameters),
    responses((status = 200, description = "The disease", body = Vec<OntologyDetail>), Problems)
)]
pub(super) async fn detail(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Segment(input): Segment<String>,
    Parameters(parameters): Parameters<OntologyParameters>,
) -> Answer {
    let input = searchable(&input)?;
    let mut reading = open(&shared.state, &headers).await?;
    let found = match parameters.input_type.unwrap_or_default() {
        OntologyInput::OntologyId => ontology::by_id(&mut reading, input).await,
        OntologyInput::OntologyName => ontology::by_name(&mut reading, input).await,
    };
    let mut rows: BTreeMap<String, OntologyDetail> = BTreeMap::new();
    for disease in found.map_err(refused)? {
        rows.entry(disease.disease_ontology_id.clone()).or_default().add(disease);
    }
    json(reading, &rows.into_values().collect::<Vec<_>>()).await
}

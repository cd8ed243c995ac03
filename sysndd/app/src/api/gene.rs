//! Genes.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::IntoResponse as _;
use serde::{Deserialize, Serialize};
use sysndd_store::gene::{self, Gene};
use sysndd_store::list::{GENE, ListRequest};
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, json, open, refused, searchable};
use super::asked::{Parameters, Segment};
use super::envelope::Envelope;
use super::parameters::ListParameters;
use super::problem::{Problem, Problems};
use super::wire::GeneRow;
use super::{Shared, lists};

/// A gene; of each kind of identifier there may be several.
#[derive(Serialize, ToSchema)]
pub(super) struct GeneDetail {
    hgnc_id: Vec<String>,
    symbol: Vec<String>,
    name: Vec<String>,
    entrez_id: Vec<String>,
    ensembl_gene_id: Vec<String>,
    ucsc_id: Vec<String>,
    ccds_id: Vec<String>,
    uniprot_ids: Vec<String>,
    omim_id: Vec<String>,
    mane_select: Vec<String>,
    mgd_id: Vec<String>,
    rgd_id: Vec<String>,
    #[serde(rename = "STRING_id")]
    string_id: Vec<String>,
    bed_hg38: Vec<String>,
    /// JSON, whole.
    gnomad_constraints: Vec<String>,
    alphafold_id: Vec<String>,
}

impl From<Gene> for GeneDetail {
    fn from(gene: Gene) -> Self {
        let split = |text: Option<String>| -> Vec<String> {
            text.map(|text| text.split('|').map(str::to_owned).collect()).unwrap_or_default()
        };
        Self {
            hgnc_id: vec![gene.hgnc_id],
            symbol: vec![gene.symbol],
            name: vec![gene.name],
            entrez_id: split(gene.entrez_id),
            ensembl_gene_id: split(gene.ensembl_gene_id),
            ucsc_id: split(gene.ucsc_id),
            ccds_id: split(gene.ccds_id),
            uniprot_ids: split(gene.uniprot_ids),
            omim_id: split(gene.omim_id),
            mane_select: split(gene.mane_select),
            mgd_id: split(gene.mgd_id),
            rgd_id: split(gene.rgd_id),
            string_id: split(gene.string_id),
            bed_hg38: split(gene.bed_hg38),
            gnomad_constraints: gene.gnomad_constraints.into_iter().collect(),
            alphafold_id: split(gene.alphafold_id),
        }
    }
}

/// What a gene is asked for by.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum GeneInput {
    /// `HGNC:…`
    #[default]
    Hgnc,
    /// The symbol, in whichever case.
    Symbol,
}

/// The parameters of a gene.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GeneParameters {
    /// What the path names: an identifier (unless said otherwise) or a symbol.
    #[param(inline, nullable = false)]
    input_type: Option<GeneInput>,
}

/// Lists genes with their entities.
///
/// A filter selects entities; a gene is listed with those of its entities that pass. `entities_count`
/// counts all entities of the gene. `all(column,a,b)` finds genes that have entities with both.
#[utoipa::path(
    get, path = "/api/gene/", tag = "Gene", operation_id = "listGenes", params(ListParameters),
    responses((status = 200, description = "A page of genes", content(
        (Envelope<GeneRow> = "application/json"),
        (String = "text/csv; charset=utf-8"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )), Problems)
)]
pub(super) async fn list(
    State(shared): State<Shared>,
    headers: HeaderMap,
    uri: Uri,
    Parameters(parameters): Parameters<ListParameters>,
) -> Answer {
    let request = ListRequest::read(&GENE, &parameters.query());
    let request = request.map_err(|error| Problem::from(error).into_response())?;
    let sized = parameters.page_size.is_some();
    lists::answer(&shared, &headers, &uri, request, parameters.form(), sized).await
}

/// One gene with its identifiers; nothing if it is not known.
#[utoipa::path(
    get, path = "/api/gene/{input}", tag = "Gene", operation_id = "gene",
    params(("input" = String, Path, description = "An identifier or a symbol"), GeneParameters),
    responses((status = 200, description = "The gene", body = Vec<GeneDetail>), Problems)
)]
pub(super) async fn detail(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Segment(input): Segment<String>,
    Parameters(parameters): Parameters<GeneParameters>,
) -> Answer {
    let input = searchable(&input)?;
    let mut reading = open(&shared.state, &headers).await?;
    let found = match parameters.input_type.unwrap_or_default() {
        GeneInput::Hgnc => gene::by_id(&mut reading, input).await,
        GeneInput::Symbol => gene::by_symbol(&mut reading, input).await,
    };
    let rows: Vec<GeneDetail> = found.map_err(refused)?.into_iter().map(Into::into).collect();
    json(reading, &rows).await
}

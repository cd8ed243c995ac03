//! Panels.

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::IntoResponse as _;
use serde::{Deserialize, Serialize};
use sysndd_store::list::{ListRequest, label};
use sysndd_store::panel;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, json, open};
use super::asked::Parameters;
use super::envelope::{Links, Meta};
use super::parameters::{FlagParameter, ListParameters, flag};
use super::problem::{Problem, Problems};
use super::wire::PanelRow;
use super::{Shared, lists};

/// What can be chosen for a panel.
#[derive(Serialize, ToSchema)]
pub(super) struct PanelOptions {
    /// `categories_list`, `inheritance_list` or `columns_list`.
    lists: String,
    options: Vec<PanelOption>,
}

/// One choice.
#[derive(Serialize, ToSchema)]
pub(super) struct PanelOption {
    value: String,
}

/// A column of a panel's table.
#[derive(Serialize, ToSchema)]
pub(super) struct PanelField {
    key: String,
    label: String,
    sortable: bool,
    class: String,
}

/// A panel with what leads to its other pages.
#[derive(Serialize, ToSchema)]
pub(super) struct PanelEnvelope {
    links: Vec<Links>,
    meta: Vec<Meta>,
    /// The columns of the table.
    fields: Vec<PanelField>,
    data: Vec<PanelRow>,
}

/// The parameter that panels have besides those of all lists.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PanelParameters {
    /// Whether a gene counts only in its strongest category; so unless said otherwise.
    #[serde(default, deserialize_with = "flag")]
    #[param(inline, nullable = false, value_type = Option<FlagParameter>)]
    max_category: Option<bool>,
}

/// The columns of a panel's table.
pub(super) fn fields(request: &ListRequest) -> Vec<PanelField> {
    let field = |name: &str, sortable: bool| PanelField {
        key: name.to_owned(),
        label: label(name),
        sortable,
        class: "text-left".to_owned(),
    };
    request.fields.iter().map(|column| field(column.name, column.sorted)).collect()
}

/// What can be chosen for a panel.
#[utoipa::path(
    get, path = "/api/panels/options", tag = "Panels", operation_id = "panelOptions",
    responses((status = 200, description = "The choices", body = Vec<PanelOptions>), Problems)
)]
pub(super) async fn options(State(shared): State<Shared>, headers: HeaderMap) -> Answer {
    let reading = open(&shared.state, &headers).await?;
    let list = |name: &str, values: &[&str]| PanelOptions {
        lists: name.to_owned(),
        options: values.iter().map(|value| PanelOption { value: (*value).to_owned() }).collect(),
    };
    let lists = [
        list("categories_list", panel::CATEGORIES),
        list("inheritance_list", panel::INHERITANCES),
        list("columns_list", panel::COLUMNS),
    ];
    json(reading, &lists).await
}

/// Lists the genes of a panel, one row each.
///
/// Unless said otherwise: genes of neurodevelopmental disorders on definitive evidence, all of them on
/// one page.
#[utoipa::path(
    get, path = "/api/panels/browse", tag = "Panels", operation_id = "browsePanels",
    params(ListParameters, PanelParameters),
    responses((status = 200, description = "A panel", content(
        (PanelEnvelope = "application/json"),
        (String = "text/csv; charset=utf-8"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    )), Problems)
)]
pub(super) async fn browse(
    State(shared): State<Shared>,
    headers: HeaderMap,
    uri: Uri,
    Parameters(parameters): Parameters<ListParameters>,
    Parameters(own): Parameters<PanelParameters>,
) -> Answer {
    let request = panel::request(&parameters.query(), own.max_category.unwrap_or(true));
    let request = request.map_err(|error| Problem::from(error).into_response())?;
    let sized = parameters.page_size.is_some();
    lists::answer(&shared, &headers, &uri, request, parameters.form(), sized).await
}

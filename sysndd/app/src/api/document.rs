//! The description of the API (OpenAPI 3.1), and a page to read it by.
//!
//! The description is made from the handlers, so it can't say what they do not. The page is written
//! here from the description, once: it loads one style sheet of ours and runs no script, so the
//! strictest policy holds for it, and its forms are plain ones that send a request and show what
//! comes back. A plain form also sends the fields that nobody filled in, and can put none into a
//! path; so the forms ask [`SEND`] for the address that they mean.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::Query;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::Value;
use utoipa::openapi::OpenApi;
use utoipa::openapi::info::{InfoBuilder, LicenseBuilder};
use utoipa::openapi::tag::TagBuilder;

use super::problem::Problem;
use super::service::{DESCRIPTION, TITLE};
use crate::pages::address::{Address, encoded};

/// Where the description is.
pub(super) const DOCUMENT: &str = "/api/admin/openapi.json";
/// Where the page is.
pub(super) const PAGE: &str = "/__docs__/";
/// Where its style sheet is.
pub(super) const STYLE: &str = "/__docs__/style.css";

/// Where the forms of the page lead.
pub(super) const SEND: &str = "/__docs__/send";
/// The field of a form that holds the path of its operation.
const OPERATION: &str = "operation";

const STYLE_TEXT: &str = include_str!("document.css");

const TAGS: &[(&str, &str)] = &[
    ("Entity", "Gene, inheritance and disease together, and what is known of them"),
    ("Gene", "Genes with their entities"),
    ("Ontology", "Diseases"),
    ("Phenotype", "Phenotypes of entities"),
    ("Panels", "Lists of genes for a laboratory"),
    ("Search", "Looking for a word"),
    ("Lists", "The words that entities are made of"),
    ("Statistics", "Counts"),
    ("Service", "The service itself"),
];

/// The beginning of the description, before the handlers are in it.
pub(super) fn head() -> OpenApi {
    let mut document = OpenApi::default();
    document.info = InfoBuilder::new()
        .title(TITLE)
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(LicenseBuilder::new().name("MIT OR Apache-2.0").build()))
        .build();
    let tag = |(name, what): &(&str, &str)| {
        TagBuilder::new().name(*name).description(Some(*what)).build()
    };
    document.tags = Some(TAGS.iter().map(tag).collect());
    document
}

/// What is served of a description.
#[derive(Clone)]
pub(super) struct Document {
    json: Arc<str>,
    page: Arc<str>,
    paths: Arc<[String]>,
}

impl Document {
    pub(super) fn new(document: &OpenApi) -> Self {
        let json = serde_json::to_string(document).unwrap_or_default();
        let value: Value = serde_json::from_str(&json).unwrap_or_default();
        let paths = value["paths"].as_object().into_iter().flatten().map(|(path, _)| path.clone());
        Self { page: page(&value).into(), paths: paths.collect(), json: json.into() }
    }

    pub(super) fn json(&self) -> Response {
        typed("application/json", self.json.to_string())
    }

    pub(super) fn page(&self) -> Response {
        typed("text/html; charset=utf-8", self.page.to_string())
    }

    /// Leads to the address that a form means, which is always one of this description.
    pub(super) fn send(&self, Query(fields): Query<Vec<(String, String)>>) -> Response {
        let asked = fields.iter().find(|(name, _)| name == OPERATION).map(|(_, path)| path);
        let Some(path) = asked.filter(|path| self.paths.contains(path)) else {
            let detail = "This is no operation of the description.";
            return Problem::parameter(OPERATION, detail).into_response();
        };
        let (in_path, others): (Vec<_>, Vec<_>) =
            fields.iter().partition(|(name, _)| path.contains(&format!("{{{name}}}")));
        let path = in_path.iter().fold(path.clone(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), &encoded(value.trim()))
        });
        let address = others
            .iter()
            .filter(|(name, _)| name != OPERATION)
            .fold(Address::of(path), |address, (name, value)| address.with(name, value));
        Redirect::to(&address.to_string()).into_response()
    }
}

pub(super) async fn style() -> Response {
    typed("text/css; charset=utf-8", STYLE_TEXT.to_owned())
}

fn typed(kind: &'static str, body: String) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    response
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A description: what stands between backticks is code.
fn prose(text: &str) -> String {
    let parts: Vec<_> = text.split('`').map(escape).collect();
    if parts.len() % 2 == 0 {
        return escape(text);
    }
    let mut prose = String::new();
    for (position, part) in parts.iter().enumerate() {
        let (before, after) = if position % 2 == 1 { ("<code>", "</code>") } else { ("", "") };
        prose.extend([before, part, after]);
    }
    prose
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The page. Writing to a text can't fail.
fn page(document: &Value) -> String {
    let mut html = String::new();
    let _ = write!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><link rel=\"stylesheet\" href=\"{STYLE}\"></head><body>\
         <a class=\"skip\" href=\"#operations\">To the operations</a><header><h1>{title}</h1>\
         <p>{description}</p><p>Version {version} · <a href=\"{DOCUMENT}\">OpenAPI document</a> · \
         <a href=\"/\">Back to the site</a></p></header><main id=\"operations\">",
        title = escape(text(&document["info"], "title")),
        description = prose(text(&document["info"], "description")),
        version = escape(text(&document["info"], "version")),
    );
    for (tag, what) in TAGS {
        let _ = write!(html, "<section><h2>{}</h2><p>{}</p>", escape(tag), escape(what));
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            let operation = &item["get"];
            if operation["tags"][0].as_str() == Some(tag) {
                write_operation(&mut html, path, operation, document);
            }
        }
        html.push_str("</section>");
    }
    html.push_str("</main></body></html>");
    html
}

fn write_operation(html: &mut String, path: &str, operation: &Value, document: &Value) {
    let _ = write!(
        html,
        "<details><summary><span class=\"method\">GET</span> <code>{}</code> {}</summary>",
        escape(path),
        prose(text(operation, "summary")),
    );
    let description = text(operation, "description");
    if !description.is_empty() {
        let _ = write!(html, "<p>{}</p>", prose(description));
    }
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    let _ = write!(
        html,
        "<form action=\"{SEND}\" method=\"get\">\
         <input type=\"hidden\" name=\"{OPERATION}\" value=\"{}\">",
        escape(path)
    );
    for parameter in parameters {
        write_field(html, path, parameter, document);
    }
    html.push_str("<button>Send</button></form>");
    html.push_str("<h3>Answers</h3><dl>");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let kinds = response["content"].as_object().into_iter().flatten();
        let kinds: Vec<_> = kinds.map(|(kind, _)| escape(kind)).collect();
        let _ = write!(
            html,
            "<dt>{}</dt><dd>{} <small>{}</small></dd>",
            escape(status),
            prose(text(response, "description")),
            kinds.join(", "),
        );
    }
    html.push_str("</dl></details>");
}

/// A field of a form; one with choices where there are choices.
fn write_field(html: &mut String, path: &str, parameter: &Value, document: &Value) {
    let name = text(parameter, "name");
    let id = format!("{}-{name}", path.trim_matches('/').replace(['/', '{', '}'], "-"));
    let is_required = parameter["required"] == true;
    let required = if is_required { " required" } else { "" };
    let _ = write!(
        html,
        "<p><label for=\"{id}\"><code>{name}</code></label> ",
        id = escape(&id),
        name = escape(name),
    );
    let schema = resolved(&parameter["schema"], document);
    if let Some(choices) = choices(schema, document) {
        let _ = write!(html, "<select id=\"{}\" name=\"{}\">", escape(&id), escape(name));
        if !is_required {
            html.push_str("<option value=\"\">default</option>");
        }
        for choice in choices {
            let _ = write!(html, "<option>{}</option>", escape(&choice));
        }
        html.push_str("</select>");
    } else {
        let value = if name == "page_size" { "10" } else { "" };
        let _ = write!(
            html,
            "<input id=\"{}\" name=\"{}\" value=\"{value}\"{required}>",
            escape(&id),
            escape(name)
        );
    }
    let _ = write!(html, "<br><small>{}</small></p>", prose(text(parameter, "description")));
}

/// A schema, by its name in the document if it has one.
fn resolved<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    match name.and_then(|name| name.rsplit('/').next()) {
        Some(name) => &document["components"]["schemas"][name],
        None => schema,
    }
}

fn choices(schema: &Value, document: &Value) -> Option<Vec<String>> {
    if schema["type"] == "boolean" || schema["oneOf"][0]["type"] == "boolean" {
        return Some(vec!["true".to_owned(), "false".to_owned()]);
    }
    let each = match schema["oneOf"].as_array() {
        Some(several) => several.iter().map(|one| resolved(one, document)).collect(),
        None => vec![schema],
    };
    let words: Vec<String> = each
        .iter()
        .filter_map(|schema| schema["enum"].as_array())
        .flatten()
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect();
    (!words.is_empty() && words != ["all"]).then_some(words)
}

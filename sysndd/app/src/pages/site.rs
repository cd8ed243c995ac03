//! What every page says about its data, and the one transaction a page is made in.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use axum::response::Response;
use sysndd_store::Reading;
use sysndd_store::provenance::{self, DataSource};

use super::Pages;
use super::answer;
use super::failure::Failure;
use super::frame::Frame;

/// Where the data came from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    pub(crate) sources: Vec<DataSource>,
    /// Whether a rule gave entities their category, not a curator.
    pub(crate) computed: bool,
}

/// Somebody looks at a page: one transaction, so that all of it is of one state of the data.
pub(crate) struct Visit {
    pub(crate) reading: Reading,
    pub(crate) site: Arc<Site>,
    pub(crate) etag: String,
    base: String,
    is_known: bool,
}

impl Pages {
    /// Begins to make a page.
    pub(crate) async fn visit(&self, headers: &HeaderMap) -> Result<Visit, Failure> {
        let mut reading = self.reader.begin().await?;
        let version = reading.version();
        let site = match self.kept(version) {
            Some(site) => site,
            None => {
                let transaction = reading.transaction();
                let sources = provenance::sources(transaction).await?;
                let computed = provenance::has_computed_categories(transaction).await?;
                self.keep(version, Site { sources, computed })
            }
        };
        let etag = format!("W/\"{}-{version}\"", self.build);
        let is_known = answer::is_known(headers, &etag);
        Ok(Visit { reading, site, base: self.base(headers), etag, is_known })
    }

    /// The address of the site, as configured or as the browser called it.
    pub(crate) fn base(&self, headers: &HeaderMap) -> String {
        let configured = &self.state.settings.public.url;
        if !configured.is_empty() {
            return configured.clone();
        }
        let host =
            headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let plain =
            |character: char| character.is_ascii_alphanumeric() || ".-:[]".contains(character);
        let host = if host.chars().all(plain) { host } else { "localhost" };
        format!("http://{host}")
    }
}

impl Visit {
    /// The answer to a browser that has this page already.
    pub(crate) fn known(&self) -> Option<Response> {
        self.is_known.then(|| answer::not_modified(&self.etag))
    }

    /// An address with the site's name in it.
    pub(crate) fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The frame of a page.
    pub(crate) fn frame(&self, title: impl Into<String>, description: impl Into<String>) -> Frame {
        Frame::new(&self.site, title, description)
    }
}

//! The public pages, rendered on the server.
//!
//! Every page works without scripts: a form is a plain GET form and what it says ends in the address.
//! A page is made in one transaction (`site::Visit`), carries the number of the data's state as
//! its ETag, and is not made at all for a browser that has it. Nothing is loaded from another host:
//! style sheet, script and drawings are in the program (`asset`).

mod about;
pub(crate) mod address;
mod answer;
mod asset;
mod badge;
mod chart;
mod condition;
mod entities;
mod entity;
mod entity_row;
mod entries_over_time;
mod failure;
mod frame;
mod gene;
mod genes;
mod home;
mod icon;
mod interface;
mod links;
mod listing;
mod markup;
mod ontology;
mod panels;
mod phenotypes;
mod robots;
mod search;
mod site;
mod table;

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use sysndd_store::Reader;

pub(crate) use self::failure::refused;
use crate::state::State;

/// What the pages share.
#[derive(Clone)]
pub(crate) struct Pages {
    state: State,
    reader: Reader,
    build: Arc<str>,
    site: Arc<Mutex<(i64, Arc<site::Site>)>>,
}

impl Pages {
    pub(crate) fn new(state: State) -> Self {
        Self {
            reader: state.reader.clone(),
            state,
            build: asset::build().into(),
            site: Arc::default(),
        }
    }

    /// What was last known of the site, for pages that can't ask the database.
    pub(crate) fn known_site(&self) -> Arc<site::Site> {
        Arc::clone(&self.site.lock().unwrap_or_else(PoisonError::into_inner).1)
    }

    fn kept(&self, version: i64) -> Option<Arc<site::Site>> {
        let kept = self.site.lock().unwrap_or_else(PoisonError::into_inner);
        (kept.0 == version).then(|| Arc::clone(&kept.1))
    }

    fn keep(&self, version: i64, site: site::Site) -> Arc<site::Site> {
        let site = Arc::new(site);
        let mut kept = self.site.lock().unwrap_or_else(PoisonError::into_inner);
        if version >= kept.0 {
            *kept = (version, Arc::clone(&site));
        }
        site
    }
}

/// The routes of the pages; whatever nothing else answers gets the page "Not found".
pub(crate) fn router(pages: Pages) -> Router {
    Router::new()
        .route("/", get(home::show))
        .route("/Entities", get(entities::show))
        .route("/Entities/{id}", get(entity::show))
        .route("/Genes", get(genes::show))
        .route("/Genes/{symbol}", get(gene::show))
        .route("/Ontology/{term}", get(ontology::show))
        .route("/Phenotypes", get(phenotypes::show))
        .route("/Panels", get(panels::show_default))
        .route("/Panels/{category}", get(panels::show_category))
        .route("/Panels/{category}/{inheritance}", get(panels::show))
        .route("/Search", get(search::form))
        .route("/Search/{term}", get(search::show))
        .route("/suggestions", get(search::suggestions))
        .route("/EntriesOverTime", get(entries_over_time::show))
        .route("/About", get(about::show))
        .route("/API", get(interface::show))
        .route("/robots.txt", get(robots::robots))
        .route("/sitemap.xml", get(robots::sitemap))
        .fallback(failure::unknown_address)
        .layer(from_fn_with_state(pages.clone(), failure::rendered))
        .route("/assets/{name}", get(asset::serve))
        .route("/favicon.ico", get(asset::favicon))
        .route("/brain-neurodevelopmental-disorders-sysndd.png", get(asset::large_icon))
        .with_state(pages)
}

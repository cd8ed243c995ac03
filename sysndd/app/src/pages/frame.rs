//! What stands around every page: navigation, search box, the mark "computed, not curated", the footer
//! with licences and data releases.

use std::sync::Arc;

use super::asset;
use super::icon;
use super::markup::Markup;
use super::site::Site;

/// The frame of one page.
#[derive(Clone)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) description: String,
    /// The one address of the page; none for pages that no index should keep.
    pub(crate) canonical: Option<String>,
    /// The part of the site the page belongs to.
    pub(crate) section: &'static str,
    /// Whether the bar has a search box; the home page has a larger one of its own.
    pub(crate) searchable: bool,
    pub(crate) searched: String,
    pub(crate) site: Arc<Site>,
}

/// An entry of the navigation.
pub(crate) struct MenuItem {
    pub(crate) label: &'static str,
    pub(crate) address: &'static str,
    pub(crate) current: bool,
}

const MENU: &[(&str, &str)] = &[
    ("Entities", "/Entities"),
    ("Genes", "/Genes"),
    ("Phenotypes", "/Phenotypes"),
    ("Panels", "/Panels"),
    ("Entries over time", "/EntriesOverTime"),
    ("About", "/About"),
    ("API", "/API"),
];

impl Frame {
    /// The frame of a page with this title.
    pub(crate) fn new(
        site: &Arc<Site>,
        title: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            description: description.into(),
            canonical: None,
            section: "",
            searchable: true,
            searched: String::new(),
            site: Arc::clone(site),
        }
    }

    /// The same for a page that has this address and belongs to this section.
    pub(crate) fn at(mut self, section: &'static str, canonical: impl Into<String>) -> Self {
        self.section = section;
        self.canonical = Some(canonical.into());
        self
    }

    pub(crate) fn asset(&self, name: &str) -> String {
        asset::address(name)
    }

    pub(crate) fn menu(&self) -> Vec<MenuItem> {
        let item = |(label, address): &(&'static str, &'static str)| MenuItem {
            label,
            address,
            current: *address == self.section,
        };
        MENU.iter().map(item).collect()
    }

    pub(crate) fn sprite(&self) -> Markup {
        Markup::constant(icon::SPRITE)
    }

    pub(crate) fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

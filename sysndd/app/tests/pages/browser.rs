//! The pages as people see them: a real browser, every page, light and dark, on a telephone, by keyboard,
//! without scripts, judged by axe-core. Pictures are kept in `target/screenshots`.
//!
//! Starting a browser is slow, so one session sees everything; what fails is told together at the end.

use std::fmt::Write as _;
use std::path::PathBuf;

use fantoccini::Locator;
use fantoccini::key::Key;
use serde_json::Value;

use crate::driver::{self, Browser, Scheme};
use crate::served::Served;

/// Every kind of page, by the name of its picture.
const PAGES: &[(&str, &str)] = &[
    ("home", "/"),
    ("entities", "/Entities"),
    (
        "entities-filtered",
        "/Entities?sort=-entry_date&filter=contains(any,epilep),any(category,Definitive,Limited)&page_size=25",
    ),
    ("entities-locked", "/Entities?filter=or(equals(symbol,ARX),equals(symbol,CBS))"),
    ("entities-nothing", "/Entities?filter=contains(symbol,NOSUCHGENE)"),
    ("genes", "/Genes"),
    ("phenotypes", "/Phenotypes"),
    ("panels", "/Panels/All/All"),
    ("entity", "/Entities/{id}"),
    ("gene", "/Genes/{symbol}"),
    ("ontology", "/Ontology/{disease}"),
    ("search", "/Search/encephalopathy"),
    ("search-nothing", "/Search"),
    ("entries-over-time", "/EntriesOverTime"),
    ("entries-over-time-genes", "/EntriesOverTime?aggregate=symbol&group=inheritance_multiple"),
    ("entries-over-time-replaced", "/EntriesOverTime?group=inheritance_multiple"),
    ("about", "/About"),
    ("api", "/API"),
    ("documentation", "/__docs__/"),
    ("not-found", "/Entities/999999999"),
    ("bad-request", "/Entities?filter=equals(symbol,A"),
];

struct Seen {
    problems: Vec<String>,
}

impl Seen {
    fn expect(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(problem());
        }
    }
}

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_page_is_good_to_look_at_to_operate_and_to_listen_to() {
    if let Some(lacking) = driver::lacking() {
        println!("skipped: needs {lacking}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let mut seen = Seen { problems: Vec::new() };
    runtime.block_on(async {
        let site = Served::start().await;
        let browser = Browser::start().await;
        browser.before_each_page(
            "window.refused = []; document.addEventListener('securitypolicyviolation', (event) => window.refused.push(event.blockedURI));",
        );
        every_page(&browser, &site, &mut seen).await;
        suggestions_by_keyboard(&browser, &site, &mut seen).await;
        a_list_follows_what_is_typed(&browser, &site, &mut seen).await;
        everything_works_without_scripts(&browser, &site, &mut seen).await;
    });
    assert!(
        seen.problems.is_empty(),
        "{} problems\n{}",
        seen.problems.len(),
        seen.problems.join("\n")
    );
}

/// The pages, with the names of what is on them put in.
fn addresses(site: &Served) -> Vec<(&'static str, String)> {
    let put_in = |path: &str| {
        let path = path.replace("{id}", &site.example.id).replace("{symbol}", &site.example.symbol);
        format!("{}{}", site.address, path.replace("{disease}", &site.example.disease))
    };
    PAGES.iter().map(|(name, path)| (*name, put_in(path))).collect()
}

#[expect(clippy::print_stdout, reason = "a test says what it needs")]
async fn every_page(browser: &Browser, site: &Served, seen: &mut Seen) {
    let pictures = workspace().join("target/screenshots");
    std::fs::create_dir_all(&pictures).expect("a directory for pictures");
    let axe = std::fs::read_dir(workspace().join("target/axe"))
        .ok()
        .and_then(|mut files| files.next()?.ok());
    let axe = axe.map(|file| std::fs::read_to_string(file.path()).expect("axe-core"));
    if axe.is_none() {
        println!("skipped: needs axe-core (scripts/fetch-axe)");
    }
    for (name, address) in addresses(site) {
        for scheme in [Scheme::Light, Scheme::Dark] {
            for width in [1280, 390] {
                browser.look(width, scheme);
                browser.client.goto(&address).await.expect("the page loads");
                let shown = format!("{name}-{width}-{scheme:?}").to_lowercase();
                browser.picture(&pictures.join(format!("{shown}.png")));
                if let Some(axe) = &axe
                    && (width, scheme) != (390, Scheme::Dark)
                {
                    judged(browser, axe, &shown, seen).await;
                }
                let wide = browser.value("document.documentElement.scrollWidth").await;
                seen.expect(wide.as_u64() <= Some(u64::from(width)), || {
                    format!("{shown}: {wide} pixels wide")
                });
            }
        }
        let foreign = browser
            .value("performance.getEntries().map((entry) => entry.name).filter((name) => name.startsWith('http') && !name.startsWith(location.origin + '/'))")
            .await;
        seen.expect(foreign == Value::Array(Vec::new()), || {
            format!("{name}: asks other hosts: {foreign}")
        });
        let refused = browser.value("window.refused").await;
        seen.expect(refused == Value::Array(Vec::new()), || {
            format!("{name}: against the policy: {refused}")
        });
        browser.look(1280, Scheme::Light);
        browser.client.goto(&address).await.expect("the page loads");
        by_keyboard(browser, name, seen).await;
    }
}

/// axe-core finds nothing against WCAG 2.2 AA.
async fn judged(browser: &Browser, axe: &str, shown: &str, seen: &mut Seen) {
    browser.client.execute(axe, Vec::new()).await.expect("axe-core starts");
    let violations = browser
        .client
        .execute_async(
            "const done = arguments[0]; axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
             .then((found) => done(found.violations.map((rule) => rule.id + ': ' + rule.nodes.map((node) => node.target + ' ' + node.failureSummary).slice(0, 3).join(' | '))))",
            Vec::new(),
        )
        .await
        .expect("axe-core answers");
    for violation in violations.as_array().expect("a list") {
        seen.problems.push(format!("{shown}: {}", violation.as_str().unwrap_or_default()));
    }
}

/// The first stop leads past the navigation, and at every stop it is seen where the focus is.
async fn by_keyboard(browser: &Browser, name: &str, seen: &mut Seen) {
    let press = async |key: &str| {
        let element = browser.client.active_element().await.expect("something is active");
        element.send_keys(key).await.expect("a key is pressed");
    };
    press(&Key::Tab).await;
    let first = browser.value("document.activeElement.className").await;
    seen.expect(first == "skip", || format!("{name}: the first stop is {first}"));
    let stops = browser.value("[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex]')].length").await;
    let mut unseen = String::new();
    for _ in 0..stops.as_u64().unwrap_or(0).min(40) {
        press(&Key::Tab).await;
        let stop = browser
            .value(
                "(() => { const e = document.activeElement; if (e === document.body) return 'end';
                 const style = getComputedStyle(e); const box = e.getBoundingClientRect();
                 const inside = e.matches('.chart a') ? e.querySelector('.hit') : null;
                 const marked = style.outlineStyle !== 'none' || (inside && getComputedStyle(inside).strokeWidth !== '0px');
                 return marked && box.width > 0 && box.bottom > 0 && box.top < innerHeight ? '' : e.outerHTML.slice(0, 120); })()",
            )
            .await;
        match stop.as_str() {
            Some("end") => break,
            Some("") => {}
            other => write!(unseen, " {}", other.unwrap_or_default()).expect("text"),
        }
    }
    seen.expect(unseen.is_empty(), || format!("{name}: the focus is not seen at{unseen}"));
}

async fn type_into(browser: &Browser, selector: &str, text: &str) {
    let field = browser
        .client
        .find(Locator::Css(selector))
        .await
        .unwrap_or_else(|error| panic!("{selector}: {error}"));
    field.send_keys(text).await.expect("it can be typed into");
}

async fn suggestions_by_keyboard(browser: &Browser, site: &Served, seen: &mut Seen) {
    browser.look(1280, Scheme::Light);
    let symbol = &site.example.symbol;
    browser.client.goto(&format!("{}/", site.address)).await.expect("home");
    type_into(browser, "#search", symbol).await;
    browser
        .until("document.getElementById('search').getAttribute('aria-expanded') === 'true'")
        .await;
    browser.picture(&workspace().join("target/screenshots/suggestions.png"));
    type_into(browser, "#search", &Key::Down).await;
    let chosen = browser.value("document.getElementById(document.getElementById('search').getAttribute('aria-activedescendant'))?.textContent").await;
    seen.expect(chosen.as_str().is_some_and(|text| text.contains(symbol.as_str())), || {
        format!("suggestions: {chosen} was chosen for {symbol}")
    });
    type_into(browser, "#search", &Key::Enter).await;
    browser.until("location.pathname !== '/'").await;
    let path = browser.value("location.pathname").await;
    seen.expect(path == format!("/Genes/{symbol}"), || format!("suggestions: led to {path}"));
}

async fn a_list_follows_what_is_typed(browser: &Browser, site: &Served, seen: &mut Seen) {
    browser.client.goto(&format!("{}/Entities", site.address)).await.expect("entities");
    let before =
        browser.value("document.querySelector('[role=status][aria-live]').textContent").await;
    browser.value("(window.kept = document.querySelector('table.list'), true)").await;
    type_into(browser, "#any", "epilep").await;
    browser.until("location.search.includes('contains(any,epilep)')").await;
    let after =
        browser.value("document.querySelector('[role=status][aria-live]').textContent").await;
    seen.expect(before != after, || format!("entities: the count stays {before}"));
    let kept = browser.value("window.kept === document.querySelector('table.list') && document.activeElement.id === 'any'").await;
    seen.expect(kept == true, || "entities: the page was loaded anew or lost the focus".to_owned());
    let sort =
        browser.client.find(Locator::Css("#list-heads th:nth-child(2) a")).await.expect("a head");
    sort.send_keys(&Key::Enter).await.expect("pressed");
    browser.until("document.querySelector('#list-heads th:nth-child(2)').getAttribute('aria-sort') === 'ascending'").await;
    let focus = browser.value("document.activeElement.closest('th')?.cellIndex").await;
    seen.expect(focus == 1, || format!("entities: after sorting the focus is at {focus}"));
    let toggle = browser.client.find(Locator::Css("tbody .toggle")).await.expect("a row");
    toggle.send_keys(" ").await.expect("pressed");
    let open =
        browser.value("getComputedStyle(document.querySelector('tbody .more')).display").await;
    seen.expect(open == "table-row", || format!("entities: the details are {open}"));
    browser.client.back().await.expect("back");
    browser.until("!location.search.includes('sort=')").await;
}

async fn everything_works_without_scripts(browser: &Browser, site: &Served, seen: &mut Seen) {
    browser.scripts(false);
    for (name, address) in addresses(site) {
        browser.client.goto(&address).await.expect("the page loads");
        let heading = browser.client.find(Locator::Css("h1")).await;
        seen.expect(heading.is_ok(), || format!("{name}: nothing is there without scripts"));
    }
    let submit = async |path: &str, selector: &str, text: &str| {
        browser.client.goto(&format!("{}{path}", site.address)).await.expect("the page loads");
        type_into(browser, selector, text).await;
        type_into(browser, selector, &Key::Enter).await;
        browser.client.current_url().await.expect("an address").to_string()
    };
    let found = submit("/", "#search", "encephalopathy").await;
    seen.expect(found.ends_with("/Search/encephalopathy"), || {
        format!("without scripts a search leads to {found}")
    });
    let filtered = submit("/Entities", "#w-symbol", "A").await;
    seen.expect(filtered.ends_with("/Entities?filter=contains(symbol,A)"), || {
        format!("without scripts a filter leads to {filtered}")
    });
    browser.client.goto(&format!("{}/Entities", site.address)).await.expect("entities");
    let next = browser.client.find(Locator::LinkText("Next")).await.expect("a next page");
    next.click().await.expect("clicked");
    let page = browser
        .client
        .find(Locator::Css(".position"))
        .await
        .expect("a position")
        .text()
        .await
        .expect("text");
    seen.expect(page.starts_with("Page 2 of"), || format!("without scripts next leads to {page}"));
    browser.look(390, Scheme::Light);
    browser.client.goto(&format!("{}/Genes", site.address)).await.expect("genes");
    browser
        .client
        .find(Locator::Css(".menu-button"))
        .await
        .expect("a menu")
        .click()
        .await
        .expect("it opens");
    let entry = browser.client.find(Locator::LinkText("Panels")).await.expect("an entry");
    seen.expect(entry.is_displayed().await.unwrap_or(false), || {
        "without scripts the menu stays closed".to_owned()
    });
    browser.picture(&workspace().join("target/screenshots/menu-390.png"));
    entry.click().await.expect("it leads on");
    let address = browser.client.current_url().await.expect("an address");
    seen.expect(address.path().starts_with("/Panels"), || format!("the menu leads to {address}"));
    browser.scripts(true);
}

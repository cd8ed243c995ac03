//! A site in this process, on each engine that is there.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use foundation_durable::migration::{Coordinator, Mode};
use foundation_durable::{Database, DatabaseSettings};
use foundation_runtime::SystemClock;
use http_body_util::BodyExt as _;
use serde_json::Value;
use sysndd_app::settings::Settings;
use sysndd_app::state::{State, migrations};
use sysndd_store::generate::{Size, generate};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// A site with generated entities.
pub(crate) struct Site {
    pub(crate) database: Database,
    router: Router,
    _folder: TempDir,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

async fn site(url: Option<String>, entities: usize, seed: u64) -> Site {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = Settings::for_data(folder.path()).expect("defaults");
    if let Some(url) = url {
        settings.database = DatabaseSettings::new(url);
    }
    let database = Database::open(&settings.database).await.expect("a database");
    let files = Arc::new(migrations().expect("migrations in order"));
    let coordinator = Coordinator::new(
        settings.database.clone(),
        database.clone(),
        Arc::clone(&files),
        Arc::new(SystemClock::new()),
        "test",
        "test",
    );
    coordinator.run(Mode::Auto).await.expect("a current schema");
    generate(&database, Size { entities, seed }).await.expect("entities");
    let status = coordinator.status();
    let state = State::new(database.clone(), settings, files, status).expect("a state");
    Site { database, router: sysndd_app::api::router(state), _folder: folder }
}

/// Sites with the same entities.
pub(crate) async fn sites(entities: usize, seed: u64) -> Vec<Site> {
    let mut sites = vec![site(None, entities, seed).await];
    if let Some(cluster) = testkit::postgres::cluster() {
        sites.push(site(Some(cluster.database()), entities, seed).await);
    }
    sites
}

impl Site {
    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::HOST, "sysndd.test");
        self.ask(request.body(Body::empty()).expect(path)).await
    }

    /// The JSON of a path that has to be there.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/json", "{path}");
        answer.json()
    }
}

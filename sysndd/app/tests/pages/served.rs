//! The site on the project's sample of real data, in this process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use foundation_durable::Database;
use foundation_durable::migration::{Coordinator, Mode};
use foundation_runtime::SystemClock;
use foundation_runtime::clock::Clock as _;
use foundation_runtime::listen;
use http_body_util::BodyExt as _;
use sysndd_app::server::public_router;
use sysndd_app::settings::Settings;
use sysndd_app::state::{State, migrations};
use sysndd_store::import::{Release, Silent, load};
use sysndd_store::list::{ENTITY, ListQuery, ListRequest, list};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// The site.
pub(crate) struct Site {
    pub(crate) state: State,
    router: Router,
    _folder: TempDir,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Something that is on the site.
pub(crate) struct Example {
    pub(crate) id: String,
    pub(crate) symbol: String,
    pub(crate) disease: String,
}

impl Site {
    /// A site with the sample.
    pub(crate) async fn with_sample() -> Self {
        let site = Self::empty().await;
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample");
        let release = Release::read(&sample, &Silent).expect("the sample");
        load(&site.state.database, &release, SystemClock::new().now(), &Silent)
            .await
            .expect("the sample fits");
        site
    }

    /// A site without data.
    pub(crate) async fn empty() -> Self {
        Self::with_rate(0).await
    }

    /// A site without data that answers so many requests in a second, or any number.
    pub(crate) async fn with_rate(rate: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = Settings::for_data(folder.path()).expect("defaults");
        settings.public.requests_per_second = rate;
        settings.public.request_burst = rate;
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
        let state = State::new(database, settings, files, coordinator.status()).expect("a state");
        Self { router: public_router(&state), state, _folder: folder }
    }

    pub(crate) async fn ask(&self, path: &str, headers: &[(header::HeaderName, &str)]) -> Answer {
        self.send(Method::GET, path, headers).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, &str)],
    ) -> Answer {
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, "sysndd.test");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(path, &[]).await
    }

    /// A page that has to be there.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        assert_eq!(answer.header(header::CONTENT_TYPE), "text/html; charset=utf-8", "{path}");
        answer.text
    }

    /// Where a path leads to.
    pub(crate) async fn leads_to(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert!(answer.status.is_redirection(), "{path}: {} {}", answer.status, answer.text);
        answer.header(header::LOCATION).to_owned()
    }

    /// An entity of the sample that is a definite neurodevelopmental disorder.
    pub(crate) async fn example(&self) -> Example {
        let query = ListQuery {
            filter: Some("any(category,Definitive),any(ndd_phenotype_word,Yes)".to_owned()),
            page_size: Some("1".to_owned()),
            ..ListQuery::default()
        };
        let request = ListRequest::read(&ENTITY, &query).expect("a request");
        let mut reading = self.state.reader.begin().await.expect("a reading");
        let page = list(&mut reading, &request).await.expect("a page");
        let row = page.rows.first().expect("an entity");
        Example {
            id: row.integer("entity_id").to_string(),
            symbol: row.text("symbol").to_owned(),
            disease: row.text("disease_ontology_id_version").to_owned(),
        }
    }
}

/// A site that a browser can reach.
pub(crate) struct Served {
    pub(crate) address: String,
    pub(crate) example: Example,
    _site: Site,
}

impl Served {
    pub(crate) async fn start() -> Self {
        let site = Site::with_sample().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let (router, life) = (site.router.clone(), site.state.life.clone());
        tokio::spawn(async move {
            listen::serve(listener, router, life, 100, Duration::from_secs(1)).await
        });
        Self { example: site.example().await, address, _site: site }
    }
}

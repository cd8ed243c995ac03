//! The two listeners: the public one with pages and API, and the one for operations.
//!
//! Operations answer from the first moment, so that whoever waits for this process learns why it is
//! not ready. The public door opens only when it is ready for the first time: until then a load
//! balancer gets no connection, which is the one refusal that every client may safely retry.

mod caller;
mod cors;
mod headers;
pub(crate) mod health;
mod instance;
pub(crate) mod limits;
pub(crate) mod numbers;
mod operations;
pub mod problem;
pub(crate) mod readiness;
mod watch;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use foundation_durable::migration::{Coordinator, Phase as Migration};
use foundation_runtime::exit::Exit;
use foundation_runtime::lifecycle::Phase;
use foundation_runtime::listen;
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;

pub use headers::CONTENT_SECURITY_POLICY;
pub use watch::RequestId;

use crate::pages::Pages;
use crate::state::State;
use crate::{api, pages, ui};

const OPERATIONS_CONNECTIONS_MAX: usize = 256;
/// How often a process that is not ready looks again.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// After how long a start that failed is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// The public routes with all their layers. From outside to inside: what is watched, how it is
/// sent, who may ask, how much, and at last the answer.
pub fn public_router(state: &State) -> Router {
    let pages = Pages::new(state.clone());
    let routes =
        Router::new().merge(api::router(state.clone())).merge(pages::router(pages.clone()));
    #[cfg(feature = "faults")]
    let routes = routes.merge(crate::faults::router(state.clone()));
    routes
        .layer(DefaultBodyLimit::max(state.settings.public.body_bytes_max))
        .layer(from_fn_with_state(state.clone(), limits::apply))
        .layer(from_fn_with_state(pages, pages::refused))
        .layer(from_fn_with_state(state.clone(), cors::answer))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(state.clone(), headers::add))
        .layer(from_fn_with_state(state.clone(), watch::request))
}

/// The routes for operations.
pub fn operations_router(state: &State) -> Router {
    operations::router(state)
}

/// Serves until it is asked to stop.
pub async fn run(state: State, coordinator: Coordinator) -> Exit {
    let operations = match bind(state.settings.operations).await {
        Ok(listener) => listener,
        Err(exit) => return exit,
    };
    let instance = match instance::Instance::register(&state) {
        Ok(instance) => instance,
        Err(error) => {
            ui::error(&format!("can't write into {}: {error}", state.settings.data.display()));
            return Exit::Machine;
        }
    };
    let pool = state.settings.database.pool_size;
    tracing::info!("Database pool created (minSize=0, maxSize={pool})");
    let finish = state.settings.finish;
    let operations = listen::serve(
        operations,
        operations_router(&state),
        state.life.clone(),
        OPERATIONS_CONNECTIONS_MAX,
        // Whoever asks about health gets an answer at once or none.
        Duration::from_secs(1),
    );
    let public = async {
        tokio::select! {
            () = open(&state) => {}
            () = state.life.reached(Phase::Closing) => return Ok(true),
        }
        let listener = bind(state.settings.public.address).await?;
        let address = state.settings.public.address;
        state.life.enter(Phase::Serving);
        tracing::info!(%address, "Ready");
        let most = state.settings.public.connections_max;
        Ok(listen::serve(listener, public_router(&state), state.life.clone(), most, finish).await)
    };
    let public = async {
        let ended: Result<bool, Exit> = public.await;
        // Without a public side there is nothing to go on for.
        state.life.enter(Phase::Closing);
        ended
    };
    let serving = async { tokio::join!(public, operations) };
    let beside = async {
        let migrating = migrate(&state, &coordinator);
        tokio::join!(operations::beat(state.clone()), instance.keep(&state), migrating)
    };
    let signals = async {
        if let Err(error) = state.life.end_on_signal(state.settings.drain).await {
            tracing::error!(%error, "Signals can't be handled");
            state.life.enter(Phase::Closing);
        }
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        (ended, _) = serving => ended,
        _ = beside => Err(Exit::Unexpected),
        () = signals => Err(Exit::Unexpected),
    };
    drop(instance);
    let _ = tokio::time::timeout(Duration::from_secs(2), state.database.close()).await;
    match ended {
        Ok(true) => {
            tracing::info!("Ended; all requests were answered");
            Exit::Success
        }
        Ok(false) => {
            tracing::warn!(
                "Ended; requests that took longer than shutdown.finish_seconds were cut off"
            );
            Exit::Incomplete
        }
        Err(exit) => exit,
    }
}

async fn bind(address: std::net::SocketAddr) -> Result<TcpListener, Exit> {
    TcpListener::bind(address).await.map_err(|error| {
        ui::error(&format!(
            "can't listen on {address}: {error}; stop what listens there or choose another address"
        ));
        Exit::Configuration
    })
}

/// Waits until this process is ready for the first time.
async fn open(state: &State) {
    // The coordinator looks anyway; asking the database beside it helps nobody.
    while !matches!(state.migration_status.phase(), Migration::Done) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while readiness::report(state).await.obstacle(state).is_some() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Brings the schema up, however long that takes; a failure is told and tried again, as another
/// process or a person may have mended it meanwhile.
async fn migrate(state: &State, coordinator: &Coordinator) {
    loop {
        match coordinator.run(state.settings.migrate).await {
            Ok(_) => std::future::pending::<()>().await,
            Err(failure) => {
                tracing::error!("API startup aborted: migration failure - {failure}");
            }
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

//! The two listeners: the public one with pages and API, and the one for operations.

use axum::Router;
use axum::routing::get;
use foundation_runtime::exit::Exit;
use foundation_runtime::lifecycle::Phase;
use foundation_runtime::listen;
use tokio::net::TcpListener;

use crate::state::State;
use crate::{api, pages, ui};

const CONNECTIONS_MAX: usize = 2048;

/// The public routes with all their layers.
pub fn public_router(state: &State) -> Router {
    api::router(state.clone()).merge(pages::router(state.clone()))
}

/// The routes for operations.
pub fn operations_router(state: &State) -> Router {
    Router::new().route("/livez", get(async || "ok")).with_state(state.clone())
}

/// Serves until it is asked to stop.
pub async fn run(state: State) -> Exit {
    let mut listeners = Vec::new();
    for address in [state.settings.public, state.settings.operations] {
        match TcpListener::bind(address).await {
            Ok(listener) => listeners.push(listener),
            Err(error) => {
                ui::error(&format!("can't listen on {address}: {error}"));
                return Exit::Configuration;
            }
        }
    }
    let (Some(operations), Some(public)) = (listeners.pop(), listeners.pop()) else {
        return Exit::Unexpected;
    };
    state.life.enter(Phase::Serving);
    let finish = state.settings.finish;
    let public = listen::serve(public, public_router(&state), state.life.clone(), CONNECTIONS_MAX, finish);
    let operations = listen::serve(operations, operations_router(&state), state.life.clone(), CONNECTIONS_MAX, finish);
    let (ended, _, _) = tokio::join!(state.life.end_on_signal(state.settings.drain), public, operations);
    if let Err(error) = ended {
        ui::error(&format!("signals can't be handled: {error}"));
        return Exit::Unexpected;
    }
    Exit::Success
}

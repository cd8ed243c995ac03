//! The public API, below `/api`.

use axum::Router;

use crate::state::State;

/// The routes of the API.
pub fn router(state: State) -> Router {
    Router::new().with_state(state)
}

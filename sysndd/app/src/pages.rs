//! The public pages.

use axum::Router;

use crate::state::State;

/// The routes of the pages.
pub fn router(state: State) -> Router {
    Router::new().with_state(state)
}

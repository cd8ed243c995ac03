//! Limits: for each caller a rate, for the process a number of requests under way, for each request
//! a time and a size. Who is over a limit is told when to come back.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State as Extract};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http_body_util::Limited;
use tokio::sync::Semaphore;

use super::caller;
use super::problem::{later, problem};
use crate::settings::Public;
use crate::state::State;

/// The limits of a process.
pub(crate) struct Limits {
    rates: Option<DefaultKeyedRateLimiter<IpAddr>>,
    in_flight: Arc<Semaphore>,
}

impl Limits {
    /// Limits by the settings.
    #[must_use]
    pub(crate) fn new(public: &Public) -> Self {
        let rates = NonZeroU32::new(public.requests_per_second).map(|rate| {
            let burst = NonZeroU32::new(public.request_burst).unwrap_or(rate);
            RateLimiter::dashmap(Quota::per_second(rate).allow_burst(burst))
        });
        Self { rates, in_flight: Arc::new(Semaphore::new(public.requests_in_flight)) }
    }

    /// Forgets callers that have been quiet; once in a while.
    pub(crate) fn tidy(&self) {
        if let Some(rates) = &self.rates {
            rates.retain_recent();
            rates.shrink_to_fit();
        }
    }

    /// The seconds that a caller has to wait; none if it may go on.
    fn wait(&self, caller: IpAddr) -> Option<u64> {
        let clock = DefaultClock::default();
        let until = self.rates.as_ref()?.check_key(&caller).err()?;
        Some(until.wait_time_from(clock.now()).as_secs().max(1))
    }
}

pub(super) async fn apply(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Response {
    let public = &state.settings.public;
    let caller = caller::address(request.extensions(), request.headers(), &public.trusted_proxies);
    if let Some(seconds) = state.limits.wait(caller::bucket(caller)) {
        return later(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many requests from your address.",
            seconds,
        );
    }
    let Ok(_place) = Arc::clone(&state.limits.in_flight).try_acquire_owned() else {
        return later(StatusCode::SERVICE_UNAVAILABLE, "This server has too much to do.", 1);
    };
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > public.body_bytes_max) {
        let detail = format!("The body may have {} bytes.", public.body_bytes_max);
        return problem(StatusCode::PAYLOAD_TOO_LARGE, &detail);
    }
    let request = request.map(|body| Body::new(Limited::new(body, public.body_bytes_max)));
    match tokio::time::timeout(public.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => later(StatusCode::GATEWAY_TIMEOUT, "The answer took too long.", 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_caller_over_its_rate_waits_and_the_others_do_not() {
        let mut public = Settings::for_data("data".as_ref()).expect("defaults").public;
        public.requests_per_second = 1;
        public.request_burst = 3;
        let limits = Limits::new(&public);
        let caller: IpAddr = "192.0.2.1".parse().expect("an address");
        for _ in 0..3 {
            assert_eq!(limits.wait(caller), None);
        }
        assert_eq!(limits.wait(caller), Some(1));
        assert_eq!(limits.wait("192.0.2.2".parse().expect("an address")), None);
        limits.tidy();
        public.requests_per_second = 0;
        let limits = Limits::new(&public);
        assert!((0..1000).all(|_| limits.wait(caller).is_none()));
    }
}

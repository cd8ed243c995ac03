//! Numbers about this process, in the text format that Prometheus reads.
//!
//! Labels are bounded: a route is the pattern that matched, never the path that was asked for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
pub use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const BUCKETS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// A number that can be set, as `f64`.
pub type Number = Gauge<f64, AtomicU64>;
/// A number that only grows and that something else counts, as the kernel counts processor time.
#[derive(Clone, Debug, Default)]
pub struct Total(Counter<f64, AtomicU64>);

impl Total {
    /// Sets it to what was counted.
    pub fn set(&self, counted: f64) {
        self.0.inner().store(counted.to_bits(), Ordering::Relaxed);
    }
}

/// Labels of a number, as pairs.
pub type Labels = Vec<(&'static str, String)>;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status_class: &'static str,
}

/// The numbers of a process.
pub struct Metrics {
    registry: Registry,
    durations: Family<Request, Histogram>,
    active: Gauge,
    sent: Counter,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// The numbers about requests.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let durations =
            Family::<Request, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register(
            "http_server_request_duration_seconds",
            "How long requests took until their answer began",
            durations.clone(),
        );
        let active = Gauge::default();
        registry.register("http_server_active_requests", "Requests under way", active.clone());
        let sent = Counter::default();
        registry.register(
            "http_server_response_body_bytes",
            "Bytes of answers whose length was known",
            sent.clone(),
        );
        Self { registry, durations, active, sent }
    }

    /// Adds a number to set; register all before the process serves.
    pub fn number(&mut self, name: &str, help: &str) -> Number {
        let number = Number::default();
        self.registry.register(name, help, number.clone());
        number
    }

    /// Adds a number that only grows. Its name gets `_total` at its end.
    pub fn total(&mut self, name: &str, help: &str) -> Total {
        let total = Total::default();
        self.registry.register(name, help, total.0.clone());
        total
    }

    /// Adds a number with labels.
    pub fn numbers(&mut self, name: &str, help: &str) -> Family<Labels, Number> {
        let family = Family::<Labels, Number>::default();
        self.registry.register(name, help, family.clone());
        family
    }

    /// A request came.
    pub fn began(&self) {
        self.active.inc();
    }

    /// A request is over, or was given up by its caller.
    pub fn ended(&self) {
        self.active.dec();
    }

    /// An answer began.
    pub fn answered(
        &self,
        method: &'static str,
        route: &str,
        status: u16,
        took: Duration,
        bytes: Option<u64>,
    ) {
        let status_class = match status {
            100..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        let request = Request { method, route: route.to_owned(), status_class };
        self.durations.get_or_create(&request).observe(took.as_secs_f64());
        self.sent.inc_by(bytes.unwrap_or(0));
    }

    /// All numbers as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text can't fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_method_route_and_class_of_status() {
        let mut metrics = Metrics::new();
        let number = metrics.number("a_free_bytes", "Free");
        let states = metrics.numbers("a_state", "State");
        metrics.total("a_used_seconds", "Used").set(2.5);
        metrics.began();
        metrics.answered("GET", "/api/gene/{symbol}", 200, Duration::from_millis(3), Some(10));
        metrics.ended();
        number.set(7.5);
        states.get_or_create(&vec![("state", "current".to_owned())]).set(1.0);
        let text = metrics.text();
        let count = "http_server_request_duration_seconds_count{method=\"GET\",route=\"/api/gene/{symbol}\",status_class=\"2xx\"} 1";
        for line in [
            count,
            "http_server_active_requests 0",
            "a_free_bytes 7.5",
            "a_used_seconds_total 2.5",
            "a_state{state=\"current\"} 1.0",
            "http_server_response_body_bytes_total 10",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}

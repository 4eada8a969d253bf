//! Requests: how many, by route, method and class of status; and how long they took until their answer began.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::series::{Series, seconds};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: Arc<str>,
    status: &'static str,
}

static REQUESTS: LazyLock<Family<Answered, Counter>> = LazyLock::new(Family::default);
static DURATIONS: LazyLock<Family<Asked, Histogram>> = LazyLock::new(|| Family::new_with_constructor(seconds));

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_http_requests", "Requests that were answered", REQUESTS.clone());
    registry.register_with_unit(
        "songda_http_request_duration",
        "From a request to the beginning of its answer",
        Unit::Seconds,
        DURATIONS.clone(),
    );
}

/// The methods that are told apart; any other is the last.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The counts of one route.
#[derive(Debug)]
pub struct Route {
    name: Arc<str>,
    methods: Series<Counts, { METHODS.len() }>,
}

/// The counts of one route and method.
#[derive(Debug)]
struct Counts {
    duration: Histogram,
    classes: Series<Counter, { CLASSES.len() }>,
}

impl Route {
    /// Of a route as the documents write it: `/v1/cases/{id}`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), methods: Series::new() }
    }

    /// As the documents write it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A request was answered.
    pub fn answered(&self, method: &str, status: u16, took: Duration) {
        let last = METHODS.len() - 1;
        let place = METHODS.iter().position(|known| *known == method).unwrap_or(last);
        let method = METHODS.get(place).copied().unwrap_or_default();
        let Some(counts) = self.methods.at(place, || self.counts(method)) else { return };
        counts.duration.observe(took.as_secs_f64());
        let class = usize::from(status / 100).saturating_sub(1);
        let begin = || {
            let status = CLASSES.get(class).copied().unwrap_or_default();
            REQUESTS.get_or_create_owned(&Answered { method, route: Arc::clone(&self.name), status })
        };
        if let Some(counter) = counts.classes.at(class, begin) {
            counter.inc();
        }
    }

    fn counts(&self, method: &'static str) -> Counts {
        let asked = Asked { method, route: Arc::clone(&self.name) };
        Counts { duration: DURATIONS.get_or_create_owned(&asked), classes: Series::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_by_what_is_ours_alone() {
        let route = Route::new("/test/{id}");
        route.answered("GET", 200, Duration::from_millis(3));
        route.answered("GET", 404, Duration::from_millis(1));
        route.answered("13912345678", 200, Duration::ZERO);
        let text = crate::metrics::text();
        for line in [
            r#"songda_http_requests_total{method="GET",route="/test/{id}",status="2xx"} 1"#,
            r#"songda_http_requests_total{method="GET",route="/test/{id}",status="4xx"} 1"#,
            r#"songda_http_requests_total{method="other",route="/test/{id}",status="2xx"} 1"#,
            r#"songda_http_request_duration_seconds_count{method="GET",route="/test/{id}"} 2"#,
            r#"songda_http_request_duration_seconds_bucket{method="GET",route="/test/{id}",le="0.0025"} 1"#,
        ] {
            assert!(text.contains(line), "{line} in:\n{text}");
        }
        assert!(!text.contains("13912345678"));
    }
}

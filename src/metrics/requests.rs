//! HTTP requests: counts by route, method and class of status, and the time until the response began.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::series::{Series, seconds};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabel {
    method: &'static str,
    route: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabel {
    method: &'static str,
    route: Arc<str>,
    status: &'static str,
}

static REQUESTS: LazyLock<Family<AnswerLabel, Counter>> = LazyLock::new(Family::default);
static DURATIONS: LazyLock<Family<RequestLabel, Histogram>> = LazyLock::new(|| Family::new_with_constructor(seconds));

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_http_requests", "Answered requests", REQUESTS.clone());
    let help = "The time from a request to the beginning of its answer";
    registry.register_with_unit("songda_http_request_duration", help, Unit::Seconds, DURATIONS.clone());
}

/// The values of the label `method`. An unknown method counts as `other`.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The metrics of one route, by method.
#[derive(Debug)]
pub struct Route {
    name: Arc<str>,
    methods: Series<Counts, { METHODS.len() }>,
}

/// The metrics of one route and method.
#[derive(Debug)]
struct Counts {
    duration: Histogram,
    classes: Series<Counter, { CLASSES.len() }>,
}

impl Route {
    /// `name` is the route as the OpenAPI documents write it: `/v1/cases/{id}`.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), methods: Series::new() }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Counts an answered request, and observes the time until its response began.
    pub fn answered(&self, method: &str, status: u16, took: Duration) {
        let last = METHODS.len() - 1;
        let index = METHODS.iter().position(|known| *known == method).unwrap_or(last);
        let method = METHODS.get(index).copied().unwrap_or_default();
        let Some(counts) = self.methods.at(index, || self.counts(method)) else { return };
        counts.duration.observe(took.as_secs_f64());
        let class = usize::from(status / 100).saturating_sub(1);
        let begin = || {
            let status = CLASSES.get(class).copied().unwrap_or_default();
            REQUESTS.get_or_create_owned(&AnswerLabel { method, route: Arc::clone(&self.name), status })
        };
        if let Some(counter) = counts.classes.at(class, begin) {
            counter.inc();
        }
    }

    fn counts(&self, method: &'static str) -> Counts {
        let asked = RequestLabel { method, route: Arc::clone(&self.name) };
        Counts { duration: DURATIONS.get_or_create_owned(&asked), classes: Series::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_caller_becomes_a_label() {
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

//! Calls to gateways: their durations by class of HTTP response. They show whether a gateway responds at all. The
//! outcomes of attempts ([`super::attempts`]) show what the responses mean.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::series::{Series, seconds};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    gateway: Arc<str>,
    class: &'static str,
}

static CALLS: LazyLock<Family<Labels, Histogram>> = LazyLock::new(|| Family::new_with_constructor(seconds));

pub(super) fn register(registry: &mut Registry) {
    let help = "The duration of a call until the end of its answer, by class of answer";
    registry.register_with_unit("songda_gateway_call_duration", help, Unit::Seconds, CALLS.clone());
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallClass {
    /// A response with this HTTP status.
    Status(u16),
    /// No connection was made, so the request did not arrive.
    NotSent,
    /// The request was sent, and no complete response came.
    Unclear,
}

impl CallClass {
    pub fn name(self) -> &'static str {
        NAMES.get(self.index()).copied().unwrap_or_default()
    }

    const fn index(self) -> usize {
        match self {
            Self::NotSent => 0,
            Self::Unclear => 1,
            Self::Status(200..300) => 2,
            Self::Status(300..400) => 3,
            Self::Status(400..500) => 4,
            Self::Status(_) => 5,
        }
    }
}

const NAMES: [&str; 6] = ["not_sent", "unclear", "2xx", "3xx", "4xx", "5xx"];

/// The metrics of one gateway, by class of response.
#[derive(Debug)]
pub struct Calls {
    gateway: Arc<str>,
    classes: Series<Histogram, { NAMES.len() }>,
}

impl Calls {
    pub fn of(gateway: Arc<str>) -> Self {
        Self { gateway, classes: Series::new() }
    }

    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    pub fn ended(&self, class: CallClass, took: Duration) {
        let begin = || CALLS.get_or_create_owned(&Labels { gateway: Arc::clone(&self.gateway), class: class.name() });
        if let Some(duration) = self.classes.at(class.index(), begin) {
            duration.observe(took.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_a_class() {
        let names = [100, 200, 302, 429, 503].map(|status| CallClass::Status(status).name());
        assert_eq!(names, ["5xx", "2xx", "3xx", "4xx", "5xx"]);
        assert_eq!([CallClass::NotSent.name(), CallClass::Unclear.name()], ["not_sent", "unclear"]);
    }
}

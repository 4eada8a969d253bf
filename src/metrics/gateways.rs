//! Calls of gateways: how long they took, by what came back. What that means is an attempt's outcome; this tells whether
//! anybody is there at all.

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
    registry.register_with_unit(
        "songda_gateway_call_duration",
        "From a call to the end of its answer, by what came back",
        Unit::Seconds,
        CALLS.clone(),
    );
}

/// What came back from a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// An answer with this HTTP status.
    Status(u16),
    /// No connection was made: the request surely did not arrive.
    NotSent,
    /// The request left, and no whole answer came.
    Unclear,
}

impl Class {
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.get(self.place()).copied().unwrap_or_default()
    }

    const fn place(self) -> usize {
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

/// The counts of one gateway.
#[derive(Debug)]
pub struct Calls {
    gateway: Arc<str>,
    classes: Series<Histogram, { NAMES.len() }>,
}

impl Calls {
    /// Of a gateway by its name.
    #[must_use]
    pub fn of(gateway: Arc<str>) -> Self {
        Self { gateway, classes: Series::new() }
    }

    /// The gateway's name.
    #[must_use]
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// A call ended.
    pub fn ended(&self, class: Class, took: Duration) {
        let begin = || CALLS.get_or_create_owned(&Labels { gateway: Arc::clone(&self.gateway), class: class.name() });
        if let Some(duration) = self.classes.at(class.place(), begin) {
            duration.observe(took.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_its_class() {
        let names = [100, 200, 302, 429, 503].map(|status| Class::Status(status).name());
        assert_eq!(names, ["5xx", "2xx", "3xx", "4xx", "5xx"]);
        assert_eq!([Class::NotSent.name(), Class::Unclear.name()], ["not_sent", "unclear"]);
    }
}

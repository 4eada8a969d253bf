//! Callbacks of gateways, by what Songda did with them. An increase of refused ones means an attack, or a secret, a key or
//! a network that is set up wrongly.

use std::sync::LazyLock;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    gateway: String,
    taken: &'static str,
}

static CALLBACKS: LazyLock<Family<Labels, Counter>> = LazyLock::new(Family::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_callbacks", "Callbacks of gateways, by what was done with them", CALLBACKS.clone());
}

/// What Songda did with a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is stored, and a job reads it.
    Stored,
    /// It is not signed and names parcels of ours. The worker asks the carrier about them, at most once a minute each.
    Hint,
    /// It is not signed and names nothing of ours. It is forgotten.
    Foreign,
    /// It is not signed and cannot be read. It is forgotten.
    Unreadable,
    /// It has a wrong secret, comes from another network, or has a wrong signature.
    Refused,
    /// The database was unavailable. The gateway calls again.
    Failed,
}

impl Taken {
    const ALL: [Self; 6] = [Self::Stored, Self::Hint, Self::Foreign, Self::Unreadable, Self::Refused, Self::Failed];

    /// True if the gateway need not repeat the callback.
    pub const fn is_acknowledged(self) -> bool {
        matches!(self, Self::Stored | Self::Hint | Self::Foreign)
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Hint => "hint",
            Self::Foreign => "foreign",
            Self::Unreadable => "unreadable",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Creates the counters of a gateway with the value zero, so that the first refused callback shows as an increase.
pub fn begin(gateway: &str) {
    for taken in Taken::ALL {
        add(gateway, taken, 0);
    }
}

/// Counts a callback. `gateway` is the name of a gateway that is set up, never text of the caller.
pub fn count(gateway: &str, taken: Taken) {
    add(gateway, taken, 1);
}

fn add(gateway: &str, taken: Taken, callbacks: u64) {
    CALLBACKS.get_or_create(&Labels { gateway: gateway.to_owned(), taken: taken.label() }).inc_by(callbacks);
}

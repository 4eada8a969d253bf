//! The rest of the day's budgets for sign-in codes and identity checks, and the alarm before they are used up.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    budget: &'static str,
}

static LEFT: LazyLock<Family<Labels, Gauge<f64, AtomicU64>>> = LazyLock::new(Family::default);
/// True from the alarm until the budget has recovered.
static LOW: [AtomicBool; 2] = [AtomicBool::new(false), AtomicBool::new(false)];

/// The alarm comes when 70 % of a budget are used, and ends when less than 60 % are.
const LOW_AT: f64 = 0.3;
const RECOVERED_AT: f64 = 0.4;

pub(super) fn register(registry: &mut Registry) {
    registry.register(
        "songda_budget_left_ratio",
        "The share of a day's budget that is left, as this process last saw it",
        LEFT.clone(),
    );
    for paid in [Paid::SignInCodes, Paid::IdentityChecks] {
        LEFT.get_or_create(&Labels { budget: paid.label() }).set(1.0);
    }
}

/// What a gateway is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    SignInCodes,
    IdentityChecks,
}

impl Paid {
    const fn label(self) -> &'static str {
        match self {
            Self::SignInCodes => "sign_in_codes",
            Self::IdentityChecks => "identity_checks",
        }
    }

    const fn low(self) -> &'static AtomicBool {
        match self {
            Self::SignInCodes => &LOW[0],
            Self::IdentityChecks => &LOW[1],
        }
    }
}

/// Records what is left of a day's budget, and logs once when 70 % are used.
pub fn left(paid: Paid, remaining: u32, quota: u32) {
    let share = f64::from(remaining) / f64::from(quota.max(1));
    LEFT.get_or_create(&Labels { budget: paid.label() }).set(share);
    if share <= LOW_AT && !paid.low().swap(true, Ordering::Relaxed) {
        tracing::warn!(budget = paid.label(), remaining, quota, "70 % of a day's budget are used");
    } else if share > RECOVERED_AT {
        paid.low().store(false, Ordering::Relaxed);
    }
}

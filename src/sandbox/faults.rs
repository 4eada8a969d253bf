//! Faults on demand: by control endpoint (the next so many calls, or a share of all), and by magic recipient.
//!
//! A recipient is magic when it is a phone number `1380000<code>` or any other name that ends in `-<code>`:
//!
//! | code | fault | what happens |
//! |---|---|---|
//! | 0200 | `garbage_200` | done, but the answer is a 200 that cannot be read |
//! | 0401 | `expired_token` | refused: the caller's credential is out of date |
//! | 0403 | `user_refused` | refused: the person does not want it; a carrier will not deliver there |
//! | 0404 | `unknown_number` | refused: there is no such number |
//! | 0407 | `timeout_before` | nothing is done, no answer comes |
//! | 0408 | `timeout_after_commit` | done, but no answer comes |
//! | 0410 | `collected_unheard` | done, and a parcel is collected at once, but no answer and no callback comes |
//! | 0429 | `throttle` | refused: too fast |
//! | 0500 | `http_500_html` | nothing is done, the answer is a 500 with HTML |
//! | 0600 | `slow` | done, and answered late |
//! | 0701 | `duplicate_callback` | callbacks are sent twice |
//! | 0702 | `reorder_callbacks` | callbacks are sent after those of the next step |
//! | 0703 | `drop_callback` | callbacks are not sent |
//! | 0704 | `undelivered` | a message is taken, and does not arrive, as its receipt tells |
//!
//! What lies in the person (`user_refused`, `unknown_number`, `undelivered`) and in the callbacks strikes a magic recipient every
//! time; everything else once for each operation, so that it can be watched being mended.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::shards::lock;
use super::world::Target;
use crate::domain::kernel::clock::random_below;

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    #[serde(rename = "garbage_200")]
    Garbage200,
    ExpiredToken,
    UserRefused,
    UnknownNumber,
    TimeoutBefore,
    TimeoutAfterCommit,
    CollectedUnheard,
    Throttle,
    #[serde(rename = "http_500_html")]
    Http500Html,
    Slow,
    DuplicateCallback,
    ReorderCallbacks,
    DropCallback,
    Undelivered,
}

/// What strikes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFault {
    Garbage200,
    TimeoutBefore,
    TimeoutAfterCommit,
    CollectedUnheard,
    Http500Html,
    Slow,
    Refuse(Refusal),
}

/// What a gateway says in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    ExpiredToken,
    UserRefused,
    UnknownNumber,
    Throttled,
}

/// What strikes a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackFault {
    Duplicate,
    Reorder,
    Drop,
}

enum Kind {
    Call(CallFault),
    Callback(CallbackFault),
    /// What strikes a message after it was taken.
    Delivery,
}

const MAGIC: [(&str, Fault); 14] = [
    ("0200", Fault::Garbage200),
    ("0401", Fault::ExpiredToken),
    ("0403", Fault::UserRefused),
    ("0404", Fault::UnknownNumber),
    ("0407", Fault::TimeoutBefore),
    ("0408", Fault::TimeoutAfterCommit),
    ("0410", Fault::CollectedUnheard),
    ("0429", Fault::Throttle),
    ("0500", Fault::Http500Html),
    ("0600", Fault::Slow),
    ("0701", Fault::DuplicateCallback),
    ("0702", Fault::ReorderCallbacks),
    ("0703", Fault::DropCallback),
    ("0704", Fault::Undelivered),
];

impl Fault {
    const fn kind(self) -> Kind {
        match self {
            Self::Garbage200 => Kind::Call(CallFault::Garbage200),
            Self::TimeoutBefore => Kind::Call(CallFault::TimeoutBefore),
            Self::TimeoutAfterCommit => Kind::Call(CallFault::TimeoutAfterCommit),
            Self::CollectedUnheard => Kind::Call(CallFault::CollectedUnheard),
            Self::Http500Html => Kind::Call(CallFault::Http500Html),
            Self::Slow => Kind::Call(CallFault::Slow),
            Self::ExpiredToken => Kind::Call(CallFault::Refuse(Refusal::ExpiredToken)),
            Self::UserRefused => Kind::Call(CallFault::Refuse(Refusal::UserRefused)),
            Self::UnknownNumber => Kind::Call(CallFault::Refuse(Refusal::UnknownNumber)),
            Self::Throttle => Kind::Call(CallFault::Refuse(Refusal::Throttled)),
            Self::DuplicateCallback => Kind::Callback(CallbackFault::Duplicate),
            Self::ReorderCallbacks => Kind::Callback(CallbackFault::Reorder),
            Self::DropCallback => Kind::Callback(CallbackFault::Drop),
            Self::Undelivered => Kind::Delivery,
        }
    }

    /// Whether a magic recipient has it for good, rather than once for each operation.
    const fn lasts(self) -> bool {
        matches!(self, Self::UserRefused | Self::UnknownNumber | Self::Undelivered)
            || matches!(self.kind(), Kind::Callback(_))
    }

    fn of_recipient(recipient: &str) -> Option<Self> {
        let code = recipient.strip_prefix("1380000").or_else(|| recipient.rsplit_once('-').map(|(_, code)| code))?;
        MAGIC.iter().find(|(known, _)| *known == code).map(|(_, fault)| *fault)
    }
}

/// How often an ordered fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Often {
    /// The next so many calls.
    Times(u64),
    /// This share of all calls, from 0 to 1, until it is cleared.
    Share(f64),
}

/// A fault that was ordered.
#[derive(Debug, Clone)]
pub struct Order {
    /// At which twin.
    pub gateway: String,
    /// In which operation; every one if none is named.
    pub operation: Option<String>,
    /// What goes wrong.
    pub fault: Fault,
    pub often: Often,
    /// How long the caller is kept waiting, where the fault is one that waits.
    pub delay: Option<Duration>,
}

struct Rule {
    order: Order,
    left: AtomicU64,
}

/// A fault that strikes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike<F> {
    /// What goes wrong.
    pub fault: F,
    /// How long the caller is kept waiting.
    pub delay: Option<Duration>,
}

/// The faults that were ordered, and those that struck.
#[derive(Default)]
pub struct Faults {
    rules: RwLock<Arc<Vec<Rule>>>,
    struck_once: Mutex<HashSet<String>>,
    injected: Mutex<BTreeMap<Fault, u64>>,
}

impl Faults {
    /// Orders a fault.
    pub fn order(&self, order: Order) {
        let left = AtomicU64::new(if let Often::Times(times) = order.often { times } else { 0 });
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        let kept = rules.iter().filter(|rule| !rule.spent());
        let kept = kept.map(|rule| Rule { order: rule.order.clone(), left: rule.left.load(Ordering::SeqCst).into() });
        *rules = Arc::new(kept.chain([Rule { order, left }]).collect());
    }

    /// What strikes this call, if anything does.
    pub fn strike(&self, target: Target<'_>) -> Option<Strike<CallFault>> {
        self.draw(target, |fault| match fault.kind() {
            Kind::Call(fault) => Some(fault),
            Kind::Callback(_) | Kind::Delivery => None,
        })
    }

    /// Whether a message that was taken gets lost on its way to this recipient.
    pub fn strike_delivery(&self, gateway: &'static str, recipient: &str) -> bool {
        let target = Target { gateway, operation: "delivery", recipient };
        self.draw(target, |fault| matches!(fault.kind(), Kind::Delivery).then_some(())).is_some()
    }

    /// What strikes this callback, if anything does.
    pub fn strike_callback(&self, target: Target<'_>) -> Option<CallbackFault> {
        let strike = self.draw(target, |fault| match fault.kind() {
            Kind::Callback(fault) => Some(fault),
            Kind::Call(_) | Kind::Delivery => None,
        });
        strike.map(|strike| strike.fault)
    }

    /// How often each fault struck.
    #[must_use]
    pub fn injected(&self) -> BTreeMap<Fault, u64> {
        lock(&self.injected).clone()
    }

    /// Takes back all orders; what struck stays counted.
    pub fn cancel_orders(&self) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    pub fn clear(&self) {
        self.cancel_orders();
        lock(&self.struck_once).clear();
        lock(&self.injected).clear();
    }

    fn draw<F>(&self, target: Target<'_>, of_this_kind: impl Fn(Fault) -> Option<F>) -> Option<Strike<F>> {
        let rules = Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner));
        let ordered = rules.iter().find_map(|rule| {
            let fault = of_this_kind(rule.order.fault)?;
            rule.strikes(target).then_some((rule.order.fault, Strike { fault, delay: rule.order.delay }))
        });
        let (name, strike) = ordered.or_else(|| {
            let name = Fault::of_recipient(target.recipient)?;
            let fault = of_this_kind(name)?;
            self.is_due(name, target).then_some((name, Strike { fault, delay: None }))
        })?;
        *lock(&self.injected).entry(name).or_default() += 1;
        Some(strike)
    }

    fn is_due(&self, fault: Fault, target: Target<'_>) -> bool {
        fault.lasts()
            || lock(&self.struck_once).insert(format!("{} {} {}", target.gateway, target.operation, target.recipient))
    }
}

impl Rule {
    fn spent(&self) -> bool {
        matches!(self.order.often, Often::Times(_)) && self.left.load(Ordering::SeqCst) == 0
    }

    fn strikes(&self, target: Target<'_>) -> bool {
        const PARTS: u64 = 1_000_000;
        if self.order.gateway != target.gateway
            || self.order.operation.as_ref().is_some_and(|operation| operation != target.operation)
        {
            return false;
        }
        match self.order.often {
            Often::Times(_) => {
                self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
            }
            Often::Share(share) => (random_below(PARTS) as f64) < share * PARTS as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEND: Target<'static> = Target { gateway: "sms_aliyun", operation: "SendSms", recipient: "13912345678" };

    fn ordered(fault: Fault, often: Often) -> Faults {
        let faults = Faults::default();
        faults.order(Order {
            gateway: "sms_aliyun".into(),
            operation: Some("SendSms".into()),
            fault,
            often,
            delay: None,
        });
        faults
    }

    #[test]
    fn an_ordered_fault_strikes_as_often_as_ordered() {
        let faults = ordered(Fault::TimeoutAfterCommit, Often::Times(2));
        assert_eq!(faults.strike(Target { operation: "QuerySendDetails", ..SEND }), None);
        assert_eq!(faults.strike(Target { gateway: "sf", ..SEND }), None);
        assert!(faults.strike(SEND).is_some() && faults.strike(SEND).is_some());
        assert_eq!(faults.strike(SEND), None);
        assert_eq!(faults.injected(), [(Fault::TimeoutAfterCommit, 2)].into());
    }

    #[test]
    fn a_share_strikes_some_and_only_until_it_is_cleared() {
        let faults = ordered(Fault::Http500Html, Often::Share(0.5));
        let struck = (0..400).filter(|_| faults.strike(SEND).is_some()).count();
        assert!((100..300).contains(&struck), "{struck}");
        faults.cancel_orders();
        assert_eq!(faults.strike(SEND), None);
        assert!(ordered(Fault::Slow, Often::Share(0.0)).strike(SEND).is_none());
        assert!(ordered(Fault::Slow, Often::Share(1.0)).strike(SEND).is_some());
    }

    #[test]
    fn what_lies_in_the_person_lasts_and_the_rest_is_mended() {
        let faults = Faults::default();
        let lost = Target { recipient: "13800000408", ..SEND };
        assert_eq!(faults.strike(lost).map(|strike| strike.fault), Some(CallFault::TimeoutAfterCommit));
        assert_eq!(faults.strike(lost), None, "once");
        assert!(faults.strike(Target { operation: "QuerySendDetails", ..lost }).is_some(), "for each operation");
        let unknown = Target { recipient: "openid-wang-0404", ..SEND };
        assert!((0..3).all(|_| faults.strike(unknown).is_some()));
        assert_eq!(faults.strike(Target { recipient: "13800000001", ..SEND }), None);
    }

    #[test]
    fn the_names_are_those_of_the_table() {
        let table = include_str!("faults.rs").lines().take_while(|line| line.starts_with("//!"));
        let listed: Vec<_> = table.filter_map(|line| line.strip_prefix("//! | 0")?.split('`').nth(1)).collect();
        let names: Vec<_> = MAGIC.iter().map(|(_, fault)| serde_json::to_value(fault).unwrap()).collect();
        assert_eq!(names, listed);
    }

    #[test]
    fn faults_of_callbacks_do_not_strike_calls() {
        let faults = ordered(Fault::DropCallback, Often::Times(1));
        assert_eq!(faults.strike(SEND), None);
        assert_eq!(faults.strike_callback(SEND), Some(CallbackFault::Drop));
    }
}

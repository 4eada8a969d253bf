//! Faults on demand: a call to a simulated gateway (a twin) fails in a chosen way. A test requests a fault through the
//! control API, for the next n calls or for a share of all calls. A *magic recipient* also causes a fault: a phone
//! number `1380000<code>`, or any other address that ends in `-<code>`. In the table, "done" means that the twin does
//! what the call asks for, and "refused" that it does not, and answers with its gateway's error.
//!
//! | code | fault | what happens |
//! |---|---|---|
//! | 0200 | `garbage_200` | done, but the answer is an unreadable 200 |
//! | 0401 | `expired_token` | refused: the caller's credential has expired |
//! | 0403 | `user_refused` | refused: the person has opted out, or the carrier does not deliver to the address |
//! | 0404 | `unknown_number` | refused: no such number exists |
//! | 0407 | `timeout_before` | nothing is done, no answer comes |
//! | 0408 | `timeout_after_commit` | done, but no answer comes |
//! | 0410 | `collected_unheard` | done, and the parcel is collected at once, but no answer and no callback comes |
//! | 0429 | `throttle` | refused: too many calls |
//! | 0500 | `http_500_html` | nothing is done, the answer is a 500 with HTML |
//! | 0600 | `slow` | done, and answered late |
//! | 0701 | `duplicate_callback` | callbacks are sent twice |
//! | 0702 | `reorder_callbacks` | callbacks are held back, and sent after the callbacks about the next scans |
//! | 0703 | `drop_callback` | callbacks are not sent |
//! | 0704 | `undelivered` | a message is accepted but does not arrive; its receipt says so |
//!
//! For a magic recipient, faults of the person (`user_refused`, `unknown_number`, `undelivered`) and of callbacks
//! strike every time. All other faults strike once per operation, so that a test can watch the recovery.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::shards::lock;
use crate::domain::kernel::clock::random_below;

/// The properties of a call that decide whether a fault strikes it.
#[derive(Debug, Clone, Copy)]
pub struct CallTarget<'a> {
    /// The twin's name.
    pub gateway: &'static str,
    pub operation: &'a str,
    /// The phone number, openid or name of the recipient, which can be a magic recipient (one that causes a fault);
    /// empty if the call has no recipient.
    pub recipient: &'a str,
}

/// The table at the head of this file describes each fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
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

/// A refusal that a twin (simulated gateway) must report in its gateway's format, with the gateway's own error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    ExpiredToken,
    UserRefused,
    UnknownNumber,
    Throttled,
}

#[derive(PartialEq, Eq)]
enum Affects {
    Call,
    Callback,
    /// The delivery of a message that the twin has already accepted.
    Delivery,
}

const MAGIC: [(&str, FaultKind); 14] = [
    ("0200", FaultKind::Garbage200),
    ("0401", FaultKind::ExpiredToken),
    ("0403", FaultKind::UserRefused),
    ("0404", FaultKind::UnknownNumber),
    ("0407", FaultKind::TimeoutBefore),
    ("0408", FaultKind::TimeoutAfterCommit),
    ("0410", FaultKind::CollectedUnheard),
    ("0429", FaultKind::Throttle),
    ("0500", FaultKind::Http500Html),
    ("0600", FaultKind::Slow),
    ("0701", FaultKind::DuplicateCallback),
    ("0702", FaultKind::ReorderCallbacks),
    ("0703", FaultKind::DropCallback),
    ("0704", FaultKind::Undelivered),
];

impl FaultKind {
    const fn affects(self) -> Affects {
        match self {
            Self::DuplicateCallback | Self::ReorderCallbacks | Self::DropCallback => Affects::Callback,
            Self::Undelivered => Affects::Delivery,
            Self::Garbage200
            | Self::ExpiredToken
            | Self::UserRefused
            | Self::UnknownNumber
            | Self::TimeoutBefore
            | Self::TimeoutAfterCommit
            | Self::CollectedUnheard
            | Self::Throttle
            | Self::Http500Html
            | Self::Slow => Affects::Call,
        }
    }

    /// True if the fault strikes a magic recipient (an address that causes a fault) every time, rather than once per
    /// operation.
    fn lasts(self) -> bool {
        matches!(self, Self::UserRefused | Self::UnknownNumber) || self.affects() != Affects::Call
    }

    fn of_recipient(recipient: &str) -> Option<Self> {
        let code = recipient.strip_prefix("1380000").or_else(|| recipient.rsplit_once('-').map(|(_, code)| code))?;
        MAGIC.iter().find(|(known, _)| *known == code).map(|(_, fault)| *fault)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Often {
    /// The next n calls.
    Times(u64),
    /// This share of all calls, from 0 to 1, until the fault is cancelled.
    Share(f64),
}

#[derive(Debug, Clone)]
pub struct FaultOrder {
    /// The twin's name.
    pub gateway: String,
    /// The gateway's name for the operation; `None` for all operations.
    pub operation: Option<String>,
    pub fault: FaultKind,
    pub often: Often,
    /// The wait that the fault causes; ignored by faults that cause none. `slow` waits before it answers, by default
    /// three seconds. The faults without an answer wait before they close the connection, by default not at all.
    pub delay: Option<Duration>,
}

struct Rule {
    order: FaultOrder,
    left: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strike {
    pub fault: FaultKind,
    pub delay: Option<Duration>,
}

/// The faults that a test has requested, and how often each fault struck.
#[derive(Default)]
pub struct Faults {
    rules: RwLock<Arc<Vec<Rule>>>,
    struck_once: Mutex<HashSet<String>>,
    injected: Mutex<BTreeMap<FaultKind, u64>>,
}

impl Faults {
    pub fn order(&self, order: FaultOrder) {
        let left = AtomicU64::new(if let Often::Times(times) = order.often { times } else { 0 });
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        let kept = rules.iter().filter(|rule| !rule.spent());
        let kept = kept.map(|rule| Rule { order: rule.order.clone(), left: rule.left.load(Ordering::SeqCst).into() });
        *rules = Arc::new(kept.chain([Rule { order, left }]).collect());
    }

    pub fn strike(&self, target: CallTarget<'_>) -> Option<Strike> {
        self.draw(target, Affects::Call)
    }

    /// True if an accepted message gets lost on its way to this recipient.
    pub fn strike_delivery(&self, gateway: &'static str, recipient: &str) -> bool {
        self.draw(CallTarget { gateway, operation: "delivery", recipient }, Affects::Delivery).is_some()
    }

    pub fn strike_callback(&self, target: CallTarget<'_>) -> Option<FaultKind> {
        self.draw(target, Affects::Callback).map(|strike| strike.fault)
    }

    /// How often each fault has struck.
    pub fn injected(&self) -> BTreeMap<FaultKind, u64> {
        lock(&self.injected).clone()
    }

    /// Cancels all requested faults. The counts of past faults stay.
    pub fn cancel_orders(&self) {
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
    }

    pub fn clear(&self) {
        self.cancel_orders();
        lock(&self.struck_once).clear();
        lock(&self.injected).clear();
    }

    fn draw(&self, target: CallTarget<'_>, affected: Affects) -> Option<Strike> {
        let rules = Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner));
        let ordered = rules.iter().find(|rule| rule.order.fault.affects() == affected && rule.strikes(target));
        let ordered = ordered.map(|rule| Strike { fault: rule.order.fault, delay: rule.order.delay });
        let strike = ordered.or_else(|| {
            let fault = FaultKind::of_recipient(target.recipient).filter(|fault| fault.affects() == affected)?;
            self.is_due(fault, target).then_some(Strike { fault, delay: None })
        })?;
        *lock(&self.injected).entry(strike.fault).or_default() += 1;
        Some(strike)
    }

    fn is_due(&self, fault: FaultKind, target: CallTarget<'_>) -> bool {
        fault.lasts()
            || lock(&self.struck_once).insert(format!("{} {} {}", target.gateway, target.operation, target.recipient))
    }
}

impl Rule {
    fn spent(&self) -> bool {
        matches!(self.order.often, Often::Times(_)) && self.left.load(Ordering::SeqCst) == 0
    }

    fn strikes(&self, target: CallTarget<'_>) -> bool {
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

    const SEND: CallTarget<'static> =
        CallTarget { gateway: "sms_aliyun", operation: "SendSms", recipient: "13912345678" };

    fn ordered(fault: FaultKind, often: Often) -> Faults {
        let faults = Faults::default();
        let operation = Some("SendSms".to_owned());
        faults.order(FaultOrder { gateway: "sms_aliyun".to_owned(), operation, fault, often, delay: None });
        faults
    }

    #[test]
    fn an_ordered_fault_strikes_as_often_as_ordered() {
        let faults = ordered(FaultKind::TimeoutAfterCommit, Often::Times(2));
        assert_eq!(faults.strike(CallTarget { operation: "QuerySendDetails", ..SEND }), None);
        assert_eq!(faults.strike(CallTarget { gateway: "sf", ..SEND }), None);
        assert!(faults.strike(SEND).is_some() && faults.strike(SEND).is_some());
        assert_eq!(faults.strike(SEND), None);
        assert_eq!(faults.injected(), [(FaultKind::TimeoutAfterCommit, 2)].into());
    }

    #[test]
    fn a_share_strikes_some_calls_until_it_is_cancelled() {
        let faults = ordered(FaultKind::Http500Html, Often::Share(0.5));
        let struck = (0..400).filter(|_| faults.strike(SEND).is_some()).count();
        assert!((100..300).contains(&struck), "{struck}");
        faults.cancel_orders();
        assert_eq!(faults.strike(SEND), None);
        assert!(ordered(FaultKind::Slow, Often::Share(0.0)).strike(SEND).is_none());
        assert!(ordered(FaultKind::Slow, Often::Share(1.0)).strike(SEND).is_some());
    }

    #[test]
    fn faults_of_the_person_repeat_and_others_strike_once() {
        let faults = Faults::default();
        let lost = CallTarget { recipient: "13800000408", ..SEND };
        assert_eq!(faults.strike(lost).map(|strike| strike.fault), Some(FaultKind::TimeoutAfterCommit));
        assert_eq!(faults.strike(lost), None, "once");
        assert!(faults.strike(CallTarget { operation: "QuerySendDetails", ..lost }).is_some(), "for each operation");
        let unknown = CallTarget { recipient: "openid-wang-0404", ..SEND };
        assert!((0..3).all(|_| faults.strike(unknown).is_some()));
        assert_eq!(faults.strike(CallTarget { recipient: "13800000001", ..SEND }), None);
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
        let faults = ordered(FaultKind::DropCallback, Often::Times(1));
        assert_eq!(faults.strike(SEND), None);
        assert_eq!(faults.strike_callback(SEND), Some(FaultKind::DropCallback));
    }
}

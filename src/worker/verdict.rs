//! The one file in which facts become decisions. Adapters report what happened; here stands what is done about it:
//! done, again, dead; and for a push, which channel is next.

use std::time::Duration;

use crate::casework::jobs::{Effect, PushEnd, Settlement};
use crate::domain::clock::random_below;
use crate::domain::notification::{Consent, PushMessage};
use crate::domain::retry::{Next, RetryPolicy};
use crate::gateway::courier::{CarrierFact, CarrierFault};
use crate::gateway::push::{PushFact, PushReport, Repeat};
use crate::store::jobs::{Claimed, Ending};

/// Whether the gateway was heard of, which is what its breaker wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// It was not called.
    None,
    /// It answered, whatever it said.
    Answered,
    /// It did not, or not sensibly.
    Silent,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub struct Conclusion {
    /// For the record.
    pub settlement: Settlement,
    /// For the breaker.
    pub contact: Contact,
}

impl Conclusion {
    /// An ending from which nothing further follows.
    #[must_use]
    pub const fn plain(ending: Ending, contact: Contact) -> Self {
        Self::with(ending, Effect::None, contact)
    }

    /// An ending and what follows from it.
    #[must_use]
    pub const fn with(ending: Ending, effect: Effect, contact: Contact) -> Self {
        Self { settlement: Settlement { ending, effect }, contact }
    }
}

/// Again after a wait by the policy, or dead when that is enough.
#[must_use]
pub fn again_or_dead(
    job: &Claimed,
    policy: &RetryPolicy,
    at_least: Option<Duration>,
    outcome: &'static str,
    detail: String,
) -> Ending {
    #[expect(clippy::cast_possible_truncation, reason = "the number is below 2^32")]
    let jitter = random_below(1 << 32) as u32;
    match policy.after(u32::try_from(job.attempts).unwrap_or(u32::MAX), job.age(), at_least, jitter) {
        Next::Again(wait) => Ending::again(job, wait, outcome, detail),
        Next::Enough => Ending::dead(job, outcome, detail),
    }
}

/// The message to send instead, at once, when the gateway refused only a part of it: a person is better told without a
/// link, or in plainer words, than not at all. Such a refusal says that nothing was sent.
#[must_use]
pub fn plainer(message: &PushMessage, report: &PushReport) -> Option<PushMessage> {
    message.without(report.objection.as_ref()?)
}

/// How often a message is tried whose refusal nobody can explain, before people see it and the next channel takes over.
const UNEXPLAINED_AT_MOST: i32 = 3;

/// How a push ends after what its channel reported; `None` while it goes on over the same channel.
///
/// A push that is given up on one channel goes to the next, whether it died for an operator to see (our fault) or simply
/// ended (the person's wish).
#[must_use]
pub fn on_push(
    job: &Claimed,
    policy: &RetryPolicy,
    clear_up_after: Duration,
    repeat: Repeat,
    message: &PushMessage,
    report: PushReport,
) -> (Ending, Option<PushEnd>, Contact) {
    let PushReport { fact, detail, unexplained, .. } = report;
    let was_unclear = job.unclear > 0;
    match fact {
        PushFact::Delivered { reference } => {
            (Ending::done(job, "delivered", detail, reference), Some(PushEnd::Delivered), Contact::Answered)
        }
        // The one consent was used up, most likely by the attempt whose outcome was unknown: then that one arrived.
        PushFact::Refused if was_unclear && repeat == Repeat::ConsentTells && message.consent == Consent::OneTime => {
            (Ending::done(job, "presumed_delivered", detail, None), Some(PushEnd::Presumed), Contact::Answered)
        }
        PushFact::Refused => (Ending::done(job, "refused", detail, None), Some(PushEnd::Refused), Contact::Answered),
        PushFact::Gone => (Ending::done(job, "gone", detail, None), Some(PushEnd::Gone), Contact::Answered),
        PushFact::Unavailable if unexplained && job.attempts >= UNEXPLAINED_AT_MOST => {
            let end = if was_unclear { PushEnd::Unknown } else { PushEnd::Failed };
            (Ending::dead(job, "unexplained", detail), Some(end), Contact::Answered)
        }
        PushFact::Misconfigured => {
            (Ending::dead(job, "misconfigured", detail), Some(PushEnd::Failed), Contact::Answered)
        }
        PushFact::Throttled { after } => {
            let (ending, end) = repeat_push(job, policy, after, "throttled", detail);
            (ending, end, Contact::Answered)
        }
        PushFact::Unavailable => {
            let (ending, end) = repeat_push(job, policy, None, "unavailable", detail);
            (ending, end, Contact::Silent)
        }
        PushFact::Ambiguous => {
            let (ending, end) = unclear_push(job, policy, clear_up_after, repeat, detail);
            (ending, end, Contact::Silent)
        }
    }
}

fn repeat_push(
    job: &Claimed,
    policy: &RetryPolicy,
    at_least: Option<Duration>,
    outcome: &'static str,
    detail: String,
) -> (Ending, Option<PushEnd>) {
    let ending = again_or_dead(job, policy, at_least, outcome, detail);
    let end = ending.is_dead().then_some(if job.unclear > 0 { PushEnd::Unknown } else { PushEnd::Failed });
    (ending, end)
}

/// How many repetitions of a push may have shown it twice before another channel takes over.
const UNCLEAR_AT_MOST: i32 = 3;

fn unclear_push(
    job: &Claimed,
    policy: &RetryPolicy,
    clear_up_after: Duration,
    repeat: Repeat,
    detail: String,
) -> (Ending, Option<PushEnd>) {
    let unclear = job.unclear.saturating_add(1);
    if repeat != Repeat::Deduplicated && unclear > UNCLEAR_AT_MOST {
        return (Ending::dead(job, "ambiguous", detail).with_unclear(unclear), Some(PushEnd::Unknown));
    }
    let ending = again_or_dead(job, policy, Some(clear_up_after), "ambiguous", detail).with_unclear(unclear);
    let end = ending.is_dead().then_some(PushEnd::Unknown);
    (ending, end)
}

/// How a job at a carrier goes on after a fault that is not the job's own affair.
///
/// `asked_to_change` says whether the call would have changed something there: only then can an ambiguous outcome leave
/// the job unclear.
#[must_use]
pub fn on_carrier_fault(
    job: &Claimed,
    policy: &RetryPolicy,
    clear_up_after: Duration,
    asked_to_change: bool,
    fault: CarrierFault,
) -> (Ending, Contact) {
    let CarrierFault { fact, detail } = fault;
    match fact {
        CarrierFact::Throttled { after } => (again_or_dead(job, policy, after, "throttled", detail), Contact::Answered),
        CarrierFact::Unavailable => (again_or_dead(job, policy, None, "unavailable", detail), Contact::Silent),
        CarrierFact::Ambiguous if asked_to_change => {
            let ending = again_or_dead(job, policy, Some(clear_up_after), "ambiguous", detail);
            (ending.with_unclear(job.unclear.saturating_add(1)), Contact::Silent)
        }
        CarrierFact::Ambiguous => (again_or_dead(job, policy, None, "ambiguous", detail), Contact::Silent),
        // It has the order: the look-up will find it.
        CarrierFact::Duplicate => {
            let ending = again_or_dead(job, policy, Some(clear_up_after), "duplicate", detail);
            (ending.with_unclear(job.unclear.saturating_add(1)), Contact::Answered)
        }
        CarrierFact::Misconfigured => (Ending::dead(job, "misconfigured", detail), Contact::Answered),
        CarrierFact::AddressRefused => (Ending::dead(job, "address_refused", detail), Contact::Answered),
        CarrierFact::WrongState => (Ending::dead(job, "wrong_state", detail), Contact::Answered),
        CarrierFact::Absent => (Ending::dead(job, "absent", detail), Contact::Answered),
    }
}

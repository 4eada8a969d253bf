//! Where the facts of gateways become decisions. Adapters report what happened; here stands what is done about it: done,
//! again, dead; and for a push, whether the next channel takes over.

use std::time::Duration;

use crate::casework::jobs::{Effect, ParcelChange, ParcelEffect, PushEnd, PushTask, Settlement};
use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::kernel::clock::random_below;
use crate::domain::kernel::ids::ParcelId;
use crate::domain::kernel::retry::{Next, RetryPolicy};
use crate::domain::notice::notification::PushMessage;
use crate::gateway::courier::{CarrierFact, CarrierFault};
use crate::gateway::push::{PushChannel, PushFact, PushReport, Repeat};
use crate::store::jobs::{Claimed, Ending};
use crate::worker::pool::attempt::Attempt;

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
    match policy.after(u32::try_from(job.attempts).unwrap_or(u32::MAX), job.age(), at_least, jitter()) {
        Next::Again(wait) => Ending::again(job, wait, outcome, detail),
        Next::Enough => Ending::dead(job, outcome, detail),
    }
}

/// What spreads repetitions over their wait.
#[must_use]
pub fn jitter() -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the number is below 2^32")]
    let jitter = random_below(1 << 32) as u32;
    jitter
}

/// The message to send instead, at once, when the gateway refused only a part of it: a person is better told without a
/// link, or in plainer words, than not at all. Such a refusal says that nothing was sent.
#[must_use]
pub fn plainer(message: &PushMessage, report: &PushReport) -> Option<PushMessage> {
    message.without(report.objection.as_ref()?)
}

/// How often a message is tried whose refusal nobody can explain, before people see it and the next channel takes over.
const UNEXPLAINED_AT_MOST: i32 = 3;

/// How a push ends after what its channel reported; no end while it goes on over the same channel.
///
/// A push that is given up on one channel goes to the next, whether it died for an operator to see (our fault) or simply
/// ended (the person's wish).
#[must_use]
pub fn on_push(attempt: &Attempt<'_>, channel: &dyn PushChannel, task: &PushTask, report: PushReport) -> PushVerdict {
    let Attempt { job, policy, .. } = attempt;
    let settings = &attempt.workshop.settings;
    let PushReport { fact, detail, unexplained, .. } = report;
    match fact {
        PushFact::Delivered { reference } => {
            PushVerdict::end(Ending::done(job, "delivered", detail, reference), PushEnd::Delivered, Contact::Answered)
        }
        // An earlier copy may have used the consent up, and so have arrived. Its receipt will say so, or fail to.
        PushFact::Refused if job.unclear > 0 && channel.repeat() == Repeat::ConsentTells => {
            let ending = Ending::snooze(job, settings.doubts.confirm_within, detail).called("unconfirmed");
            PushVerdict::open(ending, Contact::Answered)
        }
        PushFact::Refused => {
            let end = PushEnd::Refused { template: task.held_template() };
            PushVerdict::end(Ending::done(job, "refused", detail, None), end, Contact::Answered)
        }
        PushFact::Gone => {
            let end = PushEnd::Gone { kind: channel.address_kind(), kept: task.kept.clone() };
            PushVerdict::end(Ending::done(job, "gone", detail, None), end, Contact::Answered)
        }
        _ if unexplained && job.attempts >= UNEXPLAINED_AT_MOST => {
            PushVerdict::end(Ending::dead(job, "unexplained", detail), lost(job.unclear), Contact::Answered)
        }
        PushFact::Misconfigured => {
            PushVerdict::end(Ending::dead(job, "misconfigured", detail), lost(job.unclear), Contact::Answered)
        }
        PushFact::Throttled { after } => {
            PushVerdict::repeat(again_or_dead(job, policy, after, "throttled", detail), job.unclear, Contact::Answered)
        }
        PushFact::Unavailable => {
            PushVerdict::repeat(again_or_dead(job, policy, None, "unavailable", detail), job.unclear, Contact::Silent)
        }
        PushFact::Ambiguous => {
            let unclear = job.unclear.saturating_add(1);
            let ending = again_or_dead(job, policy, Some(settings.doubts.clear_up_after), "ambiguous", detail);
            PushVerdict::repeat(ending.with_unclear(unclear), unclear, Contact::Silent)
        }
    }
}

/// How an attempt at a push ended, on its channel and as far as its gateway is concerned.
#[derive(Debug, Clone)]
pub struct PushVerdict {
    /// For the job.
    pub ending: Ending,
    /// For the notification, where the push is over.
    pub end: Option<PushEnd>,
    /// For the breaker.
    pub contact: Contact,
}

impl PushVerdict {
    /// It is over.
    #[must_use]
    pub const fn end(ending: Ending, end: PushEnd, contact: Contact) -> Self {
        Self { ending, end: Some(end), contact }
    }

    /// It goes on over the same channel.
    #[must_use]
    pub const fn open(ending: Ending, contact: Contact) -> Self {
        Self { ending, end: None, contact }
    }

    /// It is to be repeated, unless that was enough; `unclear` attempts may have brought it.
    #[must_use]
    pub fn repeat(ending: Ending, unclear: i32, contact: Contact) -> Self {
        let end = ending.is_dead().then(|| lost(unclear));
        Self { ending, end, contact }
    }
}

/// The end of a push that did not arrive, as far as anybody knows.
#[must_use]
pub const fn lost(unclear: i32) -> PushEnd {
    if unclear > 0 { PushEnd::Unknown } else { PushEnd::Failed }
}

/// The end of a job at a carrier that this installation does not use any more. What it holds of ours, only people can find
/// out.
#[must_use]
pub fn no_carrier(job: &Claimed, carrier: &CarrierCode) -> Conclusion {
    let why = format!("carrier {carrier} is not set up any more: set it up and replay, or settle it by hand");
    Conclusion::plain(Ending::dead(job, "no_carrier", why), Contact::None)
}

/// How a job at a carrier goes on after a fault that is not the job's own affair.
///
/// `asked_to_change` says whether the call would have changed something there: only then can an ambiguous outcome leave
/// the job unclear.
#[must_use]
pub fn on_carrier_fault(
    attempt: &Attempt<'_>,
    parcel: ParcelId,
    asked_to_change: bool,
    fault: CarrierFault,
) -> Conclusion {
    let Attempt { job, policy, .. } = attempt;
    let clear_up_after = Some(attempt.workshop.settings.doubts.clear_up_after);
    let in_doubt = |outcome, detail| {
        let ending = again_or_dead(job, policy, clear_up_after, outcome, detail);
        ending.with_unclear(job.unclear.saturating_add(1))
    };
    let CarrierFault { fact, detail } = fault;
    let (ending, contact) = match fact {
        CarrierFact::Throttled { after } => (again_or_dead(job, policy, after, "throttled", detail), Contact::Answered),
        CarrierFact::Unavailable => (again_or_dead(job, policy, None, "unavailable", detail), Contact::Silent),
        CarrierFact::Ambiguous if asked_to_change => (in_doubt("ambiguous", detail), Contact::Silent),
        CarrierFact::Ambiguous => (again_or_dead(job, policy, None, "ambiguous", detail), Contact::Silent),
        // It has the order: the look-up will find it.
        CarrierFact::Duplicate => (in_doubt("duplicate", detail), Contact::Answered),
        CarrierFact::Misconfigured => (Ending::dead(job, "misconfigured", detail), Contact::Answered),
        // However that came out: the resident must mend the address.
        CarrierFact::AddressRefused => {
            let ending = Ending::done(job, "address_refused", detail, None);
            let effect = Effect::Parcel(ParcelEffect { parcel, change: ParcelChange::AddressRefused });
            return Conclusion::with(ending, effect, Contact::Answered);
        }
        CarrierFact::WrongState => (Ending::dead(job, "wrong_state", detail), Contact::Answered),
        CarrierFact::Absent => (Ending::dead(job, "absent", detail), Contact::Answered),
    };
    Conclusion::plain(ending, contact)
}

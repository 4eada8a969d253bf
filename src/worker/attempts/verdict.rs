//! Turns the facts of gateways into decisions. Adapters report what happened. This file decides what follows: done,
//! again or dead, and for a push, whether the next channel takes over.

use crate::casework::jobs::{Effect, ParcelChange, ParcelEffect, PushEnd, PushTask};
use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::kernel::ids::ParcelId;
use crate::domain::notice::notification::PushMessage;
use crate::domain::work::outcome::Outcome;
use crate::gateway::courier::{CarrierFact, CarrierFault};
use crate::gateway::push::{PushChannel, PushFact, PushReport, Repeat};
use crate::store::jobs::{Claimed, Ending};
use crate::worker::attempts::attempt::Attempt;
use crate::worker::attempts::conclusion::{Conclusion, Contact};
use crate::worker::attempts::repeat::again_or_dead;

/// The message to send instead, at once, if the gateway refused only a part of it. A message without a link, or in
/// plainer words, is better than none. Such a refusal says that nothing was sent.
#[must_use]
pub fn plainer(message: &PushMessage, report: &PushReport) -> Option<PushMessage> {
    message.without(report.objection.as_ref()?)
}

/// How often a message is tried after unexplained refusals, before it becomes a dead letter and the next channel takes
/// over.
const UNEXPLAINED_AT_MOST: i32 = 3;

/// What follows from a channel's report on a push.
///
/// A push that is given up on one channel goes on over the next, whether its job is dead (our fault, for an operator to
/// see) or done (the person's wish).
pub fn on_push(attempt: &Attempt<'_>, channel: &dyn PushChannel, task: &PushTask, report: PushReport) -> PushVerdict {
    let Attempt { job, policy, .. } = attempt;
    let settings = &attempt.workshop.settings;
    let PushReport { fact, detail, unexplained, .. } = report;
    match fact {
        PushFact::Delivered { reference } => PushVerdict::end(
            Ending::done(job, Outcome::Delivered, detail, reference),
            PushEnd::Delivered,
            Contact::Answered,
        ),
        // An earlier copy may have used the consent up, and so have arrived. Its receipt would prove it.
        PushFact::Refused if job.unclear > 0 && channel.repeat() == Repeat::ConsentTells => {
            let ending = Ending::snooze(job, settings.time_outs.confirm_within, detail).called(Outcome::Unconfirmed);
            PushVerdict::open(ending, Contact::Answered)
        }
        PushFact::Refused => {
            let end = PushEnd::Refused { template: task.held_template() };
            PushVerdict::end(Ending::done(job, Outcome::Refused, detail, None), end, Contact::Answered)
        }
        PushFact::Gone => {
            let end = PushEnd::Gone { kind: channel.address_kind(), kept: task.kept.clone() };
            PushVerdict::end(Ending::done(job, Outcome::Gone, detail, None), end, Contact::Answered)
        }
        _ if unexplained && job.attempts >= UNEXPLAINED_AT_MOST => {
            PushVerdict::end(Ending::dead(job, Outcome::Unexplained, detail), lost(job.unclear), Contact::Answered)
        }
        PushFact::Misconfigured => {
            PushVerdict::end(Ending::dead(job, Outcome::Misconfigured, detail), lost(job.unclear), Contact::Answered)
        }
        PushFact::Throttled { after } => PushVerdict::repeat(
            again_or_dead(job, policy, after, Outcome::Throttled, detail),
            job.unclear,
            Contact::Answered,
        ),
        PushFact::Unavailable => PushVerdict::repeat(
            again_or_dead(job, policy, None, Outcome::Unavailable, detail),
            job.unclear,
            Contact::Silent,
        ),
        PushFact::Ambiguous => {
            let unclear = job.unclear.saturating_add(1);
            let ending =
                again_or_dead(job, policy, Some(settings.time_outs.clear_up_after), Outcome::Ambiguous, detail);
            PushVerdict::repeat(ending.with_unclear(unclear), unclear, Contact::Silent)
        }
    }
}

/// The end of an attempt at a push.
#[derive(Debug, Clone)]
pub struct PushVerdict {
    /// The job's.
    pub ending: Ending,
    /// The notification's, on this channel; `None` while the push goes on over the same channel.
    pub end: Option<PushEnd>,
    pub contact: Contact,
}

impl PushVerdict {
    /// The push is over on this channel.
    pub const fn end(ending: Ending, end: PushEnd, contact: Contact) -> Self {
        Self { ending, end: Some(end), contact }
    }

    /// The push goes on over the same channel.
    #[must_use]
    pub const fn open(ending: Ending, contact: Contact) -> Self {
        Self { ending, end: None, contact }
    }

    /// The push is repeated, unless its job is dead. `unclear` attempts may have delivered it.
    pub fn repeat(ending: Ending, unclear: i32, contact: Contact) -> Self {
        let end = ending.is_dead().then(|| lost(unclear));
        Self { ending, end, contact }
    }
}

/// The end of a push that is given up. `unclear` attempts may have delivered it.
#[must_use]
pub const fn lost(unclear: i32) -> PushEnd {
    if unclear > 0 { PushEnd::Unknown } else { PushEnd::Failed }
}

/// The end of a job at a carrier that this installation no longer uses. Only people can find out which orders it holds.
#[must_use]
pub fn no_carrier(job: &Claimed, carrier: &CarrierCode) -> Conclusion {
    let why = format!("carrier {carrier} is not set up any more: set it up and replay, or settle it by hand");
    Conclusion::plain(Ending::dead(job, Outcome::NoCarrier, why), Contact::None)
}

/// What follows from a carrier's fault, for every job that does not handle the fault itself.
///
/// `asked_to_change` is true if the call would have changed something at the carrier. Only then an ambiguous outcome
/// leaves the job unclear.
#[must_use]
pub fn on_carrier_fault(
    attempt: &Attempt<'_>,
    parcel: ParcelId,
    asked_to_change: bool,
    fault: CarrierFault,
) -> Conclusion {
    let Attempt { job, policy, .. } = attempt;
    let clear_up_after = Some(attempt.workshop.settings.time_outs.clear_up_after);
    let in_doubt = |outcome, detail| {
        let ending = again_or_dead(job, policy, clear_up_after, outcome, detail);
        ending.with_unclear(job.unclear.saturating_add(1))
    };
    let CarrierFault { fact, detail } = fault;
    let (ending, contact) = match fact {
        CarrierFact::Throttled { after } => {
            (again_or_dead(job, policy, after, Outcome::Throttled, detail), Contact::Answered)
        }
        CarrierFact::Unavailable => (again_or_dead(job, policy, None, Outcome::Unavailable, detail), Contact::Silent),
        CarrierFact::Ambiguous if asked_to_change => (in_doubt(Outcome::Ambiguous, detail), Contact::Silent),
        CarrierFact::Ambiguous => (again_or_dead(job, policy, None, Outcome::Ambiguous, detail), Contact::Silent),
        // The carrier has the order: the look-up will find it.
        CarrierFact::Duplicate => (in_doubt(Outcome::Duplicate, detail), Contact::Answered),
        CarrierFact::Misconfigured => (Ending::dead(job, Outcome::Misconfigured, detail), Contact::Answered),
        // The resident must correct the address.
        CarrierFact::AddressRefused => {
            let ending = Ending::done(job, Outcome::AddressRefused, detail, None);
            let effect = Effect::Parcel(ParcelEffect { parcel, change: ParcelChange::AddressRefused });
            return Conclusion::with(ending, effect, Contact::Answered);
        }
        CarrierFact::WrongState => (Ending::dead(job, Outcome::WrongState, detail), Contact::Answered),
        CarrierFact::Absent => (Ending::dead(job, Outcome::Absent, detail), Contact::Answered),
    };
    Conclusion::plain(ending, contact)
}

//! Decides the outcome of an attempt from the gateway's response, which an adapter reports as a fact. The job is done,
//! is tried again, or is given up (dead). If a push ended without delivery, the next channel takes over.

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

/// Returns a reduced message if the gateway refused only a part of the message, such as its link; otherwise `None`.
/// After such a refusal nothing was sent, so the reduced message can be sent at once.
pub fn plainer(message: &PushMessage, report: &PushReport) -> Option<PushMessage> {
    message.without(report.objection.as_ref()?)
}

/// After this many attempts, a push whose refusal the gateway does not explain becomes a dead letter.
const UNEXPLAINED_AT_MOST: i32 = 3;

/// Decides the outcome of an attempt at a push. If our configuration is at fault, the job becomes a dead letter, which
/// an operator sees. If the person refused messages, or the address is no longer valid, the job is done.
pub fn on_push(attempt: &Attempt<'_>, channel: &dyn PushChannel, task: &PushTask, report: PushReport) -> PushVerdict {
    let Attempt { job, policy, .. } = attempt;
    let settings = &attempt.workshop.settings;
    let PushReport { fact, detail, unexplained, .. } = report;
    let done =
        |outcome, detail, end| PushVerdict::end(Ending::done(job, outcome, detail, None), end, Contact::Answered);
    let dead =
        |outcome, detail| PushVerdict::end(Ending::dead(job, outcome, detail), lost(job.unclear), Contact::Answered);
    match fact {
        PushFact::Delivered { reference } => {
            let ending = Ending::done(job, Outcome::Delivered, detail, reference);
            PushVerdict::end(ending, PushEnd::Delivered, Contact::Answered)
        }
        // An earlier copy may have arrived and used up the person's consent. Its receipt would prove that, so the job
        // waits for the receipt.
        PushFact::Refused if job.unclear > 0 && channel.repeat() == Repeat::ConsentTells => {
            let ending = Ending::snooze(job, settings.time_outs.confirm_within, detail).called(Outcome::Unconfirmed);
            PushVerdict::open(ending, Contact::Answered)
        }
        PushFact::Refused => done(Outcome::Refused, detail, PushEnd::Refused { template: task.held_template() }),
        PushFact::Gone => {
            done(Outcome::Gone, detail, PushEnd::Gone { kind: channel.address_kind(), kept: task.kept.clone() })
        }
        _ if unexplained && job.attempts >= UNEXPLAINED_AT_MOST => dead(Outcome::Unexplained, detail),
        PushFact::Misconfigured => dead(Outcome::Misconfigured, detail),
        PushFact::Throttled { after } => {
            let ending = again_or_dead(job, policy, after, Outcome::Throttled, detail);
            PushVerdict::repeat(ending, job.unclear, Contact::Answered)
        }
        PushFact::Unavailable => {
            let ending = again_or_dead(job, policy, None, Outcome::Unavailable, detail);
            PushVerdict::repeat(ending, job.unclear, Contact::Silent)
        }
        PushFact::Ambiguous => {
            let unclear = job.unclear.saturating_add(1);
            let wait = Some(settings.time_outs.clear_up_after);
            let ending = again_or_dead(job, policy, wait, Outcome::Ambiguous, detail);
            PushVerdict::repeat(ending.with_unclear(unclear), unclear, Contact::Silent)
        }
    }
}

/// The outcome of an attempt at a push.
#[derive(Debug, Clone)]
#[must_use = "a job whose attempt is not settled is tried again"]
pub struct PushVerdict {
    /// The result for the job: done, tried again or dead.
    pub ending: Ending,
    /// How the push ended on this channel; `None` if the push goes on over the same channel.
    pub end: Option<PushEnd>,
    pub contact: Contact,
}

impl PushVerdict {
    pub const fn end(ending: Ending, end: PushEnd, contact: Contact) -> Self {
        Self { ending, end: Some(end), contact }
    }

    /// A verdict by which the push goes on over the same channel.
    pub const fn open(ending: Ending, contact: Contact) -> Self {
        Self { ending, end: None, contact }
    }

    /// A verdict by which the push is repeated, or given up if `ending` makes its job a dead letter. `unclear` is the
    /// number of attempts that may have delivered the message.
    pub fn repeat(ending: Ending, unclear: i32, contact: Contact) -> Self {
        let end = ending.is_dead().then(|| lost(unclear));
        Self { ending, end, contact }
    }
}

/// Returns the end of a push that is given up. `unclear` is the number of attempts that may have delivered the message.
pub const fn lost(unclear: i32) -> PushEnd {
    if unclear > 0 { PushEnd::Unknown } else { PushEnd::Failed }
}

/// Returns the conclusion for a job whose carrier is not set up any more. The job becomes a dead letter, because only a
/// person can find out whether the carrier has an order.
pub fn no_carrier(job: &Claimed, carrier: &CarrierCode) -> Conclusion {
    let why = format!("carrier {carrier} is not set up any more: set it up and replay, or settle it by hand");
    Conclusion::plain(Ending::dead(job, Outcome::NoCarrier, why), Contact::None)
}

/// Decides the outcome of an attempt after a carrier's fault that the job's own code does not handle.
///
/// `asked_to_change` is true if the call would have changed something at the carrier. Only then does an ambiguous fault
/// count as an attempt of unknown outcome.
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
        // The carrier has an order with our number. The next attempt finds it by a look-up.
        CarrierFact::Duplicate => (in_doubt(Outcome::Duplicate, detail), Contact::Answered),
        CarrierFact::Misconfigured => (Ending::dead(job, Outcome::Misconfigured, detail), Contact::Answered),
        // Another attempt is useless: the resident must correct the address.
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

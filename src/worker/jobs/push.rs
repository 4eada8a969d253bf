//! Sends a notification to a phone over one channel.

use std::time::Duration;

use crate::casework::jobs::{
    Effect, PendingPush, Prepared, PreparedPushes, PushEffect, PushEnd, PushTask, receipt_event,
};
use crate::domain::kernel::ids::NotificationId;
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::Link;
use crate::domain::work::doubt::{Fate, Step};
use crate::domain::work::outcome::Outcome;
use crate::gateway::push::{Found, PushChannel, PushFact, PushReport, Repeat};
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::worker::attempts::{Attempt, Conclusion, Contact, PushVerdict, again_or_dead, lost, on_push, plainer};
use crate::worker::workshop::Workshop;

pub fn pending(job: &Claimed, notification: NotificationId) -> PendingPush {
    PendingPush { job: job.id(), notification, again: job.fence > 1 }
}

/// Prepares many pushes over one channel. If this fails, the returned map is empty, and each push is prepared alone
/// before its attempt. So one bad push does not stop the others.
pub async fn prepare(workshop: &Workshop, code: &ChannelCode, pushes: &[PendingPush]) -> PreparedPushes {
    let Some(channel) = workshop.channels.get(code) else { return PreparedPushes::new() };
    let link = link(channel.as_ref());
    let prepared = workshop.in_time(workshop.casework.jobs().prepare_pushes(&link, pushes)).await;
    prepared.unwrap_or_else(|error| {
        tracing::warn!(%error, channel = %code, "pushes could not be prepared together");
        PreparedPushes::new()
    })
}

pub async fn run(
    attempt: &Attempt<'_>,
    notification: NotificationId,
    code: &ChannelCode,
    prepared: Option<Result<Prepared, StoreError>>,
) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, .. } = attempt;
    let ended = |ending, end, contact| {
        let effect = PushEffect { notification, channel: code.clone(), end };
        Conclusion::with(ending, Effect::Push(effect), contact)
    };
    let Some(channel) = workshop.channels.get(code) else {
        let ending = Ending::done(job, Outcome::NoChannel, format!("channel {code} is not set up any more"), None);
        return Ok(ended(ending, lost(job.unclear), Contact::None));
    };
    let prepared = match prepared {
        Some(prepared) => prepared,
        None => workshop.casework.jobs().prepare_push(&link(channel.as_ref()), pending(job, notification)).await,
    };
    let task = match prepared {
        Ok(Prepared::Ready(task)) => task,
        Ok(Prepared::Unreachable) => {
            let ending = Ending::done(job, Outcome::Unreachable, "no address or no consent".to_owned(), None);
            return Ok(ended(ending, PushEnd::Refused { template: None }, Contact::None));
        }
        Ok(Prepared::NoNeed) => {
            let why = "it came over another channel, or went on to one".to_owned();
            return Ok(Conclusion::plain(Ending::done(job, Outcome::NoNeed, why, None), Contact::None));
        }
        Err(error @ StoreError::Unavailable(_)) => return Err(error),
        Err(error) => {
            tracing::error!(job = %job.id(), %error, "a push cannot be prepared");
            let ending = Ending::dead(job, Outcome::BrokenRecord, error.to_string());
            return Ok(ended(ending, lost(job.unclear), Contact::None));
        }
    };
    let PushVerdict { ending, end, contact } = send(attempt, channel.as_ref(), &task).await?;
    Ok(match end {
        Some(end) => ended(ending, end, contact),
        None => Conclusion::plain(ending, contact),
    })
}

/// Gives up a push without another attempt. The next channel takes over.
pub fn give_up(attempt: &Attempt<'_>, notification: NotificationId, channel: ChannelCode, why: String) -> Conclusion {
    let effect = PushEffect { notification, channel, end: lost(attempt.job.unclear) };
    Conclusion::with(Ending::dead(attempt.job, Outcome::Spent, why), Effect::Push(effect), Contact::None)
}

fn link(channel: &dyn PushChannel) -> Link {
    Link { channel: channel.code().clone(), address: channel.address_kind() }
}

/// Sends the message, unless an earlier attempt of unknown outcome forbids it. Some gateways accept only one message at
/// a time for each recipient. For these gateways, the recipient is reserved in Redis while the message is sent.
async fn send(attempt: &Attempt<'_>, channel: &dyn PushChannel, task: &PushTask) -> Result<PushVerdict, StoreError> {
    let Attempt { workshop, job, .. } = attempt;
    if job.unclear > 0
        && let Some(known) = clear_up(attempt, channel, task).await?
    {
        return Ok(known);
    }
    if !channel.one_at_a_time() {
        return Ok(hand_over(attempt, channel, task).await);
    }
    let lane = job.lane();
    let holder = job.id().to_string();
    // Without Redis, the recipient is not reserved. The gateway can then refuse one of two messages to the same
    // recipient, which is harmless.
    let free = workshop
        .queue
        .reserve(&lane, &task.recipient, &holder, workshop.settings.time_outs.lease)
        .await
        .unwrap_or(true);
    if !free {
        const SOON: Duration = Duration::from_millis(300);
        let ending = Ending::snooze(job, SOON, "another message to this recipient is under way".to_owned());
        return Ok(PushVerdict::open(ending, Contact::None));
    }
    let sent = hand_over(attempt, channel, task).await;
    if let Err(error) = workshop.queue.release(&lane, &task.recipient, &holder).await {
        tracing::debug!(%error, "a reservation is not released, and will expire");
    }
    Ok(sent)
}

async fn hand_over(attempt: &Attempt<'_>, channel: &dyn PushChannel, task: &PushTask) -> PushVerdict {
    attempt.reaches_out();
    let mut report = deliver(channel, task).await;
    let believed = attempt.workshop.gone.believes(channel.code(), &report.fact);
    if report.fact == PushFact::Gone && !believed {
        let detail = format!("{}; too many seem to be gone at once: check the credentials", report.detail);
        tracing::error!(channel = %channel.code(), detail, "an address that the gateway calls gone is kept");
        report = PushReport::new(PushFact::Misconfigured, detail);
    }
    conclude(attempt, channel, task, report)
}

/// Sends the message. If the gateway refuses a part that the message can do without, sends the message again without
/// that part.
async fn deliver(channel: &dyn PushChannel, task: &PushTask) -> PushReport {
    let report = channel.send(&task.to, &task.message).await;
    let Some(plainer) = plainer(&task.message, &report) else { return report };
    let template = &task.message.template;
    let answer = &report.detail;
    tracing::warn!(channel = %channel.code(), template, answer, "sent without a refused part: correct the template");
    let again = channel.send(&task.to, &plainer).await;
    PushReport { detail: format!("{}; in full {}", again.detail, report.detail), ..again }
}

/// Decides the outcome of an attempt to send. A push of unknown outcome waits for a receipt if the gateway sends
/// receipts.
fn conclude(attempt: &Attempt<'_>, channel: &dyn PushChannel, task: &PushTask, report: PushReport) -> PushVerdict {
    let fact = report.fact.clone();
    let verdict = on_push(attempt, channel, task, report);
    let in_doubt = fact == PushFact::Ambiguous || attempt.job.unclear > 0;
    if verdict.end.is_none() && in_doubt && channel.repeat() == Repeat::ConsentTells {
        return PushVerdict { ending: awaiting_receipt(verdict.ending, channel, task), ..verdict };
    }
    verdict
}

fn awaiting_receipt(ending: Ending, channel: &dyn PushChannel, task: &PushTask) -> Ending {
    ending.awaiting(receipt_event(channel.code(), &task.recipient, &task.message.template))
}

/// Finds out the result of an earlier attempt of unknown outcome, in the way that the gateway allows. Returns `None` if
/// the message can be sent again.
async fn clear_up(
    attempt: &Attempt<'_>,
    channel: &dyn PushChannel,
    task: &PushTask,
) -> Result<Option<PushVerdict>, StoreError> {
    match channel.repeat() {
        Repeat::Deduplicated => Ok(None),
        Repeat::AskFirst => ask(attempt, channel, task).await,
        Repeat::ConsentTells => weigh(attempt, channel, task).await,
    }
}

/// Asks the gateway whether it has the message. "Not found" is believed only the second time, a while later, because
/// the gateway may still be processing the message.
async fn ask(
    attempt: &Attempt<'_>,
    channel: &dyn PushChannel,
    task: &PushTask,
) -> Result<Option<PushVerdict>, StoreError> {
    let Attempt { workshop, job, policy, .. } = attempt;
    let settings = &workshop.settings;
    let handed_over = workshop.casework.jobs().handed_over(job.id()).await?;
    Ok(match channel.find(&task.to, &task.message.key, &handed_over).await {
        Found::Yes => {
            let ending = Ending::done(job, Outcome::Found, "the gateway has it".to_owned(), None);
            Some(PushVerdict::end(ending, PushEnd::Delivered, Contact::Answered))
        }
        // The gateway says that the message failed, so no attempt of unknown outcome is left.
        Found::Failed(report) => {
            let verdict = conclude(attempt, channel, task, report);
            Some(PushVerdict { ending: verdict.ending.with_unclear(0), contact: Contact::Answered, ..verdict })
        }
        Found::No if job.told_absent => None,
        Found::No => {
            let wait = settings.time_outs.message_absent_for;
            let ending = Ending::told_absent(job, wait, "the gateway does not have it yet".to_owned());
            Some(PushVerdict::open(ending, Contact::Answered))
        }
        Found::Unknown => {
            let why = "the gateway does not say whether it has it".to_owned();
            let ending = again_or_dead(job, policy, Some(settings.time_outs.clear_up_after), Outcome::NotTold, why);
            Some(PushVerdict::repeat(ending, job.unclear, Contact::Silent))
        }
    })
}

/// Decides about a push of unknown outcome from the gateway's receipts and refusals, by the rules of
/// [`crate::domain::work::doubt`]. Returns `None` if the message can be sent again.
async fn weigh(
    attempt: &Attempt<'_>,
    channel: &dyn PushChannel,
    task: &PushTask,
) -> Result<Option<PushVerdict>, StoreError> {
    let Attempt { workshop, job, .. } = attempt;
    let copies = u32::try_from(job.unclear).unwrap_or(0);
    let Some(doubt) = workshop.casework.jobs().doubt(channel.code(), job.id(), copies, task).await? else {
        return Ok(None);
    };
    let done = |outcome, why: &str| Ending::done(job, outcome, why.to_owned(), None);
    let refused = PushEnd::Refused { template: task.held_template() };
    let (ending, end) = match doubt.step(workshop.settings.time_outs.waits()) {
        Step::Repeat => return Ok(None),
        Step::Wait(time) => {
            let ending = Ending::snooze(job, time, "a receipt may say what became of it".to_owned());
            return Ok(Some(PushVerdict::open(awaiting_receipt(ending, channel, task), Contact::None)));
        }
        Step::Done(Fate::Arrived) => (done(Outcome::Confirmed, "its receipt came"), PushEnd::Delivered),
        Step::Done(Fate::Refused) => (done(Outcome::Refused, "its receipt says so"), refused),
        Step::Done(Fate::Lost) => {
            (Ending::dead(job, Outcome::LostOnTheWay, "its receipt says so".to_owned()), PushEnd::Failed)
        }
        Step::GiveUp { refused: true } => {
            let why = "no consent is left, and no receipt says that an earlier copy arrived";
            (done(Outcome::Refused, why), refused)
        }
        Step::GiveUp { refused: false } => {
            let why = format!("{copies} copies were handed over, and nothing was heard of them");
            (Ending::dead(job, Outcome::Ambiguous, why), PushEnd::Unknown)
        }
    };
    Ok(Some(PushVerdict::end(ending, end, Contact::None)))
}

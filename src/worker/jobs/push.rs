//! Brings a notification to a phone over one channel.

use std::time::Duration;

use crate::casework::jobs::{Effect, Prepared, PreparedPushes, PushEffect, PushEnd, PushTask};
use crate::domain::ids::{JobId, NotificationId, PersonId};
use crate::domain::notification::{ChannelCode, Event, PushMessage};
use crate::domain::reach::Link;
use crate::gateway::push::{Found, PushChannel, PushReport, Repeat};
use crate::kill_point::{self, Step};
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::worker::Workshop;
use crate::worker::verdict::{Conclusion, Contact, again_or_dead, on_push, plainer};

/// Prepares pushes over one channel together. Those that are missing in the answer prepare themselves, each alone: so what
/// spoils a batch spoils one job of it.
pub async fn prepare(workshop: &Workshop, code: &ChannelCode, pushes: &[(JobId, NotificationId)]) -> PreparedPushes {
    let Some(channel) = workshop.channels.get(code) else { return PreparedPushes::new() };
    let link = link(channel.as_ref());
    let prepared = workshop.in_time(workshop.casework.prepare_pushes(&link, pushes)).await;
    prepared.unwrap_or_else(|error| {
        tracing::warn!(%error, channel = %code, "pushes could not be prepared together");
        PreparedPushes::new()
    })
}

/// Sends unless it was sent already, and concludes.
pub async fn run(
    workshop: &Workshop,
    job: &Claimed,
    notification: NotificationId,
    code: &ChannelCode,
    prepared: Option<Result<Prepared, StoreError>>,
) -> Result<Conclusion, StoreError> {
    let Some(channel) = workshop.channels.get(code) else {
        let ending = Ending::dead(job, "no_channel", format!("channel {code} is not set up"));
        return Ok(Conclusion::plain(ending, Contact::None));
    };
    let link = link(channel.as_ref());
    let prepared = match prepared {
        Some(prepared) => prepared?,
        None => workshop.casework.prepare_push(&link, job.id(), notification).await?,
    };
    let effect = |person: PersonId, event: Event, template: Option<String>, end: PushEnd| {
        Effect::Push(PushEffect { notification, link: link.clone(), person, event, template, end })
    };
    let task = match prepared {
        Prepared::Ready(task) => task,
        Prepared::Unreachable { person, event } => {
            let ending = Ending::done(job, "unreachable", "no address or no consent".to_owned(), None);
            return Ok(Conclusion::with(ending, effect(person, event, None, PushEnd::Refused), Contact::None));
        }
    };
    let (ending, end, contact) = send(workshop, job, channel.as_ref(), &task).await;
    Ok(match end {
        Some(end) => Conclusion::with(ending, effect(task.person, task.event, task.held_template(), end), contact),
        None => Conclusion::plain(ending, contact),
    })
}

fn link(channel: &dyn PushChannel) -> Link {
    Link { channel: channel.code().clone(), address: channel.address_kind() }
}

type Sent = (Ending, Option<PushEnd>, Contact);

/// Sends, one at a time to a recipient where the gateway wants that.
async fn send(workshop: &Workshop, job: &Claimed, channel: &dyn PushChannel, task: &PushTask) -> Sent {
    if job.unclear > 0
        && channel.repeat() == Repeat::AskFirst
        && let Some(known) = ask(workshop, job, channel, task).await
    {
        return known;
    }
    if !channel.one_at_a_time() {
        return hand_over(workshop, job, channel, task).await;
    }
    let (lane, holder) = (job.lane(), job.id().to_string());
    // Without Redis nobody can be kept out; the gateway then refuses the second of two at once, which is harmless.
    let free = workshop.queue.reserve(&lane, &task.recipient, &holder, workshop.settings.lease).await.unwrap_or(true);
    if !free {
        const A_MOMENT: Duration = Duration::from_millis(300);
        return (
            Ending::snooze(job, A_MOMENT, "another message to this recipient is under way".to_owned()),
            None,
            Contact::None,
        );
    }
    let sent = hand_over(workshop, job, channel, task).await;
    if let Err(error) = workshop.queue.release(&lane, &task.recipient, &holder).await {
        tracing::debug!(%error, "a reservation ends by itself");
    }
    sent
}

async fn hand_over(workshop: &Workshop, job: &Claimed, channel: &dyn PushChannel, task: &PushTask) -> Sent {
    kill_point::pass(Step::Prepared, job.lane_name());
    let report = deliver(channel, task).await;
    let settings = &workshop.settings;
    on_push(job, &settings.retry, settings.clear_up_after, channel.repeat(), &task.message, report)
}

/// Sends, and once more without the part that the gateway refused, where the message can do without it.
async fn deliver(channel: &dyn PushChannel, task: &PushTask) -> PushReport {
    let report = channel.send(&task.to, &task.message).await;
    let Some(plainer) = plainer(&task.message, &report) else { return report };
    let (template, said) = (&task.message.template, &report.detail);
    tracing::warn!(channel = %channel.code(), template, said, "a message goes without a refused part: mend its template");
    let again = channel.send(&task.to, &plainer).await;
    PushReport { detail: format!("{}; in full {}", again.detail, report.detail), ..again }
}

/// Asks what became of an attempt whose outcome is unknown; `None` when the message may be sent again.
///
/// "Nothing there" is believed only the second time, a while later: the first message may still be on its way.
async fn ask(workshop: &Workshop, job: &Claimed, channel: &dyn PushChannel, task: &PushTask) -> Option<Sent> {
    let settings = &workshop.settings;
    let first_sent_at = workshop.casework.first_attempt_at(job.id()).await.ok().flatten();
    let message =
        PushMessage { first_sent_at: first_sent_at.unwrap_or(task.message.first_sent_at), ..task.message.clone() };
    match channel.find(&task.to, &message).await {
        Found::Yes => {
            let ending = Ending::done(job, "found", "the gateway has it".to_owned(), None);
            Some((ending, Some(PushEnd::Delivered), Contact::Answered))
        }
        Found::No if job.told_absent => None,
        Found::No => {
            let ending = Ending::told_absent(job, settings.absent_for, "the gateway does not have it yet".to_owned());
            Some((ending, None, Contact::Answered))
        }
        Found::Unknown => {
            let why = "the gateway does not say whether it has it".to_owned();
            let ending = again_or_dead(job, &settings.retry, Some(settings.clear_up_after), "ambiguous", why);
            let end = ending.is_dead().then_some(PushEnd::Unknown);
            Some((ending, end, Contact::Silent))
        }
    }
}

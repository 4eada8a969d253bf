//! Bringing a notification to a phone: what is needed before the call, and what follows from its outcome.

use std::collections::BTreeMap;

use crate::casework::Casework;
use crate::domain::ids::{JobId, NotificationId, PersonId};
use crate::domain::job::{Job, Work};
use crate::domain::notification::{Consent, Event, Notification, PushMessage};
use crate::domain::private::Private;
use crate::domain::reach::{Link, Reach};
use crate::store::consent_holds::Wanted;
use crate::store::jobs::Ending;
use crate::store::recipients::Recipient;
use crate::store::record::Record;
use crate::store::{Conn, StoreError, Tx, consent_holds, jobs, joins, notifications, reach, recipients};

/// A message that is ready to be sent.
#[derive(Debug, Clone)]
pub struct PushTask {
    /// The recipient's address on the channel.
    pub to: Private<String>,
    /// The recipient's address as a keyed hash, for reservations.
    pub recipient: String,
    /// The message.
    pub message: PushMessage,
    /// Whose phone.
    pub person: PersonId,
    /// About what.
    pub event: Event,
}

impl PushTask {
    /// The template whose consent is held for it, if it needs one.
    #[must_use]
    pub fn held_template(&self) -> Option<String> {
        (self.message.consent != Consent::NotNeeded).then(|| self.message.template.clone())
    }
}

/// What a push finds when it begins.
#[derive(Debug, Clone)]
pub enum Prepared {
    /// Everything is there.
    Ready(PushTask),
    /// The person cannot or does not want to be reached there any more.
    Unreachable {
        /// Who.
        person: PersonId,
        /// About what.
        event: Event,
    },
}

/// What became of a push, as far as it concerns the notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushEffect {
    /// Which notification.
    pub notification: NotificationId,
    /// Over which channel, and by what it finds a person.
    pub link: Link,
    /// Whose phone.
    pub person: PersonId,
    /// About what.
    pub event: Event,
    /// The template whose consent is held; `None` when none is needed, or it did not come to that.
    pub template: Option<String>,
    /// How it ended on this channel.
    pub end: PushEnd,
}

/// How a push ended on one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushEnd {
    /// It was delivered.
    Delivered,
    /// An attempt of unknown outcome must have delivered it, because the consent is gone; unless another message to the
    /// same person took that consent.
    Presumed,
    /// The person does not want it there.
    Refused,
    /// The address reaches nobody.
    Gone,
    /// It surely was not delivered, and will not be.
    Failed,
    /// Nobody knows, and asking again would be worse: another channel takes over.
    Unknown,
}

/// What pushes find when they begin, by job; what is in the way of one is no trouble of the others.
pub type PreparedPushes = BTreeMap<JobId, Result<Prepared, StoreError>>;

impl Casework {
    /// Prepares pushes over one channel: finds the addresses, words the messages, and holds the consents that they use up.
    /// Together, because one at a time the database would be asked twice a message.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn prepare_pushes(
        &self,
        link: &Link,
        pushes: &[(JobId, NotificationId)],
    ) -> Result<PreparedPushes, StoreError> {
        let mut connection = self.store().connection().await?;
        let ids: Vec<NotificationId> = pushes.iter().map(|(_, notification)| *notification).collect();
        let mut found = recipients::of(&mut connection, link, &ids).await?;
        let mut prepared: PreparedPushes = pushes
            .iter()
            .map(|(job, id)| {
                let found = found.remove(id).unwrap_or_else(|| Err(missing(id)));
                (*job, found.and_then(|(notification, recipient)| self.word(link, &notification, &recipient)))
            })
            .collect();
        hold_consents(&mut connection, link, &mut prepared).await?;
        Ok(prepared)
    }

    /// Prepares one push.
    ///
    /// # Errors
    /// When the database is unavailable, or holds something unreadable.
    pub async fn prepare_push(
        &self,
        link: &Link,
        job: JobId,
        notification: NotificationId,
    ) -> Result<Prepared, StoreError> {
        let mut prepared = self.prepare_pushes(link, &[(job, notification)]).await?;
        prepared.remove(&job).unwrap_or_else(|| Err(missing(&notification)))
    }

    /// Words a notification for its person, in their language.
    fn word(
        &self,
        Link { channel, .. }: &Link,
        notification: &Notification,
        recipient: &Recipient,
    ) -> Result<Prepared, StoreError> {
        let (person, event) = (notification.person, notification.event);
        let (catalog, keys) = (self.catalog().current(), self.store().keys());
        let template = catalog.templates().for_(channel, event, recipient.language);
        let (Some(template), Some(to)) = (template, recipient.address(keys)?) else {
            return Ok(Prepared::Unreachable { person, event });
        };
        let message = template.word(notification, catalog.templates().status(event), recipient.language);
        let recipient = hex::encode(keys.hash("recipient", to.expose()));
        Ok(Prepared::Ready(PushTask { to, recipient, message, person, event }))
    }

    /// Writes what follows from pushes that ended: who was reached, which consents are used up, who comes next.
    pub(super) async fn apply_pushes(
        &self,
        tx: &mut Tx,
        record: &mut Record,
        effects: &[(&Ending, &PushEffect)],
    ) -> Result<(), StoreError> {
        let mut ended = Vec::with_capacity(effects.len());
        for (ending, effect) in effects {
            ended.push((ending.id(), *effect, judged(tx, ending.id(), effect).await?));
        }
        let delivered = ended.iter().filter(|(.., end)| *end == PushEnd::Delivered);
        let (ids, channels): (Vec<_>, Vec<_>) =
            delivered.map(|(_, effect, _)| (effect.notification, effect.link.channel.clone())).unzip();
        if !ids.is_empty() {
            notifications::delivered(tx, &ids, &channels).await?;
        }
        settle_consents(tx, &ended).await?;
        for ((ending, effect), (.., end)) in effects.iter().zip(&ended) {
            if *end != PushEnd::Delivered {
                self.pass_on(tx, record, effect, ending.trace()).await?;
            }
        }
        Ok(())
    }

    /// Hands a notification that did not arrive to the next channel of the chain.
    async fn pass_on(
        &self,
        tx: &mut Tx,
        record: &mut Record,
        effect: &PushEffect,
        trace: Option<&str>,
    ) -> Result<(), StoreError> {
        let Link { channel, address } = &effect.link;
        if effect.end == PushEnd::Gone {
            reach::forget(tx, effect.person, channel, *address).await?;
        }
        let reach = reach_now(tx, effect.person).await?;
        let next = self.next_channel(&self.catalog().current(), effect.event, &reach, Some(channel));
        if let Some(channel) = next {
            record.promise(&Job::now(Work::Push { notification: effect.notification, channel }), trace)?;
        }
        Ok(())
    }
}

/// How somebody can be reached, who may have been joined with another account since the push began.
async fn reach_now(tx: &mut Tx, person: PersonId) -> Result<Reach, StoreError> {
    if let Some(reach) = reach::of(tx, &[person]).await?.remove(&person) {
        return Ok(reach);
    }
    let Some(person) = joins::became(tx, person).await? else { return Ok(Reach::default()) };
    Ok(reach::of(tx, &[person]).await?.remove(&person).unwrap_or_default())
}

/// How a push ended after all. A presumption holds only if nothing else can have used the consent up: a message to the
/// same person that may have gone out twice took two, and the person is rather told twice than not at all.
async fn judged(tx: &mut Tx, job: JobId, effect: &PushEffect) -> Result<PushEnd, StoreError> {
    if effect.end != PushEnd::Presumed {
        return Ok(effect.end);
    }
    let others = notifications::latest_of(tx, effect.person).await?.into_iter();
    let push = |notification| Work::Push { notification, channel: effect.link.channel.clone() }.key();
    let keys: Vec<String> = others.filter(|other| *other != effect.notification).map(push).collect();
    let doubtful = jobs::any_unclear(tx, &keys).await?;
    if doubtful {
        tracing::info!(%job, "another message may have used its consent: the next channel takes over");
    }
    Ok(if doubtful { PushEnd::Unknown } else { PushEnd::Delivered })
}

fn missing(id: &NotificationId) -> StoreError {
    StoreError::Broken(format!("{id} is not there"))
}

/// Holds the consents that messages need. Whoever gets none cannot be reached there.
async fn hold_consents(conn: &mut Conn, link: &Link, prepared: &mut PreparedPushes) -> Result<(), StoreError> {
    let wanted: Vec<Wanted<'_>> = prepared.iter().filter_map(|(job, push)| wanted(*job, push.as_ref().ok()?)).collect();
    let held = consent_holds::hold(conn, &link.channel, &wanted).await?;
    let refused: Vec<JobId> = wanted.iter().map(|one| one.job).filter(|job| !held.contains(job)).collect();
    for job in refused {
        if let Some(Ok(push)) = prepared.get_mut(&job)
            && let Prepared::Ready(PushTask { person, event, .. }) = push
        {
            *push = Prepared::Unreachable { person: *person, event: *event };
        }
    }
    Ok(())
}

fn wanted(job: JobId, push: &Prepared) -> Option<Wanted<'_>> {
    let Prepared::Ready(PushTask { message, person, .. }) = push else { return None };
    (message.consent != Consent::NotNeeded).then(|| Wanted { job, person: *person, template: &message.template })
}

/// Ends the holds of pushes on consents.
async fn settle_consents(tx: &mut Tx, ended: &[(JobId, &PushEffect, PushEnd)]) -> Result<(), StoreError> {
    let mut used = Vec::new();
    for (job, effect, end) in ended {
        let Some(template) = &effect.template else { continue };
        match end {
            PushEnd::Delivered | PushEnd::Presumed | PushEnd::Unknown => used.push(*job),
            PushEnd::Failed | PushEnd::Gone => consent_holds::give_back(tx, *job).await?,
            PushEnd::Refused => {
                let wanted = Wanted { job: *job, person: effect.person, template };
                consent_holds::refute(tx, &effect.link.channel, wanted).await?;
            }
        }
    }
    consent_holds::use_up(tx, &used).await
}

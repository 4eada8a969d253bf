//! Bringing a notification to a phone: what is needed before the call, and what follows from its outcome.

use std::collections::{BTreeMap, BTreeSet};

use crate::casework::Casework;
use crate::domain::kernel::ids::{JobId, NotificationId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::{ChannelCode, Consent, Notification, PushMessage};
use crate::domain::notice::reach::{AddressKind, Link};
use crate::domain::work::doubt::Doubt;
use crate::domain::work::job::{Job, Work};
use crate::store::consent_holds::Wanted;
use crate::store::push_receipts::{self, InDoubt};
use crate::store::recipients::Recipient;
use crate::store::record::Record;
use crate::store::{Conn, StoreError, Tx, consent_holds, jobs, notifications, reach, recipients};

/// A push that a worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingPush {
    pub job: JobId,
    /// What it is to bring.
    pub notification: NotificationId,
    /// Whether it was held before: then the notification may have come another way since.
    pub again: bool,
}

/// A message that is ready to be sent.
#[derive(Debug, Clone)]
pub struct PushTask {
    /// The recipient's address on the channel.
    pub to: Private<String>,
    /// The same as the record keeps it.
    pub kept: Vec<u8>,
    /// The recipient's address as a keyed hash, for reservations and receipts.
    pub recipient: String,
    pub message: PushMessage,
    pub person: PersonId,
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
    Ready(Box<PushTask>),
    /// The person cannot or does not want to be reached there any more.
    Unreachable,
    /// The notification came over another channel, or went on to one.
    NoNeed,
}

/// What became of a push, as far as it concerns the notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushEffect {
    pub notification: NotificationId,
    /// Over which channel.
    pub channel: ChannelCode,
    /// How it ended there.
    pub end: PushEnd,
}

/// How a push ended on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushEnd {
    /// It was delivered.
    Delivered,
    /// The person does not want it there.
    Refused {
        /// The template whose consent was held; `None` when none is needed, or it did not come to that.
        template: Option<String>,
    },
    /// The address that was tried reaches nobody.
    Gone {
        /// Of what kind it is.
        kind: AddressKind,
        /// How the record keeps it.
        kept: Vec<u8>,
    },
    /// It surely was not delivered, and will not be.
    Failed,
    /// Nobody knows, and asking again would be worse: another channel takes over.
    Unknown,
}

/// A push that ended, and what follows from that.
pub(super) struct EndedPush<'a> {
    pub job: JobId,
    /// How it ended.
    pub effect: &'a PushEffect,
    /// The `traceparent` of the request that promised it.
    pub trace: Option<&'a str>,
}

/// What pushes find when they begin, by job; what is in the way of one is no trouble of the others.
pub type PreparedPushes = BTreeMap<JobId, Result<Prepared, StoreError>>;

impl Casework {
    /// Prepares pushes over one channel: finds the addresses, words the messages, and holds the consents that they use up.
    /// Together, because one at a time the database would be asked twice a message.
    pub async fn prepare_pushes(&self, link: &Link, pushes: &[PendingPush]) -> Result<PreparedPushes, StoreError> {
        let mut connection = self.store().connection().await?;
        let no_need = self.told_otherwise(&mut connection, link, pushes).await?;
        let ids: Vec<NotificationId> = pushes.iter().map(|push| push.notification).collect();
        let mut found = recipients::of(&mut connection, link, &ids).await?;
        let mut prepared: PreparedPushes = pushes
            .iter()
            .map(|PendingPush { job, notification: id, .. }| {
                if no_need.contains(id) {
                    return (*job, Ok(Prepared::NoNeed));
                }
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
    pub async fn prepare_push(&self, link: &Link, push: PendingPush) -> Result<Prepared, StoreError> {
        let mut prepared = self.prepare_pushes(link, &[push]).await?;
        prepared.remove(&push.job).unwrap_or_else(|| Err(missing(&push.notification)))
    }

    /// The notifications that came to their phones, or went on to a later channel, while their pushes over this one waited
    /// or lay dead: whoever brings those back to life must not tell twice.
    async fn told_otherwise(
        &self,
        conn: &mut Conn,
        link: &Link,
        pushes: &[PendingPush],
    ) -> Result<BTreeSet<NotificationId>, StoreError> {
        let again: Vec<NotificationId> =
            pushes.iter().filter(|push| push.again).map(|push| push.notification).collect();
        if again.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut told = notifications::already_delivered(conn, &again).await?;
        let later: Vec<&ChannelCode> = self.parts.chain.after(&link.channel).collect();
        let key_of = |notification: NotificationId, channel: &ChannelCode| {
            Work::Push { notification, channel: channel.clone() }.key()
        };
        let keys: BTreeMap<String, NotificationId> =
            again.iter().flat_map(|id| later.iter().map(|channel| (key_of(*id, channel), *id))).collect();
        let promised = jobs::enqueued(conn, &keys.keys().cloned().collect::<Vec<_>>()).await?;
        told.extend(promised.iter().filter_map(|key| keys.get(key)));
        Ok(told)
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
        let (Some(template), Some(to), Some(kept)) = (template, recipient.address(keys)?, recipient.sealed.clone())
        else {
            return Ok(Prepared::Unreachable);
        };
        let message = template.word(notification, catalog.templates().status(event), recipient.language);
        let recipient = self.address_hash(&to);
        Ok(Prepared::Ready(Box::new(PushTask { to, kept, recipient, message, person })))
    }

    /// An address as receipts and reservations know it.
    pub(super) fn address_hash(&self, address: &Private<String>) -> String {
        hex::encode(self.store().keys().hash("recipient", address.expose()))
    }

    /// What is known of a push of which nobody knows whether it was taken; `None` where there is no doubt.
    pub async fn doubt(
        &self,
        channel: &ChannelCode,
        job: JobId,
        copies: u32,
        task: &PushTask,
    ) -> Result<Option<Doubt>, StoreError> {
        let mut connection = self.store().connection().await?;
        let Some(handed_over) = jobs::handed_over(&mut connection, job).await? else { return Ok(None) };
        let Some(since) = handed_over.at.first().copied() else { return Ok(None) };
        let pushes = pushes_to(&mut connection, task.person, channel).await?;
        let PushTask { recipient, message: PushMessage { template, consent, .. }, person, .. } = task;
        let about = InDoubt { job, channel, recipient, template, since, pushes: &pushes };
        let receipts = push_receipts::about(&mut connection, about).await?;
        let held = Wanted { job, person: *person, template };
        let spare = *consent != Consent::OneTime
            || consent_holds::is_there_another(&mut connection, channel, held, &pushes).await?;
        Ok(Some(Doubt {
            copies,
            handed_over: handed_over.last,
            refused: handed_over.unconfirmed,
            spare,
            fate: receipts.fate(),
        }))
    }

    /// Writes what follows from pushes that ended: who was reached, which consents are used up, who comes next.
    pub(super) async fn apply_pushes(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        ended: &[EndedPush<'_>],
    ) -> Result<(), StoreError> {
        let (delivered, others): (Vec<_>, Vec<_>) =
            ended.iter().partition(|push| push.effect.end == PushEnd::Delivered);
        if !delivered.is_empty() {
            let (ids, channels): (Vec<_>, Vec<_>) =
                delivered.iter().map(|push| (push.effect.notification, push.effect.channel.clone())).unzip();
            notifications::delivered(tx, &ids, &channels).await?;
            consent_holds::use_up(tx, &delivered.iter().map(|push| push.job).collect::<Vec<_>>()).await?;
        }
        let ids: Vec<NotificationId> = others.iter().map(|push| push.effect.notification).collect();
        let found = if ids.is_empty() { BTreeMap::new() } else { notifications::find(tx, &ids).await? };
        let mut undelivered = Vec::with_capacity(others.len());
        for push in others {
            let id = push.effect.notification;
            undelivered.push((found.get(&id).cloned().unwrap_or_else(|| Err(missing(&id)))?, push));
        }
        // These consents are held in one order by all workers. Where another step of a settlement holds some in another order,
        // PostgreSQL ends one of the two, and it is tried again.
        undelivered.sort_by_key(|(notification, _)| notification.person);
        for (notification, push) in undelivered {
            settle_consent(tx, push.job, push.effect, notification.person).await?;
            self.pass_on(tx, record, &notification, push).await?;
        }
        Ok(())
    }

    /// Hands a notification that did not arrive to the next channel of the chain.
    async fn pass_on(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        notification: &Notification,
        &EndedPush { effect, trace, .. }: &EndedPush<'_>,
    ) -> Result<(), StoreError> {
        let Notification { id, person, event, .. } = *notification;
        if let PushEnd::Gone { kind, kept } = &effect.end {
            reach::forget(tx, person, &effect.channel, *kind, kept).await?;
        }
        let reach = reach::of(tx, &[person]).await?.remove(&person).unwrap_or_default();
        let next = self.next_channel(&self.catalog().current(), event, &reach, Some(&effect.channel));
        if let Some(channel) = next {
            record.enqueue(&Job::now(Work::Push { notification: id, channel }), trace)?;
        }
        Ok(())
    }
}

/// The business keys of the latest pushes to a person over a channel.
pub(super) async fn pushes_to(
    conn: &mut Conn,
    person: PersonId,
    channel: &ChannelCode,
) -> Result<Vec<String>, StoreError> {
    let latest = notifications::latest_of(conn, person).await?.into_iter();
    Ok(latest.map(|notification| Work::Push { notification, channel: channel.clone() }.key()).collect())
}

fn missing(id: &NotificationId) -> StoreError {
    StoreError::Broken(format!("{id} is not there"))
}

/// Holds the consents that messages need. Whoever gets none cannot be reached there.
async fn hold_consents(conn: &mut Conn, link: &Link, prepared: &mut PreparedPushes) -> Result<(), StoreError> {
    let wanted: Vec<Wanted<'_>> = prepared.iter().filter_map(|(job, push)| wanted(*job, push.as_ref().ok()?)).collect();
    let held = consent_holds::hold(conn, &link.channel, &wanted).await?;
    let refused: Vec<JobId> = wanted.iter().map(|one| one.job).filter(|job| !held.contains(job)).collect();
    prepared.extend(refused.into_iter().map(|job| (job, Ok(Prepared::Unreachable))));
    Ok(())
}

fn wanted(job: JobId, push: &Prepared) -> Option<Wanted<'_>> {
    let Prepared::Ready(task) = push else { return None };
    let PushTask { message, person, .. } = task.as_ref();
    (message.consent != Consent::NotNeeded).then(|| Wanted { job, person: *person, template: &message.template })
}

/// Ends the hold of a push that did not arrive on a consent.
async fn settle_consent(tx: &mut Tx<'_>, job: JobId, effect: &PushEffect, person: PersonId) -> Result<(), StoreError> {
    match &effect.end {
        PushEnd::Delivered | PushEnd::Unknown => consent_holds::use_up(tx, &[job]).await,
        PushEnd::Failed | PushEnd::Gone { .. } | PushEnd::Refused { template: None } => {
            consent_holds::give_back(tx, job).await
        }
        PushEnd::Refused { template: Some(template) } => {
            consent_holds::refute(tx, &effect.channel, Wanted { job, person, template }).await
        }
    }
}

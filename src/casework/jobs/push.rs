//! Pushes of notifications. Before a worker calls the gateway, this file finds the person's address, writes the text of
//! the message and reserves the person's consent. After the call, it saves the consequences.

use std::collections::{BTreeMap, BTreeSet};

use crate::casework::jobs::{Jobs, PendingPush, Prepared, PreparedPushes, PushEffect, PushEnd, PushTask, missing};
use crate::domain::kernel::ids::{JobId, NotificationId, PersonId};
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::{ChannelCode, Consent, Notification, PushMessage};
use crate::domain::notice::reach::Link;
use crate::domain::work::doubt::Doubt;
use crate::domain::work::job::{Job, Work};
use crate::store::consent_holds::Wanted;
use crate::store::push_receipts::{self, InDoubt};
use crate::store::recipients::Recipient;
use crate::store::record::Record;
use crate::store::{Conn, StoreError, Tx, consent_holds, jobs, notifications, reach, recipients};

pub(super) struct EndedPush<'a> {
    pub job: JobId,
    pub effect: &'a PushEffect,
    /// The `traceparent` of the request that caused the push.
    pub trace: Option<&'a str>,
}

impl Jobs<'_> {
    /// Prepares many pushes over one channel with a few statements: finds the addresses, writes the texts, and reserves
    /// the consents that the messages need.
    pub async fn prepare_pushes(self, link: &Link, pushes: &[PendingPush]) -> Result<PreparedPushes, StoreError> {
        let mut connection = self.0.store().connection().await?;
        let no_need = self.reached_otherwise(&mut connection, link, pushes).await?;
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

    pub async fn prepare_push(self, link: &Link, push: PendingPush) -> Result<Prepared, StoreError> {
        let mut prepared = self.prepare_pushes(link, &[push]).await?;
        prepared.remove(&push.job).unwrap_or_else(|| Err(missing(push.notification)))
    }

    /// Finds the notifications that need no push over this channel any more. While their push waited or was a dead
    /// letter, another channel delivered them, or got a job to deliver them. A replayed push must not notify twice.
    async fn reached_otherwise(
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
        let mut reached = notifications::already_delivered(conn, &again).await?;
        let later: Vec<&ChannelCode> = self.0.parts.chain.after(&link.channel).collect();
        let key_of = |notification: NotificationId, channel: &ChannelCode| {
            Work::Push { notification, channel: channel.clone() }.key()
        };
        let keys: BTreeMap<String, NotificationId> =
            again.iter().flat_map(|id| later.iter().map(|channel| (key_of(*id, channel), *id))).collect();
        let enqueued = jobs::enqueued(conn, &keys.keys().cloned().collect::<Vec<_>>()).await?;
        reached.extend(enqueued.iter().filter_map(|key| keys.get(key)));
        Ok(reached)
    }

    /// Writes the text of the message in the person's language. Returns [`Prepared::Unreachable`] if the person has no
    /// address on the channel, or the channel has no template for the event.
    fn word(
        &self,
        Link { channel, .. }: &Link,
        notification: &Notification,
        recipient: &Recipient,
    ) -> Result<Prepared, StoreError> {
        let person = notification.person;
        let event = notification.event;
        let catalog = self.0.catalog().current();
        let keys = self.0.store().keys();
        let template = catalog.templates().for_(channel, event, recipient.language);
        let (Some(template), Some(to), Some(kept)) = (template, recipient.address(keys)?, recipient.sealed.clone())
        else {
            return Ok(Prepared::Unreachable);
        };
        let message = template.word(notification, catalog.templates().status(event), recipient.language);
        let recipient = self.address_hash(&to);
        Ok(Prepared::Ready(Box::new(PushTask { to, kept, recipient, message, person })))
    }

    /// Hashes an address with the installation's key. Stored delivery receipts, and the reservations of recipients in
    /// Redis, contain this hash instead of the address.
    pub(super) fn address_hash(&self, address: &Private<String>) -> String {
        hex::encode(self.0.store().keys().hash("recipient", address.expose()))
    }

    /// Collects the evidence about a push whose outcome is unknown; `None` if the outcome is known.
    pub async fn doubt(
        self,
        channel: &ChannelCode,
        job: JobId,
        copies: u32,
        task: &PushTask,
    ) -> Result<Option<Doubt>, StoreError> {
        let mut connection = self.0.store().connection().await?;
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

    /// Saves the consequences of ended pushes: delivered notifications, used consents, and pushes over the next
    /// channels.
    pub(super) async fn apply_pushes(
        self,
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
            undelivered.push((found.get(&id).cloned().unwrap_or_else(|| Err(missing(id)))?, push));
        }
        // All workers lock these consents in the order of people, so that the consents cause no deadlock. Other
        // statements of two settlements may still deadlock. PostgreSQL then ends one of the two transactions, and the
        // worker of this transaction settles again.
        undelivered.sort_by_key(|(notification, _)| notification.person);
        for (notification, push) in undelivered {
            settle_consent(tx, push.job, push.effect, notification.person).await?;
            self.pass_on(tx, record, &notification, push).await?;
        }
        Ok(())
    }

    /// Adds a push over the next channel in the configured order, for a notification whose push ended without a
    /// confirmed delivery.
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
        let next = self.0.next_channel(&self.0.catalog().current(), event, &reach, Some(&effect.channel));
        if let Some(channel) = next {
            record.enqueue(&Job::now(Work::Push { notification: id, channel }), trace)?;
        }
        Ok(())
    }
}

/// Returns the business keys of the latest push jobs to a person over a channel.
pub(super) async fn pushes_to(
    conn: &mut Conn,
    person: PersonId,
    channel: &ChannelCode,
) -> Result<Vec<String>, StoreError> {
    let latest = notifications::latest_of(conn, person).await?.into_iter();
    Ok(latest.map(|notification| Work::Push { notification, channel: channel.clone() }.key()).collect())
}

/// Reserves the consents that messages need. A push that gets no consent becomes [`Prepared::Unreachable`].
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

/// Ends the reservation of a consent for a push that ended without a confirmed delivery. The consent is used up or
/// given back, or the person's balance of consents is set to zero.
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

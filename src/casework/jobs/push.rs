//! Bringing a notification to a phone: what is needed before the call, and what follows from its outcome.

use crate::casework::Casework;
use crate::domain::ids::{JobId, NotificationId, PersonId};
use crate::domain::job::{Job, Work};
use crate::domain::notification::{Consent, Event, PushMessage};
use crate::domain::private::Private;
use crate::domain::reach::Link;
use crate::store::reach::HeldConsent;
use crate::store::record::Record;
use crate::store::{StoreError, Tx, notifications, reach};

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
    /// The template, whose consent is held; `None` when it did not come to that.
    pub template: Option<String>,
    /// How it ended on this channel.
    pub end: PushEnd,
}

/// How a push ended on one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushEnd {
    /// It was delivered, or must be presumed so.
    Delivered,
    /// The person does not want it there.
    Refused,
    /// The address reaches nobody.
    Gone,
    /// It surely was not delivered, and will not be.
    Failed,
    /// Nobody knows, and asking again would be worse: another channel takes over.
    Unknown,
}

impl Casework {
    /// Prepares a push: finds the address, words the message, and holds the consent that it uses up.
    ///
    /// # Errors
    /// When the database is unavailable or holds something unreadable.
    pub async fn prepare_push(&self, job: JobId, id: NotificationId, link: &Link) -> Result<Prepared, StoreError> {
        let Link { channel, address } = link;
        let mut tx = self.store().begin().await?;
        let received = notifications::find(&mut tx, id).await?;
        let notification = received.ok_or_else(|| StoreError::Broken(format!("{id} is not there")))?.notification;
        let (person, event) = (notification.person, notification.event);
        let catalog = self.catalog().current();
        let keys = self.store().keys();
        let reach = reach::of(&mut tx, &[person]).await?.remove(&person).unwrap_or_default();
        let (Some(template), Some(to)) = (
            catalog.templates().for_(channel, event, reach.language),
            reach::address(&mut tx, keys, person, channel, *address).await?,
        ) else {
            return Ok(Prepared::Unreachable { person, event });
        };
        if template.consent != Consent::NotNeeded
            && !reach::hold_consent(&mut tx, job, person, channel, &template.id).await?
        {
            return Ok(Prepared::Unreachable { person, event });
        }
        tx.commit().await?;
        let message = template.word(&notification, catalog.templates().status(event), reach.language);
        let recipient = hex::encode(keys.hash("recipient", to.expose()));
        Ok(Prepared::Ready(PushTask { to, recipient, message, person, event }))
    }

    /// Writes what follows from pushes that ended: who was reached, which consents are used up, who comes next.
    pub(super) async fn apply_pushes(
        &self,
        tx: &mut Tx,
        record: &mut Record,
        effects: &[(JobId, &PushEffect)],
    ) -> Result<(), StoreError> {
        let delivered = effects.iter().filter(|(_, effect)| effect.end == PushEnd::Delivered);
        let (ids, channels): (Vec<_>, Vec<_>) =
            delivered.map(|(_, effect)| (effect.notification, effect.link.channel.clone())).unzip();
        if !ids.is_empty() {
            notifications::delivered(tx, &ids, &channels).await?;
        }
        for (job, effect) in effects {
            self.settle_consent(tx, *job, effect).await?;
            if effect.end != PushEnd::Delivered {
                self.pass_on(tx, record, effect).await?;
            }
        }
        Ok(())
    }

    async fn settle_consent(&self, tx: &mut Tx, job: JobId, effect: &PushEffect) -> Result<(), StoreError> {
        let what = match effect.end {
            PushEnd::Delivered | PushEnd::Unknown => HeldConsent::Used,
            PushEnd::Failed | PushEnd::Gone => HeldConsent::Returned,
            PushEnd::Refused => HeldConsent::Refuted,
        };
        let Some(template) = &effect.template else { return Ok(()) };
        reach::release_consent(tx, job, effect.person, &effect.link.channel, template, what).await
    }

    /// Hands a notification that did not arrive to the next channel of the chain.
    async fn pass_on(&self, tx: &mut Tx, record: &mut Record, effect: &PushEffect) -> Result<(), StoreError> {
        let Link { channel, address } = &effect.link;
        if effect.end == PushEnd::Gone {
            reach::forget(tx, effect.person, channel, *address).await?;
        }
        let reach = reach::of(tx, &[effect.person]).await?.remove(&effect.person).unwrap_or_default();
        let next = self.next_channel(&self.catalog().current(), effect.event, &reach, Some(channel));
        if let Some(channel) = next {
            record.promise(&Job::now(Work::Push { notification: effect.notification, channel }), None)?;
        }
        Ok(())
    }
}

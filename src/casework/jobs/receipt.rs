//! A receipt is a gateway's later report on a message that it had accepted. A receipt may settle a push of unknown
//! outcome, or report that an accepted message did not arrive.

use std::time::Duration;

use serde::Deserialize;

use super::push::{EndedPush, pushes_to};
use crate::casework::jobs::{Jobs, PushEffect, PushEnd, receipt_event};
use crate::domain::kernel::ids::{JobId, NotificationId};
use crate::domain::notice::reach::Link;
use crate::domain::work::doubt::Fate;
use crate::domain::work::job::Work;
use crate::domain::work::outcome::Outcome;
use crate::gateway::push::{PushReceipt, ReceiptOf};
use crate::store::push_receipts::{self, Receipt};
use crate::store::record::Record;
use crate::store::{Conn, StoreError, Tx, consents, jobs, notifications, recipients};

impl Jobs<'_> {
    /// True if this receipt reports that a message did not arrive, but came before the push of the message was settled.
    /// The worker then reads the callback with this receipt again later.
    pub async fn came_too_early(self, link: &Link, receipt: &PushReceipt) -> Result<bool, StoreError> {
        if receipt.fate == Fate::Arrived {
            return Ok(false);
        }
        let mut connection = self.0.store().connection().await?;
        match &receipt.of {
            ReceiptOf::Key { key, .. } => jobs::is_held(&mut connection, &Work::push_key(key, &link.channel)).await,
            // The push can be found only after the gateway's id of the message is stored.
            ReceiptOf::Message { .. } => Ok(self.push_of(&mut connection, link, receipt).await?.is_none()),
        }
    }

    /// Applies a receipt. A push of unknown outcome becomes due at once, and its next attempt reads the receipt. If a
    /// message that counts as delivered did not arrive, the notification is pushed over the next channel.
    pub(super) async fn apply_receipt(
        self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        link: &Link,
        receipt: &PushReceipt,
    ) -> Result<(), StoreError> {
        let channel = &link.channel;
        let template = match &receipt.of {
            ReceiptOf::Key { key, .. } => {
                jobs::hasten(tx, &Work::push_key(key, channel), Duration::ZERO).await?;
                None
            }
            ReceiptOf::Message { reference, template, at } => {
                let recipient = self.address_hash(&receipt.address);
                let fate = receipt.fate;
                let kept = Receipt { channel, reference, recipient: &recipient, template, fate, happened_at: *at };
                if !push_receipts::keep(tx, &kept).await? {
                    return Ok(());
                }
                jobs::hasten_awaiting(tx, &receipt_event(channel, &recipient, template)).await?;
                Some(template.clone())
            }
        };
        if receipt.fate == Fate::Arrived {
            return Ok(());
        }
        let Some(job) = self.push_of(tx, link, receipt).await? else { return Ok(()) };
        let Some(notification) = brought_by(tx, job).await? else { return Ok(()) };
        if !self.is_about(tx, link, receipt, job, notification).await? {
            tracing::warn!(%job, %channel, "a receipt that names another number or another message is ignored");
            return Ok(());
        }
        tracing::warn!(%job, detail = receipt.detail, "a message that its gateway had taken did not arrive");
        notifications::not_delivered(tx, notification, channel).await?;
        let end = if receipt.fate == Fate::Refused { PushEnd::Refused { template } } else { PushEnd::Failed };
        let effect = PushEffect { notification, channel: channel.clone(), end };
        self.apply_pushes(tx, record, &[EndedPush { job, effect: &effect, trace: None }]).await
    }

    /// True if a receipt names the message that a push delivered, and the address to which it went. A receipt that names a
    /// message by the gateway's id was found by both already.
    async fn is_about(
        &self,
        tx: &mut Tx<'_>,
        link: &Link,
        receipt: &PushReceipt,
        job: JobId,
        notification: NotificationId,
    ) -> Result<bool, StoreError> {
        let ReceiptOf::Key { reference, .. } = &receipt.of else { return Ok(true) };
        if let Some(taken) = jobs::reference(tx, job).await?
            && reference.as_ref() != Some(&taken)
        {
            return Ok(false);
        }
        let Some(found) = recipients::of(tx, link, &[notification]).await?.remove(&notification) else {
            return Ok(false);
        };
        let (_, recipient) = found?;
        let address = recipient.address(self.0.store().keys())?;
        Ok(address.is_some_and(|address| address.expose() == receipt.address.expose()))
    }

    /// Finds the push job that a receipt is about.
    async fn push_of(&self, conn: &mut Conn, link: &Link, receipt: &PushReceipt) -> Result<Option<JobId>, StoreError> {
        match &receipt.of {
            ReceiptOf::Key { key, .. } => jobs::by_key(conn, &Work::push_key(key, &link.channel)).await,
            ReceiptOf::Message { reference, .. } => {
                let person = consents::giver(conn, self.0.store().keys(), link.address, &receipt.address).await?;
                let Some(person) = person else { return Ok(None) };
                let pushes = pushes_to(conn, person, &link.channel).await?;
                push_receipts::push_of(conn, &pushes, reference).await
            }
        }
    }
}

/// Returns the notification of a push job, if the push counts as delivered.
async fn brought_by(conn: &mut Conn, job: JobId) -> Result<Option<NotificationId>, StoreError> {
    let work = jobs::done_with(conn, job, &Outcome::BROUGHT).await?;
    Ok(match work.map(Work::deserialize) {
        Some(Ok(Work::Push { notification, .. })) => Some(notification),
        _ => None,
    })
}

//! Receipts: what a gateway tells of a message after it took it. One proves what became of a push in doubt; another says
//! that a message which was taken did not arrive after all.

use std::time::Duration;

use serde::Deserialize;

use super::push::{EndedPush, PushEffect, PushEnd, pushes_to};
use crate::casework::Casework;
use crate::domain::kernel::ids::{JobId, NotificationId};
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::Link;
use crate::domain::work::doubt::Fate;
use crate::domain::work::job::Work;
use crate::gateway::push::{PushReceipt, ReceiptOf};
use crate::store::push_receipts::{self, Receipt};
use crate::store::record::Record;
use crate::store::{Conn, StoreError, Tx, consents, jobs, notifications};

/// The event that a push in doubt waits for: a receipt to this recipient for this template.
#[must_use]
pub fn receipt_event(channel: &ChannelCode, recipient: &str, template: &str) -> String {
    format!("receipt:{channel}:{recipient}:{template}")
}

impl Casework {
    /// Whether a receipt tells of a failure before the answer is written down that it takes back: the gateway took the message,
    /// and the push is not settled yet.
    pub async fn came_too_early(&self, link: &Link, receipt: &PushReceipt) -> Result<bool, StoreError> {
        if receipt.fate == Fate::Arrived {
            return Ok(false);
        }
        let mut connection = self.store().connection().await?;
        match &receipt.of {
            ReceiptOf::Key(key) => jobs::is_held(&mut connection, &push_key(key, &link.channel)).await,
            // Which push it was is known by the answer.
            ReceiptOf::Message { .. } => Ok(self.push_of(&mut connection, link, receipt).await?.is_none()),
        }
    }

    /// Writes what a receipt proves: a push in doubt looks at it at once, and a message that was believed to have arrived,
    /// and did not, goes on to the next channel.
    pub(super) async fn apply_receipt(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        link: &Link,
        receipt: &PushReceipt,
    ) -> Result<(), StoreError> {
        let channel = &link.channel;
        let template = match &receipt.of {
            ReceiptOf::Key(key) => {
                jobs::hasten(tx, &push_key(key, channel), Duration::ZERO).await?;
                None
            }
            ReceiptOf::Message { reference, template, at } => {
                let recipient = self.address_hash(&receipt.address);
                let (fate, happened_at) = (receipt.fate, *at);
                let kept = Receipt { channel, reference, recipient: &recipient, template, fate, happened_at };
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
        tracing::warn!(%job, detail = receipt.detail, "a message that its gateway had taken did not arrive");
        notifications::not_delivered(tx, notification, channel).await?;
        let end = if receipt.fate == Fate::Refused { PushEnd::Refused { template } } else { PushEnd::Failed };
        let effect = PushEffect { notification, channel: channel.clone(), end };
        self.apply_pushes(tx, record, &[EndedPush { job, effect: &effect, trace: None }]).await
    }

    /// The push whose message a receipt is about.
    async fn push_of(&self, conn: &mut Conn, link: &Link, receipt: &PushReceipt) -> Result<Option<JobId>, StoreError> {
        match &receipt.of {
            ReceiptOf::Key(key) => jobs::by_key(conn, &push_key(key, &link.channel)).await,
            ReceiptOf::Message { reference, .. } => {
                let person = consents::giver(conn, self.store().keys(), link.address, &receipt.address).await?;
                let Some(person) = person else { return Ok(None) };
                let pushes = pushes_to(conn, person, &link.channel).await?;
                push_receipts::push_of(conn, &pushes, reference).await
            }
        }
    }
}

/// The notification that a push is believed to have brought.
async fn brought_by(conn: &mut Conn, job: JobId) -> Result<Option<NotificationId>, StoreError> {
    const BROUGHT: [&str; 3] = ["delivered", "found", "confirmed"];
    let work = jobs::done_with(conn, job, &BROUGHT).await?;
    Ok(match work.map(Work::deserialize) {
        Some(Ok(Work::Push { notification, .. })) => Some(notification),
        _ => None,
    })
}

fn push_key(key: &str, channel: &ChannelCode) -> String {
    format!("push:{key}:{channel}")
}

//! Calls of carriers and platforms: kept as they came, before they are answered; understood later, by a job.

use crate::casework::Casework;
use crate::domain::clock::{Instant, fresh};
use crate::domain::ids::CallbackId;
use crate::domain::job::{Job, Work};
use crate::domain::reach::Link;
use crate::gateway::push::PushNews;
use crate::store::callbacks::{self, StoredCall};
use crate::store::record::Record;
use crate::store::{StoreError, Tx, consents, jobs};

/// What a channel told in one call.
#[derive(Debug, Clone)]
pub struct ChannelNews {
    /// Which channel, and by what it finds a person.
    pub link: Link,
    /// What it told, in its own order.
    pub news: Vec<PushNews>,
}

impl Casework {
    /// Keeps a call and promises to understand it. The same call again is kept once. `trace` is the call's `traceparent`.
    ///
    /// # Errors
    /// When the database is unavailable: then the caller must be told to call again.
    pub async fn keep_call(&self, call: &StoredCall, trace: Option<&str>) -> Result<(), StoreError> {
        let id = fresh(CallbackId::from_uuid);
        let mut tx = self.store().begin().await?;
        if !callbacks::keep(&mut tx, self.store().keys(), id, call, self.now()).await? {
            return Ok(());
        }
        let offers = jobs::promise(&mut tx, &[Job::now(Work::ReadCallback { callback: id })], trace).await?;
        tx.commit().await?;
        self.parts.bell.ring(offers, std::iter::empty());
        Ok(())
    }

    /// Writes what a channel told: consents given and withdrawn, and receipts.
    pub(super) async fn apply_news(
        &self,
        tx: &mut Tx,
        record: &mut Record,
        told: &ChannelNews,
        now: Instant,
    ) -> Result<(), StoreError> {
        let ChannelNews { link: Link { channel, address: kind }, news } = told;
        // A person's consents are held in the order in which their own report holds them: neither waits for the other in vain.
        let mut news: Vec<&PushNews> = news.iter().collect();
        news.sort_by_key(|news| match news {
            PushNews::Consent { template, .. } => Some(template.as_str()),
            PushNews::Receipt(_) => None,
        });
        for news in news {
            match news {
                PushNews::Consent { address, template, accepted, at } => {
                    let Some(worth) = self.catalog().current().templates().consent(channel, template) else { continue };
                    let giver = consents::giver(tx, self.store().keys(), *kind, address).await?;
                    let Some(giver) = giver else { continue };
                    let before = consents::hold_balance(tx, giver, channel, template, now).await?;
                    let after = before.after_act(*accepted, worth, *at);
                    consents::set_balance(tx, giver, channel, template, after).await?;
                }
                PushNews::Receipt(receipt) => self.apply_receipt(tx, record, &told.link, receipt).await?,
            }
        }
        Ok(())
    }

    /// Reads a kept call.
    ///
    /// # Errors
    /// When the database is unavailable, or the call does not open.
    pub async fn kept_call(&self, id: CallbackId) -> Result<Option<StoredCall>, StoreError> {
        callbacks::find(&mut *self.store().connection().await?, self.store().keys(), id).await
    }
}

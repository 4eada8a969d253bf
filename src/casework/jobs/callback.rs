//! Calls of carriers and platforms: kept as they came, before they are answered; understood later, by a job.

use crate::casework::Casework;
use crate::domain::kernel::clock::{Instant, fresh};
use crate::domain::kernel::ids::CallbackId;
use crate::domain::notice::reach::Link;
use crate::domain::work::job::{Job, Work};
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
        let offers = jobs::enqueue(&mut tx, &[Job::now(Work::ReadCallback { callback: id })], trace).await?;
        tx.commit().await?;
        self.parts.bell.ring(offers, std::iter::empty());
        Ok(())
    }

    /// Writes the receipts that channels told of, in however many calls.
    pub(super) async fn apply_receipts(
        &self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        told: &[&ChannelNews],
    ) -> Result<(), StoreError> {
        for ChannelNews { link, news } in told {
            for item in news {
                if let PushNews::Receipt(receipt) = item {
                    self.apply_receipt(tx, record, link, receipt).await?;
                }
            }
        }
        Ok(())
    }

    /// Writes the consents given and withdrawn that channels told of, in however many calls. They are held in one order,
    /// which is that of people's own reports: neither waits for the other in vain.
    pub(super) async fn apply_consents(
        &self,
        tx: &mut Tx<'_>,
        told: &[&ChannelNews],
        now: Instant,
    ) -> Result<(), StoreError> {
        let catalog = self.catalog().current();
        let mut acts = Vec::new();
        for ChannelNews { link: Link { channel, address: kind }, news } in told {
            for news in news {
                let PushNews::Consent { address, template, accepted, at } = news else { continue };
                let Some(worth) = catalog.templates().consent(channel, template) else { continue };
                let giver = consents::giver(tx, self.store().keys(), *kind, address).await?;
                acts.extend(giver.map(|giver| ((giver, channel, template), (*accepted, worth, *at))));
            }
        }
        acts.sort_by_key(|(whose, _)| *whose);
        for ((giver, channel, template), (accepted, worth, at)) in acts {
            let before = consents::hold_balance(tx, giver, channel, template, now).await?;
            consents::set_balance(tx, giver, channel, template, before.after_act(accepted, worth, at)).await?;
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

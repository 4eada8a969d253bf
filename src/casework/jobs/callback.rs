//! HTTP callbacks of carriers and push platforms. The API stores a callback without reading it, and responds. A job
//! reads the callback later.

use crate::casework::jobs::{ChannelNews, Jobs, missing};
use crate::domain::kernel::clock::{Instant, fresh};
use crate::domain::kernel::ids::CallbackId;
use crate::domain::notice::reach::Link;
use crate::domain::work::job::{Job, Work};
use crate::gateway::push::PushNews;
use crate::store::callbacks::{self, StoredCall};
use crate::store::record::Record;
use crate::store::{StoreError, Tx, consents, jobs};

impl Jobs<'_> {
    /// Stores a callback with the job that reads it. A repeated callback is stored once. If this fails, the API must
    /// respond with an error, so that the sender repeats the callback. `trace` is the callback's `traceparent`.
    pub async fn keep_call(self, call: &StoredCall, trace: Option<&str>) -> Result<(), StoreError> {
        let id = fresh(CallbackId::from_uuid);
        let mut tx = self.0.store().begin().await?;
        if !callbacks::keep(&mut tx, self.0.store().keys(), id, call, self.0.now()).await? {
            return Ok(());
        }
        let offers = jobs::enqueue(&mut tx, &[Job::now(Work::ReadCallback { callback: id })], trace).await?;
        tx.commit().await?;
        self.0.parts.bell.ring(offers, std::iter::empty());
        Ok(())
    }

    /// Applies the delivery receipts (reports on sent messages) that callbacks of push channels contain.
    pub(super) async fn apply_receipts(
        self,
        tx: &mut Tx<'_>,
        record: &mut Record,
        reported: &[&ChannelNews],
    ) -> Result<(), StoreError> {
        for ChannelNews { link, news } in reported {
            for item in news {
                if let PushNews::Receipt(receipt) = item {
                    self.apply_receipt(tx, record, link, receipt).await?;
                }
            }
        }
        Ok(())
    }

    /// Applies the consents to messages that people gave or withdrew, as callbacks of push channels report them. The
    /// rows with people's balances of consents are locked in the same order as when a client reports consents, so that
    /// the two transactions cannot deadlock.
    pub(super) async fn apply_consents(
        self,
        tx: &mut Tx<'_>,
        reported: &[&ChannelNews],
        now: Instant,
    ) -> Result<(), StoreError> {
        let catalog = self.0.catalog().current();
        let mut acts = Vec::new();
        for ChannelNews { link: Link { channel, address: kind }, news } in reported {
            for news in news {
                let PushNews::Consent { address, template, accepted, at } = news else { continue };
                let Some(worth) = catalog.templates().consent(channel, template) else { continue };
                let giver = consents::giver(tx, self.0.store().keys(), *kind, address).await?;
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

    pub async fn kept_call(self, id: CallbackId) -> Result<StoredCall, StoreError> {
        let found = callbacks::find(&mut *self.0.store().connection().await?, self.0.store().keys(), id).await?;
        found.ok_or_else(|| missing(id))
    }
}

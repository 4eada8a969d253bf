//! Settles attempts: writes their results and all consequences in one transaction. If another worker took a job over,
//! the settlement of the first worker changes nothing.

use std::collections::BTreeSet;

use super::push::EndedPush;
use crate::casework::jobs::{Effect, Jobs, Settlement};
use crate::store::jobs::{self, AttemptKey, Ending};
use crate::store::record::{Record, SaveError};
use crate::store::{StoreError, callbacks, parcels};

impl Jobs<'_> {
    /// Settles a batch of attempts. Returns the attempts whose claims were still valid. If this fails, nothing is
    /// settled.
    pub async fn settle(self, settlements: &[Settlement]) -> Result<BTreeSet<AttemptKey>, StoreError> {
        let now = self.0.now();
        let mut tx = self.0.store().begin().await?;
        // Parcels are locked before jobs, because another transaction that has locked a parcel can wait for a job that
        // is settled here.
        parcels::lock(&mut tx, &settlements.iter().flat_map(|settlement| settlement.effect.parcels()).collect())
            .await?;
        let endings: Vec<&Ending> = settlements.iter().map(|settlement| &settlement.ending).collect();
        let held: BTreeSet<AttemptKey> = jobs::settle(&mut tx, &endings).await?.into_iter().collect();
        let settled = || settlements.iter().filter(|settlement| held.contains(&settlement.ending.attempt()));
        let mut record = Record::default();
        let mut pushes = Vec::new();
        let mut parcels = Vec::new();
        let mut news = Vec::new();
        for Settlement { ending, effect } in settled() {
            let trace = ending.trace();
            match effect {
                Effect::None => {}
                Effect::Push(effect) => pushes.push(EndedPush { job: ending.id(), effect, trace }),
                Effect::Parcel(effect) => parcels.push((effect, trace)),
                Effect::Callback { callback, outcome, parcels: told_of, told } => {
                    callbacks::understood(&mut tx, *callback, outcome).await?;
                    news.extend(told);
                    parcels.extend(told_of.iter().map(|effect| (effect, trace)));
                }
            }
        }
        // Consents are applied first, because a notification that is now pushed over the next channel may need one.
        // Parcels are applied last, because their notifications must not use a channel on which a push just failed.
        self.apply_consents(&mut tx, &news, now).await?;
        self.apply_pushes(&mut tx, &mut record, &pushes).await?;
        // Delivery receipts are applied after the pushes, because a receipt can report that a message did not arrive
        // although a push of the same batch counts as delivered.
        self.apply_receipts(&mut tx, &mut record, &news).await?;
        for (effect, trace) in parcels {
            self.apply_parcel(&mut tx, &mut record, effect, trace, now).await?;
        }
        if record.is_empty() {
            tx.commit().await?;
        } else {
            self.0.save_and_commit(tx, &record, now).await.map_err(SaveError::into_store)?;
        }
        Ok(held)
    }
}

//! Settling attempts, with everything that follows from them, in one transaction: a worker whose lease was taken over
//! changes nothing at all.

use std::collections::BTreeSet;

use super::push::EndedPush;
use super::{ChannelNews, ParcelEffect, PushEffect};
use crate::casework::Casework;
use crate::domain::kernel::ids::{CallbackId, ParcelId};
use crate::store::jobs::{self, AttemptKey, Ending};
use crate::store::record::{Record, SaveError};
use crate::store::{StoreError, callbacks, parcels};

/// How an attempt ended, and what follows from that.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// For the job itself.
    pub ending: Ending,
    /// For what the job is about.
    pub effect: Effect,
}

/// What follows from an attempt.
#[derive(Debug, Clone)]
pub enum Effect {
    None,
    /// A push ended on one channel.
    Push(PushEffect),
    /// Something became known about a parcel.
    Parcel(ParcelEffect),
    /// A call was understood; scans in it concern parcels.
    Callback {
        callback: CallbackId,
        /// What it was understood to say.
        outcome: String,
        /// What it says about parcels.
        parcels: Vec<ParcelEffect>,
        /// What it says of a channel.
        told: Option<ChannelNews>,
    },
}

impl Effect {
    /// The parcels that it is about.
    fn parcels(&self) -> Vec<ParcelId> {
        match self {
            Self::None | Self::Push(_) => Vec::new(),
            Self::Parcel(effect) => vec![effect.parcel],
            Self::Callback { parcels, .. } => parcels.iter().map(|effect| effect.parcel).collect(),
        }
    }
}

impl Settlement {
    /// What is settled instead, where the record refuses what follows from the attempt.
    #[must_use]
    pub fn without_effect(self, why: &StoreError) -> Self {
        Self { ending: self.ending.unsettled(format!("what follows cannot be written: {why}")), effect: Effect::None }
    }
}

impl Casework {
    /// Settles a batch of attempts, and returns those whose claim still held.
    ///
    /// # Errors
    /// When the database is unavailable: then nothing is settled, and the same may be tried again.
    pub async fn settle(&self, settlements: &[Settlement]) -> Result<BTreeSet<AttemptKey>, StoreError> {
        let now = self.now();
        let mut tx = self.store().begin().await?;
        // Before the jobs: whoever holds a parcel may promise a job that is being settled here, and waits for its end.
        parcels::lock(&mut tx, &settlements.iter().flat_map(|settlement| settlement.effect.parcels()).collect())
            .await?;
        let endings: Vec<&Ending> = settlements.iter().map(|settlement| &settlement.ending).collect();
        let held: BTreeSet<AttemptKey> = jobs::settle(&mut tx, &endings).await?.into_iter().collect();
        let settled = || settlements.iter().filter(|settlement| held.contains(&settlement.ending.attempt()));
        let mut record = Record::default();
        let (mut pushes, mut parcels, mut news) = (Vec::new(), Vec::new(), Vec::new());
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
        // Consents first, because a push that goes on asks for them; parcels last, because who is told of them is not to be
        // reached where a push just ended in vain.
        self.apply_consents(&mut tx, &news, now).await?;
        self.apply_pushes(&mut tx, &mut record, &pushes).await?;
        // After the pushes: the end of one and the receipt that takes it back may be settled together.
        self.apply_receipts(&mut tx, &mut record, &news).await?;
        for (effect, trace) in parcels {
            self.apply_parcel(&mut tx, &mut record, effect, trace, now).await?;
        }
        if record.is_empty() {
            tx.commit().await?;
            return Ok(held);
        }
        let offers = self.save(&mut tx, &record, now).await.map_err(SaveError::into_store)?;
        self.commit(tx, &record, offers).await?;
        Ok(held)
    }
}

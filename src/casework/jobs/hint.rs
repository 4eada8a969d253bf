//! Hints: callbacks that nothing proves. A hint changes no parcel and no message. It makes the worker ask the carrier
//! soon, in the carrier's lane and within its rate, at most once a minute for each parcel.

use std::time::Duration;

use crate::casework::jobs::Jobs;
use crate::domain::delivery::parcel::{CarrierCode, HintedParcel, ParcelState};
use crate::domain::kernel::ids::ParcelId;
use crate::domain::notice::notification::ChannelCode;
use crate::domain::work::job::Work;
use crate::store::parcels::{self, PlannedLook};
use crate::store::{StoreError, Tx, jobs};

/// For how long after its order a parcel that is no longer tracked is looked at because of a hint.
const HINTED_WITHIN: Duration = Duration::from_secs(60 * 86_400);

impl Jobs<'_> {
    /// Plans a look at the parcels that an unsigned callback names. Returns how many parcels it names.
    pub async fn look_soon(self, carrier: &CarrierCode, hinted: &[HintedParcel]) -> Result<usize, StoreError> {
        let known = parcels::known_among(&mut *self.0.store().connection().await?, carrier, hinted).await?;
        if known.is_empty() {
            return Ok(0);
        }
        let mut tx = self.0.store().begin().await?;
        parcels::lock(&mut tx, &known).await?;
        let known: Vec<ParcelId> = known.into_iter().collect();
        self.plan_looks(&mut tx, carrier, &known).await?;
        tx.commit().await?;
        Ok(known.len())
    }

    /// Plans a look at each of these parcels, which the caller has locked. If one is planned already, it stays.
    pub(super) async fn plan_looks(
        &self,
        tx: &mut Tx<'_>,
        carrier: &CarrierCode,
        parcels: &[ParcelId],
    ) -> Result<(), StoreError> {
        let apart = self.0.parts.hinted_look_every;
        for PlannedLook { parcel, state, wait, age } in parcels::plan_looks(tx, parcels, apart).await? {
            if state == ParcelState::Pending {
                // The order is still under way, and only its own job may end that. If its outcome is unknown, the job
                // asks the carrier.
                let order = Work::OrderParcel { parcel, carrier: carrier.clone() };
                jobs::hasten_unclear(tx, &order.key(), wait).await?;
                continue;
            }
            let track = Work::TrackParcel { parcel, carrier: carrier.clone() }.key();
            if age < HINTED_WITHIN {
                jobs::revive(tx, &track, wait).await?;
            }
            jobs::hasten(tx, &track, wait).await?;
        }
        Ok(())
    }

    /// True if Songda sent a message with one of these keys over this channel.
    pub async fn sent_one_of(self, channel: &ChannelCode, keys: &[String]) -> Result<bool, StoreError> {
        let keys: Vec<String> = keys.iter().map(|key| Work::push_key(key, channel)).collect();
        Ok(!jobs::enqueued(&mut *self.0.store().connection().await?, &keys).await?.is_empty())
    }
}

//! Reads an HTTP callback of a carrier or a push channel. The API only stored the callback, and did not parse it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::casework::jobs::{ChannelNews, Effect, ParcelChange, ParcelEffect, ParcelNews};
use crate::domain::delivery::parcel::{CarrierCode, Scan};
use crate::domain::kernel::ids::{CallbackId, ParcelId};
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::Link;
use crate::domain::work::outcome::Outcome;
use crate::gateway::courier::Carrier;
use crate::gateway::push::{PushChannel, PushNews};
use crate::gateway::shared::callback::RawCallback;
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::store::parcels::ScanSource;
use crate::worker::attempts::{Attempt, Conclusion, Contact};
use crate::worker::workshop::Workshop;

/// The maximum number of scans in one callback; a callback with more is refused. SF reports at most ten scans in one
/// callback, EMS fewer.
const MOST_SCANS: usize = 500;
/// A receipt in a callback can report that a message did not arrive, although the push of the message is not settled
/// yet. The callback is then read again later. Once the callback is older than this, it is applied anyway, because a
/// push that is still not settled will never be settled.
const RECORDED_WITHIN: Duration = Duration::from_secs(60);
/// The wait before such a callback is read again.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// The content of a callback.
struct Understood {
    /// A summary for operators.
    outcome: String,
    parcels: Vec<ParcelEffect>,
    told: Option<ChannelNews>,
}

enum Unread {
    /// The callback cannot be read and becomes a dead letter. The text is the reason.
    Unreadable(String),
    /// A receipt in the callback reports that a message did not arrive, but the push of the message is not settled yet.
    TooEarly,
    Store(StoreError),
}

impl From<StoreError> for Unread {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

pub async fn run(attempt: &Attempt<'_>, id: CallbackId) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, .. } = attempt;
    let call = workshop.casework.jobs().kept_call(id).await?;
    let raw = RawCallback { content_type: call.content_type, query: call.query, body: call.body };
    let channel = ChannelCode::new(call.origin.as_str());
    let understood = if let Some(carrier) = workshop.carriers.get(&CarrierCode::new(call.origin.as_str())) {
        of_carrier(workshop, carrier.as_ref(), &raw).await
    } else if let Some(known) = workshop.channels.get(&channel) {
        of_channel(workshop, job, known.as_ref(), &raw).await
    } else {
        Err(Unread::Unreadable("no carrier or channel of that name is set up".to_owned()))
    };
    match understood {
        Ok(Understood { outcome, parcels, told }) => {
            let ending = Ending::done(job, Outcome::Understood, outcome.clone(), None);
            Ok(Conclusion::with(ending, Effect::Callback { callback: id, outcome, parcels, told }, Contact::None))
        }
        Err(Unread::Unreadable(why)) => {
            Ok(Conclusion::plain(Ending::dead(job, Outcome::Unreadable, why), Contact::None))
        }
        Err(Unread::TooEarly) => {
            let why = "the answer that it is about is not recorded yet".to_owned();
            Ok(Conclusion::plain(Ending::snooze(job, READ_AGAIN_AFTER, why), Contact::None))
        }
        Err(Unread::Store(error)) => Err(error),
    }
}

async fn of_channel(
    workshop: &Workshop,
    job: &Claimed,
    channel: &dyn PushChannel,
    raw: &RawCallback,
) -> Result<Understood, Unread> {
    let news = channel.read(raw).map_err(|fault| Unread::Unreadable(fault.to_string()))?;
    let now = workshop.casework.now();
    let (news, unsound): (Vec<PushNews>, Vec<PushNews>) = news.into_iter().partition(|news| news.is_sound(now));
    let link = Link { channel: channel.code().clone(), address: channel.address_kind() };
    let told = ChannelNews { link, news };
    if job.age() < RECORDED_WITHIN && came_too_early(workshop, &told).await? {
        return Err(Unread::TooEarly);
    }
    let outcome = format!("{} news of a channel, {} invalid", told.news.len(), unsound.len());
    Ok(Understood { outcome, parcels: Vec::new(), told: Some(told) })
}

/// True if one of the receipts reports that a message did not arrive, but the push of the message is not settled yet.
async fn came_too_early(workshop: &Workshop, told: &ChannelNews) -> Result<bool, StoreError> {
    for news in &told.news {
        if let PushNews::Receipt(receipt) = news
            && workshop.casework.jobs().came_too_early(&told.link, receipt).await?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads a carrier's callback, and groups its scans by parcel. Invalid scans, and scans of unknown parcels, are counted
/// but not stored.
async fn of_carrier(workshop: &Workshop, carrier: &dyn Carrier, raw: &RawCallback) -> Result<Understood, Unread> {
    if !carrier.signs_callbacks() {
        return Err(Unread::Unreadable("callbacks of this carrier prove nothing, and are not read".to_owned()));
    }
    let scans = carrier.read(raw).map_err(|fault| Unread::Unreadable(fault.to_string()))?;
    if scans.len() > MOST_SCANS {
        return Err(Unread::Unreadable("more scans than any honest callback reports".to_owned()));
    }
    let reported = scans.len();
    let now = workshop.casework.now();
    let mut unknown = 0;
    let mut sorted: BTreeMap<ParcelId, Vec<Scan>> = BTreeMap::new();
    let (sound, unsound): (Vec<Scan>, Vec<Scan>) = scans.into_iter().partition(|scan| scan.is_sound(now));
    for scan in sound {
        match workshop.casework.jobs().parcel_known_as(carrier.code(), scan.order_no.as_ref(), &scan.waybill).await? {
            Some(parcel) => sorted.entry(parcel).or_default().push(scan),
            None => unknown += 1,
        }
    }
    let effect = |(parcel, scans)| ParcelEffect {
        parcel,
        change: ParcelChange::Scanned(ParcelNews { waybill: None, scans, source: ScanSource::Callback }),
    };
    let outcome = format!("{reported} scans, {unknown} of unknown parcels, {} invalid", unsound.len());
    Ok(Understood { outcome, parcels: sorted.into_iter().map(effect).collect(), told: None })
}

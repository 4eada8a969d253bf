//! Understands a call that a carrier or a platform made, which was kept as it came.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::casework::jobs::{ChannelNews, Effect, ParcelChange, ParcelEffect, ParcelNews};
use crate::domain::delivery::parcel::{CarrierCode, Scan};
use crate::domain::kernel::ids::{CallbackId, ParcelId};
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::Link;
use crate::domain::work::outcome::Outcome;
use crate::gateway::courier::Carrier;
use crate::gateway::push::PushNews;
use crate::gateway::shared::callback::RawCallback;
use crate::store::StoreError;
use crate::store::jobs::{Claimed, Ending};
use crate::store::parcels::ScanSource;
use crate::worker::Workshop;
use crate::worker::pool::attempt::Attempt;
use crate::worker::pool::verdict::{Conclusion, Contact};

/// SF tells ten at the most in one call, EMS fewer.
const MOST_SCANS: usize = 500;
/// An answer of a gateway is written down within this time, or never.
const WRITTEN_WITHIN: Duration = Duration::from_secs(60);
/// How soon a call is read again that came before the answer which it is about.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Reads the call and concludes what it says. One that cannot be read is a dead letter: kept, and shown to people.
pub async fn run(attempt: &Attempt<'_>, id: CallbackId) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, .. } = attempt;
    let call = workshop.casework.jobs().kept_call(id).await?;
    let call = call.ok_or_else(|| StoreError::Broken(format!("{id} is not there")))?;
    let raw = RawCallback { content_type: call.content_type, query: call.query, body: call.body };
    let channel = ChannelCode::new(call.origin.as_str());
    let (parcels, told, outcome) = if let Some(carrier) = workshop.carriers.get(&CarrierCode::new(call.origin.as_str()))
    {
        let scans = match carrier.read(&raw) {
            Ok(scans) if scans.len() > MOST_SCANS => {
                return Ok(unreadable(job, "more scans than any honest call tells"));
            }
            Ok(scans) => scans,
            Err(fault) => return Ok(unreadable(job, &fault.to_string())),
        };
        let (parcels, outcome) = sort(workshop, carrier.as_ref(), scans).await?;
        (parcels, None, outcome)
    } else if let Some(known) = workshop.channels.get(&channel) {
        match known.read(&raw) {
            Ok(news) => {
                let now = workshop.casework.now();
                let (news, unsound): (Vec<PushNews>, Vec<PushNews>) =
                    news.into_iter().partition(|news| news.is_sound(now));
                let told = ChannelNews { link: Link { channel, address: known.address_kind() }, news };
                if job.age() < WRITTEN_WITHIN && came_too_early(workshop, &told).await? {
                    let why = "the answer that it is about is not written down yet".to_owned();
                    return Ok(Conclusion::plain(Ending::snooze(job, READ_AGAIN_AFTER, why), Contact::None));
                }
                let outcome = format!("{} news of a channel, {} that can be none", told.news.len(), unsound.len());
                (Vec::new(), Some(told), outcome)
            }
            Err(fault) => return Ok(unreadable(job, &fault.to_string())),
        }
    } else {
        return Ok(unreadable(job, "nobody of that name is set up"));
    };
    let ending = Ending::done(job, Outcome::Understood, outcome.clone(), None);
    Ok(Conclusion::with(ending, Effect::Callback { callback: id, outcome, parcels, told }, Contact::None))
}

/// Whether a receipt came before the answer that it is about was written down.
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

/// Sorts scans by the parcels that they concern. Those of parcels that we do not know, and what can be no scan, are only
/// counted.
async fn sort(
    workshop: &Workshop,
    carrier: &dyn Carrier,
    scans: Vec<Scan>,
) -> Result<(Vec<ParcelEffect>, String), StoreError> {
    let (told, now) = (scans.len(), workshop.casework.now());
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
    let outcome = format!("{told} scans, {unknown} of parcels that are not ours, {} that can be none", unsound.len());
    Ok((sorted.into_iter().map(effect).collect(), outcome))
}

fn unreadable(job: &Claimed, why: &str) -> Conclusion {
    Conclusion::plain(Ending::dead(job, Outcome::Unreadable, why.to_owned()), Contact::None)
}

//! The timeline of a case: acts, notifications and parcel scans, the oldest first.

use serde_json::Value;

use crate::casework::cases::Cases;
use crate::domain::application::upload::FileFault;
use crate::domain::case::act::Act;
use crate::domain::delivery::parcel::{CarrierCode, ParcelState, ScanMeaning};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, PersonId};
use crate::domain::notice::notification::{ChannelCode, Event};
use crate::store::cases::{self, HistoryEntry, Owner};
use crate::store::parcels::{self, StoredScan};
use crate::store::{StoreError, notifications};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    pub at: Instant,
    pub what: Happened,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    Act {
        act: Act,
        /// The kind of actor: `person`, `officer`, `client` or `system`. Names of officers are not shown to residents.
        actor: String,
        /// The reasons, in the actor's words; most acts have none.
        reasons: Vec<String>,
    },
    /// A newer release stored an act that this release does not know.
    UnknownAct { actor: String },
    /// The carrier refused a parcel's address, or cancelled the parcel. Often no scan shows that.
    ParcelEnded { end: ParcelEnd, carrier: String },
    Notified {
        event: Event,
        /// The channel that delivered the notification to the phone; `None` if no channel did.
        delivered_by: Option<ChannelCode>,
    },
    /// A scan of one of the case's parcels.
    Scanned { carrier: CarrierCode, meaning: ScanMeaning, place: String },
}

/// How a parcel ended, if the carrier refused its address or the order was cancelled. Often no scan shows such an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParcelEnd {
    AddressRefused,
    Cancelled,
}

impl Cases<'_> {
    /// Returns the timeline of an applicant's case; `None` if the applicant has no such case.
    pub async fn timeline(self, person: PersonId, case: CaseId) -> Result<Option<Vec<TimelineEntry>>, StoreError> {
        let keys = self.0.store().keys();
        let mut connection = self.0.store().connection().await?;
        if cases::find(&mut connection, keys, case, Owner::Applicant(person)).await?.is_none() {
            return Ok(None);
        }
        let history = cases::history(&mut connection, keys, case).await?;
        let mut entries: Vec<TimelineEntry> = history.into_iter().filter_map(of_history).collect();
        let told = notifications::of_case(&mut connection, case).await?;
        entries.extend(told.into_iter().map(|told| TimelineEntry {
            at: told.notification.created_at,
            what: Happened::Notified { event: told.notification.event, delivered_by: told.delivered_by },
        }));
        for stored in parcels::of_case(&mut connection, keys, case).await? {
            let scans = parcels::scans(&mut connection, keys, stored.parcel.id).await?;
            entries.extend(scans.into_iter().map(|StoredScan { scan, .. }| TimelineEntry {
                at: scan.occurred_at,
                what: Happened::Scanned {
                    carrier: stored.parcel.carrier.clone(),
                    meaning: scan.meaning,
                    place: scan.place,
                },
            }));
        }
        entries.sort_by_key(|entry| entry.at);
        Ok(Some(entries))
    }
}

/// Returns the timeline entry for an act; `None` for an act that the timeline does not show.
fn of_history(HistoryEntry { at, by, act, cause, .. }: HistoryEntry) -> Option<TimelineEntry> {
    let (class, name) = by.split_once(':').unwrap_or((&by, ""));
    let actor = class.to_owned();
    let what = match Act::from_stored(&act) {
        None => Happened::UnknownAct { actor },
        // The timeline leaves this act out, because reading a file does not advance the case.
        Some(Act::UploadRead) => return None,
        Some(Act::ParcelMoved) => Happened::ParcelEnded { end: parcel_end(&cause)?, carrier: name.to_owned() },
        Some(act) => Happened::Act { act, actor, reasons: reasons(act, &cause) },
    };
    Some(TimelineEntry { at, what })
}

fn parcel_end(cause: &Value) -> Option<ParcelEnd> {
    match ParcelState::from_stored(cause["state"].as_str()?)? {
        ParcelState::AddressRefused => Some(ParcelEnd::AddressRefused),
        ParcelState::Cancelled => Some(ParcelEnd::Cancelled),
        _ => None,
    }
}

/// Tells the applicant why a file was refused and what to do.
fn advice(cause: &Value) -> Vec<String> {
    let fault = cause["reason"].as_str().and_then(FileFault::from_stored);
    let advice = fault.map(FileFault::advice);
    advice.map(|advice| format!("{} · {}", advice.zh, advice.en)).into_iter().collect()
}

/// Returns the reasons that an officer wrote for the applicant, or that the applicant wrote. Other reasons, such as
/// that of a disclosure, are left out.
fn reasons(act: Act, cause: &Value) -> Vec<String> {
    let words = match act {
        Act::Decided | Act::TakenOver => &cause["reasons"],
        Act::SupplementNoticed => &cause["points"],
        Act::Withdrawn => &cause["reason"],
        Act::FileRefused => return advice(cause),
        Act::Submitted
        | Act::Accepted
        | Act::SupplementAnswered
        | Act::DeliveryCorrected
        | Act::Disclosed
        | Act::UploadRead
        | Act::ParcelMoved
        | Act::ParcelCancellationAsked => &Value::Null,
    };
    let all = words.as_array().map_or(std::slice::from_ref(words), Vec::as_slice);
    all.iter().filter_map(Value::as_str).filter(|text| !text.trim().is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_timeline_shows_the_words_that_explain_an_act_and_no_others() {
        assert_eq!(reasons(Act::Decided, &json!({"outcome": "deny", "reasons": "材料不实"})), ["材料不实"]);
        assert_eq!(reasons(Act::SupplementNoticed, &json!({"points": ["照片", "证明"]})), ["照片", "证明"]);
        assert_eq!(reasons(Act::Withdrawn, &json!({"reason": "不办了"})), ["不办了"]);
        let advice = FileFault::Malware.advice();
        let words = format!("{} · {}", advice.zh, advice.en);
        assert_eq!(reasons(Act::FileRefused, &json!({"reason": "malware"})), [words]);
        assert!(reasons(Act::FileRefused, &json!({"reason": "of a newer release"})).is_empty());
        assert!(reasons(Act::TakenOver, &json!({"outcome": "grant", "reasons": ""})).is_empty());
        assert!(reasons(Act::Withdrawn, &json!({})).is_empty(), "none was kept in older histories");
        assert!(reasons(Act::Disclosed, &json!({"reason": "核对身份证件"})).is_empty(), "the applicant asks for it");
    }

    #[test]
    fn an_act_of_a_newer_release_is_shown_and_one_that_moves_nothing_is_not() {
        let entry = |act: &str, by: &str, cause: Value| {
            let by = by.to_owned();
            let for_ = "agency:police".to_owned();
            of_history(HistoryEntry { at: Instant::default(), by, for_, act: act.to_owned(), cause })
        };
        let what = |entry: Option<TimelineEntry>| entry.map(|entry| entry.what);
        let unknown = what(entry("hearing_opened", "officer:ofc_1", json!({"reason": "x"})));
        assert_eq!(unknown, Some(Happened::UnknownAct { actor: "officer".to_owned() }));
        assert_eq!(what(entry("upload_read", "officer:ofc_1", json!({}))), None);
        assert_eq!(what(entry("parcel_moved", "carrier:ems", json!({"state": "picked_up"}))), None, "its scan says so");
        let cancelled = what(entry("parcel_moved", "carrier:ems", json!({"state": "cancelled"})));
        let carrier = "ems".to_owned();
        assert_eq!(cancelled, Some(Happened::ParcelEnded { end: ParcelEnd::Cancelled, carrier }));
    }
}

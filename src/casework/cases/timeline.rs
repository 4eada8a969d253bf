//! One timeline of a case: what officers did, what the applicant was told, and the parcel's way, in the order of time.

use serde_json::Value;

use crate::casework::Casework;
use crate::domain::delivery::parcel::{CarrierCode, ScanMeaning};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, ParcelId, PersonId};
use crate::domain::notice::notification::{ChannelCode, Event};
use crate::store::cases::{self, Owner};
use crate::store::parcels::{self, StoredParcel, StoredScan};
use crate::store::{Conn, KeyRing, StoreError, notifications};

/// One step of a case's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub at: Instant,
    pub kind: StepKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// Somebody acted on the case.
    Act {
        /// What: `submitted`, `accepted`, `decided`, …
        act: String,
        /// Who, as a class: `person`, `officer`, `client`, `system`; or a carrier's code. Names are nobody's business here.
        actor: String,
        /// Why, in the words of whoever acted; mostly none.
        reasons: Vec<String>,
    },
    /// The applicant was told.
    Told {
        event: Event,
        /// Which channel brought it to the phone, if one did.
        delivered_by: Option<ChannelCode>,
    },
    /// The carrier told of the parcel.
    Scanned {
        parcel: ParcelId,
        carrier: CarrierCode,
        /// What it means.
        meaning: ScanMeaning,
        place: String,
    },
}

impl Casework {
    /// The timeline of an applicant's case; `None` if they have none of that id.
    pub async fn timeline(&self, person: PersonId, case: CaseId) -> Result<Option<Vec<Step>>, StoreError> {
        let (keys, mut connection) = (self.store().keys(), self.store().connection().await?);
        if cases::find(&mut connection, keys, case, Owner::Applicant(person)).await?.is_none() {
            return Ok(None);
        }
        let mut steps = acts(&mut connection, keys, case).await?;
        let told = notifications::of_case(&mut connection, case).await?;
        steps.extend(told.into_iter().map(|told| Step {
            at: told.notification.created_at,
            kind: StepKind::Told { event: told.notification.event, delivered_by: told.delivered_by },
        }));
        for stored in parcels::of_case(&mut connection, keys, case).await? {
            steps.extend(self.scans(&mut connection, &stored).await?);
        }
        steps.sort_by_key(|step| step.at);
        Ok(Some(steps))
    }

    async fn scans(&self, connection: &mut Conn, stored: &StoredParcel) -> Result<Vec<Step>, StoreError> {
        let way = parcels::scans(connection, self.store().keys(), stored.parcel.id).await?;
        let step = |StoredScan { scan, .. }| Step {
            at: scan.occurred_at,
            kind: StepKind::Scanned {
                parcel: stored.parcel.id,
                carrier: stored.parcel.carrier.clone(),
                meaning: scan.meaning,
                place: scan.place,
            },
        };
        Ok(way.into_iter().map(step).collect())
    }

    /// The parcels of an applicant's case, each with its way; `None` if they have none of that id.
    pub async fn parcels_of_case(
        &self,
        person: PersonId,
        case: CaseId,
    ) -> Result<Option<Vec<ParcelWithWay>>, StoreError> {
        let (keys, mut connection) = (self.store().keys(), self.store().connection().await?);
        if cases::find(&mut connection, keys, case, Owner::Applicant(person)).await?.is_none() {
            return Ok(None);
        }
        let mut found = Vec::new();
        for stored in parcels::of_case(&mut connection, keys, case).await? {
            found.push(ParcelWithWay { scans: self.scans(&mut connection, &stored).await?, stored });
        }
        Ok(Some(found))
    }

    /// A parcel of an applicant, with its way; `None` if they have none of that id.
    pub async fn parcel_of(&self, person: PersonId, id: ParcelId) -> Result<Option<ParcelWithWay>, StoreError> {
        let mut connection = self.store().connection().await?;
        let found = parcels::find(&mut connection, self.store().keys(), id).await?;
        let Some(stored) = found.filter(|stored| stored.parcel.person == person) else { return Ok(None) };
        Ok(Some(ParcelWithWay { scans: self.scans(&mut connection, &stored).await?, stored }))
    }
}

/// A parcel and the steps of its way, oldest first.
pub struct ParcelWithWay {
    pub stored: StoredParcel,
    pub scans: Vec<Step>,
}

async fn acts(connection: &mut Conn, keys: &KeyRing, case: CaseId) -> Result<Vec<Step>, StoreError> {
    let history = cases::history(connection, keys, case).await?;
    let step = |entry: cases::HistoryEntry| {
        let (class, name) = entry.actor.split_once(':').unwrap_or((&entry.actor, ""));
        let (act, actor) = match class {
            "carrier" => (unscanned(&entry)?, name),
            // That an officer reads what was handed in is no step.
            _ if entry.act == "upload_read" => return None,
            class => (entry.act.as_str(), class),
        };
        let (reasons, act, actor) = (reasons(act, &entry.cause), act.to_owned(), actor.to_owned());
        Some(Step { at: entry.at, kind: StepKind::Act { act, actor, reasons } })
    };
    Ok(history.into_iter().filter_map(step).collect())
}

/// What a carrier did, where no scan tells it in more detail.
fn unscanned(entry: &cases::HistoryEntry) -> Option<&'static str> {
    match entry.cause["state"].as_str()? {
        "address_refused" => Some("parcel_address_refused"),
        "cancelled" => Some("parcel_cancelled"),
        _ => None,
    }
}

/// The words that an act was explained with, where they are meant for the applicant or came from them.
fn reasons(act: &str, cause: &Value) -> Vec<String> {
    let words = match act {
        "decided" | "taken_over" => &cause["reasons"],
        "supplement_noticed" => &cause["points"],
        "withdrawn" => &cause["reason"],
        _ => &Value::Null,
    };
    let all = words.as_array().map_or(std::slice::from_ref(words), Vec::as_slice);
    all.iter().filter_map(Value::as_str).filter(|text| !text.trim().is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_explains_an_act_is_told_and_nothing_else() {
        assert_eq!(reasons("decided", &json!({"outcome": "deny", "reasons": "材料不实"})), ["材料不实"]);
        assert_eq!(reasons("supplement_noticed", &json!({"points": ["照片", "证明"]})), ["照片", "证明"]);
        assert_eq!(reasons("withdrawn", &json!({"reason": "不办了"})), ["不办了"]);
        assert!(reasons("taken_over", &json!({"outcome": "grant", "reasons": ""})).is_empty());
        assert!(reasons("withdrawn", &json!({})).is_empty(), "an act without a cause has no reasons");
        assert!(reasons("disclosed", &json!({"reason": "核对身份证件"})).is_empty(), "that is told to whoever asks");
    }
}

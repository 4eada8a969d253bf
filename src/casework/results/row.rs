//! Checks a reported decision before anything is written, and recognises a decision that was reported before.

use chrono::Datelike;
use serde_json::json;

use super::Results;
use super::report::{NewDelivery, NewResult, Reported, Reporter, RowFault, RowRefusal};
use crate::catalog::Snapshot;
use crate::domain::case::{Delivery, Ruling};
use crate::domain::delivery::address::PostalAddress;
use crate::domain::item::{DeliveryWay, Item, ItemVersion};
use crate::domain::kernel::clock::{Instant, beijing_day};
use crate::domain::people::identity::ResidentId;
use crate::store::KeyRing;
use crate::store::cases::ReportMark;

/// The year in which the oldest agencies were founded. A decision from an earlier year is refused, because PostgreSQL
/// cannot store every date that a report can contain.
const FIRST_YEAR: i32 = 1949;

impl Results<'_> {
    /// Returns the item and the delivery of a reported decision, or all its faults.
    pub(super) fn check_row<'a>(
        &self,
        catalog: &'a Snapshot,
        office: &Reporter,
        row: &NewResult,
        now: Instant,
    ) -> Result<(&'a ItemVersion, Delivery), RowRefusal> {
        let item = catalog.in_force(&row.item).ok_or(RowRefusal::ItemNotPublished)?;
        if !office.agencies.contains(&item.item.agency) {
            return Err(RowRefusal::NotYourAgency);
        }
        let silent = matches!(&row.ruling, Ruling::Deny { reasons } if reasons.trim().is_empty());
        let checks = [
            (row.decided_at > now, RowFault::InTheFuture),
            (beijing_day(row.decided_at).year() < FIRST_YEAR, RowFault::TooLongAgo),
            (silent, RowFault::NoReasons),
        ];
        let faults = checks.into_iter().filter_map(|(is_so, fault)| is_so.then_some(fault));
        let delivery = self.delivery_of(catalog, &item.item, &row.delivery);
        let faults: Vec<RowFault> = faults.chain(delivery.as_ref().err().copied()).collect();
        match delivery {
            Ok(delivery) if faults.is_empty() => Ok((item, delivery)),
            _ => Err(RowRefusal::Faulty(faults)),
        }
    }

    fn delivery_of(&self, catalog: &Snapshot, item: &Item, wanted: &NewDelivery) -> Result<Delivery, RowFault> {
        match wanted {
            NewDelivery::Electronic if item.delivers_electronically() => Ok(Delivery::Electronic),
            NewDelivery::Courier(_) if item.delivers(DeliveryWay::Courier) => {
                let carrier = item.carrier_among(&self.0.carrier_codes).ok_or(RowFault::WayNotOffered)?;
                Ok(Delivery::Courier { carrier: carrier.clone() })
            }
            NewDelivery::Counter(hall) if item.delivers(DeliveryWay::Window) => {
                let hall = catalog.hall(hall).ok_or(RowFault::UnknownHall)?;
                Ok(Delivery::Counter { hall: hall.code.clone() })
            }
            NewDelivery::Electronic | NewDelivery::Courier(_) | NewDelivery::Counter(_) => Err(RowFault::WayNotOffered),
        }
    }
}

/// How a new report relates to the stored report with the same reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repetition {
    /// The stored report came with the same request: the client repeats the request.
    SameRequest,
    /// Another request reports the same decision.
    SameReport,
    /// A request with the same `Idempotency-Key` reports a different decision.
    KeyReused,
    /// Another request reports a different decision.
    Conflict,
}

impl Repetition {
    pub(super) fn of(taken: &ReportMark, report: &ReportMark) -> Self {
        let same_key = taken.key.is_some() && taken.key == report.key;
        match (taken.said == report.said, same_key) {
            (true, true) => Self::SameRequest,
            (true, false) => Self::SameReport,
            (false, true) => Self::KeyReused,
            (false, false) => Self::Conflict,
        }
    }
}

impl Reported {
    /// Returns the hashes by which the report is recognised if it is sent again. The first hash covers item, applicant,
    /// decision, time and delivery, but not the carrier: we choose the carrier, and the choice can change between two
    /// reports. The second hash is that of the `Idempotency-Key`, if there is one.
    pub(super) fn mark(&self, keys: &KeyRing) -> ReportMark {
        let NewResult { reference: _, item, applicant, ruling, decided_at, delivery } = &self.result;
        let ruling = match ruling {
            Ruling::Grant { result, reasons } => json!({"grant": result, "reasons": reasons}),
            Ruling::Deny { reasons } => json!({"deny": reasons}),
        };
        let delivery = match delivery {
            NewDelivery::Electronic => json!("electronic"),
            NewDelivery::Counter(hall) => json!({"counter": hall}),
            // The names of the region are left out, because they follow from its code.
            NewDelivery::Courier(PostalAddress { name, phone, region, detail, postcode, .. }) => {
                json!({"courier": [name.expose(), phone.expose(), region, detail.expose(), postcode]})
            }
        };
        let resident_id = applicant.resident_id.as_ref().map(ResidentId::expose);
        let said = json!([item, applicant.phone.expose(), resident_id, ruling, decided_at, delivery]);
        ReportMark {
            said: keys.hash("cases.report", &said.to_string()),
            key: self.key.as_ref().map(|key| keys.hash("cases.report_key", key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_report_is_recognised_by_its_content_and_its_key() {
        let mark = |said: u8, key: Option<u8>| ReportMark { said: vec![said], key: key.map(|key| vec![key]) };
        let compare = |report| Repetition::of(&mark(1, Some(7)), &report);
        assert_eq!(compare(mark(1, Some(7))), Repetition::SameRequest);
        assert_eq!(compare(mark(1, Some(8))), Repetition::SameReport);
        assert_eq!(compare(mark(2, Some(7))), Repetition::KeyReused);
        assert_eq!(compare(mark(2, Some(8))), Repetition::Conflict);
        let in_a_batch = mark(1, None);
        assert_eq!(compare(in_a_batch.clone()), Repetition::SameReport);
        assert_eq!(
            Repetition::of(&in_a_batch, &in_a_batch),
            Repetition::SameReport,
            "no key means no repeated request"
        );
    }
}

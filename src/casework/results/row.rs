//! What is checked of one reported decision before anything is written.

use std::mem::discriminant;

use chrono::Datelike;

use super::{BackOffice, NewDelivery, NewResult, RowRefusal};
use crate::casework::Casework;
use crate::catalog::Snapshot;
use crate::domain::case::{Case, Decision, Delivery, Ruling, State};
use crate::domain::clock::{Instant, beijing_day};
use crate::domain::item::{DeliveryWay, Item, ItemVersion};

/// No agency decided earlier; and the database does not know every year that can be written.
const FIRST_YEAR: i32 = 1949;

impl Casework {
    /// The item and the delivery of a reported decision, if both are allowed.
    pub(super) fn check_row<'a>(
        &self,
        catalog: &'a Snapshot,
        office: &BackOffice,
        row: &NewResult,
        now: Instant,
    ) -> Result<(&'a ItemVersion, Delivery), RowRefusal> {
        let item = catalog.in_force(&row.item).ok_or(RowRefusal::ItemNotPublished)?;
        if !office.agencies.contains(&item.item.agency) {
            return Err(RowRefusal::NotYourAgency);
        }
        if row.decided_at > now {
            return Err(RowRefusal::InTheFuture);
        }
        if beijing_day(row.decided_at).year() < FIRST_YEAR {
            return Err(RowRefusal::TooLongAgo);
        }
        if matches!(&row.ruling, Ruling::Deny { reasons } if reasons.trim().is_empty()) {
            return Err(RowRefusal::NoReasons);
        }
        Ok((item, self.delivery_of(catalog, &item.item, &row.delivery)?))
    }

    fn delivery_of(&self, catalog: &Snapshot, item: &Item, wanted: &NewDelivery) -> Result<Delivery, RowRefusal> {
        match wanted {
            NewDelivery::Electronic => Ok(Delivery::Electronic),
            NewDelivery::Courier(_) if item.delivers(DeliveryWay::Courier) => {
                let carrier = item.carrier_among(&self.parts.carriers).ok_or(RowRefusal::WayNotOffered)?;
                Ok(Delivery::Courier { carrier: carrier.clone() })
            }
            NewDelivery::Counter(hall) if item.delivers(DeliveryWay::Window) => {
                let hall = catalog.hall(hall).ok_or(RowRefusal::UnknownHall)?;
                Ok(Delivery::Counter { hall: hall.code.clone() })
            }
            NewDelivery::Courier(_) | NewDelivery::Counter(_) => Err(RowRefusal::WayNotOffered),
        }
    }
}

/// Whether a case says already what is reported anew: the same decision on the same item, to arrive in the same way. The
/// carrier is ours to choose, and may be another by now.
pub(super) fn says_the_same(case: &Case, row: &NewResult, delivery: &Delivery) -> bool {
    if case.item != row.item || discriminant(&case.delivery) != discriminant(delivery) {
        return false;
    }
    let same = |decision: &Decision, reasons: &str| decision.reasons == reasons && decision.at == row.decided_at;
    match (&case.state, &row.ruling) {
        (State::Granted(decision), Ruling::Grant { result, reasons }) => {
            decision.result.as_ref() == Some(result) && same(decision, reasons)
        }
        (State::Denied(decision), Ruling::Deny { reasons }) => same(decision, reasons),
        _ => false,
    }
}

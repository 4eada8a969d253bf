//! What is checked of one reported decision before anything is written.

use std::mem::discriminant;

use chrono::Datelike;

use super::{BackOffice, NewDelivery, NewResult, RowFault, RowRefusal};
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
                let carrier = item.carrier_among(&self.parts.carriers).ok_or(RowFault::WayNotOffered)?;
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

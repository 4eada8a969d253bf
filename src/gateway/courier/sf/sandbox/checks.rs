//! The manual check (人工确认) of a doubtful address. The order has no waybill until an employee of SF has checked the
//! address; a test sets the result.

use serde::Deserialize;

use crate::sandbox::shards::Shards;

/// The checks, by order number: `None` while the check runs, then true if SF delivers to the address.
#[derive(Default)]
pub(super) struct Checks(Shards<Option<bool>>);

#[derive(Deserialize)]
pub(super) struct Finding {
    pub(super) order_no: String,
    pub(super) deliverable: bool,
}

impl Checks {
    pub(super) fn begin(&self, order_no: &str) {
        self.0.with(order_no, |shard| {
            shard.entry(order_no.to_owned()).or_insert(None);
        });
    }

    /// Stores the result of a check. Returns false if no check of this order was begun.
    pub(super) fn end(&self, Finding { order_no, deliverable }: &Finding) -> bool {
        self.0.with(order_no, |shard| shard.get_mut(order_no).map(|check| *check = Some(*deliverable)).is_some())
    }

    /// Returns SF's `filterResult`: 1 while the address is checked, 2 if SF delivers to the address, 3 if it does not.
    pub(super) fn result(&self, order_no: &str) -> u8 {
        match self.0.get(order_no) {
            Some(None) => 1,
            Some(Some(false)) => 3,
            Some(Some(true)) | None => 2,
        }
    }

    pub(super) fn clear(&self) {
        self.0.clear();
    }
}

//! The manual check (人工确认) of a doubtful address: the order has no waybill until an employee of SF has checked it. A test sets
//! the finding.

use serde::Deserialize;

use crate::sandbox::shards::Shards;

/// Orders whose address is being checked, or was.
#[derive(Default)]
pub(super) struct Checks(Shards<Option<bool>>);

/// The result of a check.
#[derive(Deserialize)]
pub(super) struct Finding {
    pub(super) order_no: String,
    pub(super) deliverable: bool,
}

impl Checks {
    /// Begins a check.
    pub(super) fn begin(&self, order_no: &str) {
        self.0.with(order_no, |shard| {
            shard.entry(order_no.to_owned()).or_insert(None);
        });
    }

    /// Ends a check. Returns true if there is one.
    pub(super) fn end(&self, Finding { order_no, deliverable }: &Finding) -> bool {
        self.0.with(order_no, |shard| shard.get_mut(order_no).map(|check| *check = Some(*deliverable)).is_some())
    }

    /// SF's `filterResult` of an order: 1 under check, 2 deliverable, 3 not.
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

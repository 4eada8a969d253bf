//! Code that several use cases share: acts on a case, saving, idempotency, validation, the catalogue in memory, the
//! bell.

pub mod apply;
pub mod bell;
pub(super) mod case_numbers;
pub mod catalogue;
pub mod change;
pub(super) mod commit;
pub(super) mod gather;
pub(super) mod history;
pub mod idempotency;
pub(super) mod item_of_case;
pub mod powers;
pub mod scanned_parcel;
pub(super) mod validate;

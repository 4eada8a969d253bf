//! What every use case is built from: the frame of an act on a case, idempotency, validation, the bell.

pub mod apply;
pub mod bell;
pub(super) mod case_numbers;
pub mod change;
pub mod idempotency;
pub(super) mod item_of_case;
pub mod powers;
pub(super) mod validate;

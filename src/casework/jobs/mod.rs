//! What workers and operators do with jobs: claim, settle, sweep, replay.

mod claim;
mod callback;
mod inspect;
mod login_code;
mod parcel;
mod push;
mod settle;

pub use parcel::{ParcelChange, ParcelEffect};
pub use login_code::LoginCodeTask;
pub use push::{Prepared, PushEffect, PushEnd, PushTask};
pub use settle::{Effect, Settlement};

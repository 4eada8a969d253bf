//! What workers and operators do with jobs: claim, settle, sweep, replay.

mod callback;
mod claim;
mod inspect;
mod login_code;
mod parcel;
mod push;
mod receipt;
mod settle;

pub use callback::ChannelNews;
pub use claim::Swept;
pub use login_code::LoginCodeTask;
pub use parcel::{ParcelChange, ParcelEffect, Trail};
pub use push::{PendingPush, Prepared, PreparedPushes, PushEffect, PushEnd, PushTask};
pub use receipt::receipt_event;
pub use settle::{Effect, Settlement};

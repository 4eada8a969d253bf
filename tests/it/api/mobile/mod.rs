//! The mobile API (`/v1`), one file a noun.

mod accounts;
mod addresses;
mod cases;
mod consents;
mod events;
mod form_files;
mod identity;
mod login_codes;
mod sessions;
mod sign_outs;
mod uploads;

//! The mobile API (`/v1`), a file for each noun. `accounts` is about several: phones, identities and WeChat accounts
//! that turn out to belong to one person.

mod accounts;
mod addresses;
mod cases;
mod consents;
mod devices;
mod drafts;
mod events;
mod identity;
mod login_codes;
mod notifications;
mod sessions;
mod timeline;
mod uploads;

//! The mobile API (`/v1`), with one file for each kind of resource. `accounts` is about several kinds: phones,
//! identities and WeChat accounts that turn out to belong to one person.

mod accounts;
mod addresses;
mod budgets;
mod caps;
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
mod upload_checks;
mod uploads;

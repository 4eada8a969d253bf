//! The staff API (`/staff/v1`), with one file for each kind of resource.

mod cases;
mod decisions;
mod disclosures;
mod history;
mod own_account;
mod parcels;
mod second_factor;
mod sessions;

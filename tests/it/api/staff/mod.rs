//! The staff API (`/staff/v1`), a file for each noun.

mod cases;
mod decisions;
mod disclosures;
mod history;
mod parcels;
mod sessions;

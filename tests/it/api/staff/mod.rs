//! The staff API (`/staff/v1`), one file a noun.

mod cases;
mod disclosures;
mod dismissals;
mod parcels;
mod sessions;

//! Delivery (送达) of results: postal addresses, landline numbers and parcels.

pub mod address;
pub mod landline;
pub mod parcel;

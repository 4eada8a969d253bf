//! 送达: where a result goes, and how a parcel brings it there.

pub mod address;
pub mod landline;
pub mod parcel;

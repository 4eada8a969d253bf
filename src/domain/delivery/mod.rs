//! 送达: the destination of a result, and the parcel that carries it there.

pub mod address;
pub mod landline;
pub mod parcel;

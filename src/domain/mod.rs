//! What Songda is about, and nothing else: pure values and transitions. No I/O, no async, no clock of its own.

pub mod address;
pub mod application;
pub mod calendar;
pub mod case;
pub mod case_number;
pub mod clock;
pub mod consent;
pub mod device;
pub mod due;
pub mod form;
pub mod identity;
pub mod ids;
pub mod item;
pub mod job;
pub mod login_code;
pub mod notification;
pub mod pace;
pub mod parcel;
pub mod person;
pub mod private;
pub mod reach;
pub mod retry;
pub mod session;
pub mod staff;
pub mod text;
pub mod upload;

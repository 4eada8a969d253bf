//! The business rules of Songda, as plain values and functions. They do no I/O, are not async, and are given the
//! current time by their callers.

pub mod application;
pub mod case;
pub mod delivery;
pub mod form;
pub mod item;
pub mod kernel;
pub mod notice;
pub mod people;
pub mod work;

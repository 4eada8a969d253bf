//! The rules of Songda as pure values and transitions. No I/O, no async, no clock of its own.

pub mod application;
pub mod case;
pub mod delivery;
pub mod form;
pub mod item;
pub mod kernel;
pub mod notice;
pub mod people;
pub mod work;

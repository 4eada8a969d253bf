//! What operators run and watch.

mod catalogue;
mod doctor;
mod housekeeping;
mod image;
mod personal_data;
mod top;
mod traces;
mod watch;

//! The commands that operators run, and the metrics, traces and files that they watch.

mod bench;
mod catalogue;
mod doctor;
mod housekeeping;
mod image;
mod keys;
mod malware;
mod moved_values;
mod personal_data;
mod top;
mod traces;
mod watch;

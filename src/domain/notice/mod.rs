//! 通知: the messages to a person, and the channels that deliver them.

pub mod consent;
pub mod device;
pub mod notification;
pub mod reach;

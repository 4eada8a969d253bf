//! 通知: what a person is told, and over which channels a message may reach them.

pub mod consent;
pub mod device;
pub mod notification;
pub mod reach;

//! Sign-in over platforms.

pub mod wechat;

//! 身份: who a person is, proved by a phone, a WeChat account, or a real name.

pub mod attach_wechat;
pub mod join;
pub mod profile;
pub mod set_phone;
pub mod verify;

use super::People;

/// The identity of residents.
#[derive(Clone, Copy)]
pub struct Identity<'a>(&'a People);

impl People {
    pub const fn identity(&self) -> Identity<'_> {
        Identity(self)
    }
}

//! 身份: a person proves that a phone, a WeChat account or a real name is theirs.

pub mod attach_wechat;
pub mod join;
pub mod profile;
pub mod set_phone;
pub mod verify;

use super::People;

#[derive(Clone, Copy)]
pub struct Identity<'a>(&'a People);

impl People {
    pub const fn identity(&self) -> Identity<'_> {
        Identity(self)
    }
}

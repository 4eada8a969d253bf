//! Signing in, staying signed in, and signing out.

pub mod by_assertion;
pub mod by_password;
pub mod by_sms;
pub mod by_wechat;
pub mod end;
pub mod open;
pub mod refresh;

use super::People;

#[derive(Clone, Copy)]
pub struct Sessions<'a>(&'a People);

impl People {
    pub const fn sessions(&self) -> Sessions<'_> {
        Sessions(self)
    }
}

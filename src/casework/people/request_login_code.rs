//! Somebody asks for a one-time code on a phone. The answer is the same whether the number is known here or not.

use std::time::Duration;

use super::{People, commit};
use crate::domain::kernel::clock::fresh;
use crate::domain::kernel::ids::LoginCodeId;
use crate::domain::kernel::limits;
use crate::domain::people::identity::MobilePhone;
use crate::domain::people::login_code;
use crate::domain::work::job::{Job, Work};
use crate::store::login_codes::{self, LoginCode};
use crate::store::{StoreError, jobs};

/// Why no code was sent.
#[derive(Debug, thiserror::Error)]
pub enum RequestCodeError {
    /// The number has had as many codes as it may for now.
    #[error("too many codes for one number; wait {0:?}")]
    TooMany(Duration),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl People {
    /// Makes a code for a number and promises to send it. `trace` is the request's `traceparent`.
    ///
    /// # Errors
    /// [`RequestCodeError`].
    pub async fn request_login_code(&self, phone: &MobilePhone, trace: Option<&str>) -> Result<(), RequestCodeError> {
        let (keys, now) = (self.store.keys(), self.clock.now());
        let mut tx = self.store.begin().await?;
        login_codes::hold_number(&mut tx, keys, phone).await?;
        let made = login_codes::made_after(&mut tx, keys, phone, now - login_code::MEMORY).await?;
        if let Some(wait) = limits::wait(&login_code::LIMITS, &made, now) {
            return Err(RequestCodeError::TooMany(wait));
        }
        let code = LoginCode {
            id: fresh(LoginCodeId::from_uuid),
            phone: phone.clone(),
            code: login_code::fresh_code(),
            tries: 0,
            created_at: now,
            expires_at: now + login_code::LIFE,
        };
        login_codes::insert(&mut tx, keys, &code).await?;
        let send = Work::SendLoginCode { code: code.id, channel: self.code_channel.clone() };
        let offers = jobs::enqueue(&mut tx, &[Job::now(send)], trace).await?;
        commit(tx).await?;
        self.bell.ring(offers, std::iter::empty());
        Ok(())
    }
}

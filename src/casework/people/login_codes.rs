//! One-time codes, which prove the possession of a phone. A request for a code gets the same answer for known and
//! unknown numbers, so that it does not reveal the users of this installation.

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::{People, commit};
use crate::domain::kernel::clock::fresh;
use crate::domain::kernel::ids::LoginCodeId;
use crate::domain::kernel::limits;
use crate::domain::kernel::network::CallerAddress;
use crate::domain::kernel::private::Private;
use crate::domain::people::identity::MobilePhone;
use crate::domain::people::login_code;
use crate::domain::work::job::{Job, Work};
use crate::store::login_codes::{self, LoginCode, TriedCode};
use crate::store::{StoreError, Tx, jobs};

#[derive(Debug, thiserror::Error)]
pub enum RequestCodeError {
    #[error("too many codes for one number; wait {0:?}")]
    TooMany(Duration),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// The code is not the latest code of this phone number, or it was used or has expired.
    #[error("the code is wrong or has expired")]
    Wrong,
    #[error("the code was guessed at too often")]
    Exhausted,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A code that a client presents for a phone number.
#[derive(Clone, Copy)]
pub struct PresentedCode<'a> {
    pub phone: &'a MobilePhone,
    pub code: &'a Private<String>,
    /// The client's address; `None` if the request came over no network.
    pub from: Option<CallerAddress>,
}

#[derive(Clone, Copy)]
pub struct LoginCodes<'a>(&'a People);

impl People {
    pub const fn login_codes(&self) -> LoginCodes<'_> {
        LoginCodes(self)
    }
}

impl LoginCodes<'_> {
    /// Makes a code for a phone number, and adds the job that sends it. `from` is the client's address, and `trace` the
    /// request's `traceparent`.
    pub async fn request(
        self,
        phone: &MobilePhone,
        from: Option<CallerAddress>,
        trace: Option<&str>,
    ) -> Result<(), RequestCodeError> {
        let keys = self.0.store.keys();
        let now = self.0.clock.now();
        let mut tx = self.0.store.begin().await?;
        login_codes::hold_number(&mut tx, keys, phone).await?;
        let made = login_codes::made_after(&mut tx, keys, phone, now - login_code::MEMORY).await?;
        if let Some(wait) = limits::wait(&login_code::LIMITS, &made, now) {
            return Err(RequestCodeError::TooMany(wait));
        }
        let code = LoginCode {
            id: fresh(LoginCodeId::from_uuid),
            phone: phone.clone(),
            code: login_code::fresh_code(),
            created_at: now,
            expires_at: now + login_code::LIFE,
        };
        login_codes::insert(&mut tx, keys, &code, from.map(login_code::network)).await?;
        let send = Work::SendLoginCode { code: code.id, channel: self.0.code_channel.clone() };
        let offers = jobs::enqueue(&mut tx, &[Job::now(send)], trace).await?;
        commit(tx).await?;
        self.0.bell.ring(offers, std::iter::empty());
        Ok(())
    }

    /// Checks a code and counts the try. The caller must commit the transaction in any case, so that the count is
    /// stored. If the code is right, the caller marks it as used.
    pub(super) async fn check(
        self,
        tx: &mut Tx<'_>,
        presented: &PresentedCode<'_>,
    ) -> Result<Result<LoginCodeId, CodeError>, StoreError> {
        let PresentedCode { phone, code, from } = *presented;
        let (keys, now) = (self.0.store.keys(), self.0.clock.now());
        let tried = login_codes::try_latest(tx, keys, phone, from.map(login_code::network), now).await?;
        let Some(TriedCode { code: latest, tries, other_tries, is_askers }) = tried else {
            return Ok(Err(CodeError::Wrong));
        };
        if tries > login_code::TRIES || !is_askers && other_tries > login_code::OTHER_TRIES {
            return Ok(Err(CodeError::Exhausted));
        }
        if verify_slices_are_equal(latest.code.expose().as_bytes(), code.expose().as_bytes()).is_err() {
            return Ok(Err(CodeError::Wrong));
        }
        Ok(Ok(latest.id))
    }
}

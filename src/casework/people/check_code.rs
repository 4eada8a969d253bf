//! Checks a one-time code within a transaction, which must be committed whatever comes out: the try counts.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::People;
use crate::domain::kernel::ids::LoginCodeId;
use crate::domain::kernel::private::Private;
use crate::domain::people::identity::MobilePhone;
use crate::domain::people::login_code;
use crate::store::{StoreError, Tx, login_codes};

/// Why a code proved nothing.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// It is not the latest code of that number, or that code was used or has expired.
    #[error("the code is wrong or has expired")]
    Wrong,
    /// The latest code was guessed at too often: ask for a new one.
    #[error("the code was guessed at too often")]
    Exhausted,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl People {
    /// The code that proves the possession of a phone, or why it does not. Whoever makes use of it uses it up.
    pub(super) async fn check_code(
        &self,
        tx: &mut Tx<'_>,
        phone: &MobilePhone,
        code: &Private<String>,
    ) -> Result<Result<LoginCodeId, CodeError>, StoreError> {
        let Some(latest) = login_codes::try_latest(tx, self.store.keys(), phone, self.clock.now()).await? else {
            return Ok(Err(CodeError::Wrong));
        };
        if latest.tries > login_code::TRIES {
            return Ok(Err(CodeError::Exhausted));
        }
        if verify_slices_are_equal(latest.code.expose().as_bytes(), code.expose().as_bytes()).is_err() {
            return Ok(Err(CodeError::Wrong));
        }
        Ok(Ok(latest.id))
    }
}

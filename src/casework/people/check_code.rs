//! Checks a one-time code within a transaction, which must be committed whatever comes out: the try counts.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::People;
use crate::domain::identity::MobilePhone;
use crate::domain::login_code;
use crate::domain::private::Private;
use crate::store::{StoreError, Tx, login_codes};

/// Whether a code proves the possession of a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checked {
    /// It does, once.
    Right,
    /// It is not the latest code of that number, or that code counts no more.
    Wrong,
    /// The latest code was guessed at too often: only a new one counts.
    Exhausted,
}

impl People {
    pub(super) async fn check_code(
        &self,
        tx: &mut Tx,
        phone: &MobilePhone,
        code: &Private<String>,
    ) -> Result<Checked, StoreError> {
        let now = self.clock.now();
        let Some(latest) = login_codes::try_latest(tx, self.store.keys(), phone, now).await? else {
            return Ok(Checked::Wrong);
        };
        if latest.tries > login_code::TRIES {
            return Ok(Checked::Exhausted);
        }
        if verify_slices_are_equal(latest.code.expose().as_bytes(), code.expose().as_bytes()).is_err() {
            return Ok(Checked::Wrong);
        }
        login_codes::use_up(tx, latest.id, now).await?;
        Ok(Checked::Right)
    }
}

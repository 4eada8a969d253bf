//! Sending a one-time sign-in code.

use crate::casework::Casework;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::LoginCodeId;
use crate::domain::kernel::private::Private;
use crate::store::{StoreError, login_codes};

/// A code that is ready to be sent.
#[derive(Debug, Clone)]
pub struct LoginCodeTask {
    /// To which phone.
    pub phone: Private<String>,
    pub code: Private<String>,
    /// When it was asked for.
    pub created_at: Instant,
}

impl Casework {
    /// Reads a code that is still worth sending: `None` once it is used or too old.
    ///
    /// # Errors
    /// When the database is unavailable, or the code does not open.
    pub async fn login_code(&self, id: LoginCodeId) -> Result<Option<LoginCodeTask>, StoreError> {
        let mut connection = self.store().connection().await?;
        let code = login_codes::find_open(&mut connection, self.store().keys(), id, self.now()).await?;
        Ok(code.map(|code| LoginCodeTask {
            phone: Private::new(code.phone.expose().to_owned()),
            code: code.code,
            created_at: code.created_at,
        }))
    }
}

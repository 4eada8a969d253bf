//! Sending a one-time sign-in code.

use crate::casework::jobs::{Jobs, LoginCodeTask};
use crate::domain::kernel::ids::LoginCodeId;
use crate::domain::kernel::private::Private;
use crate::store::{StoreError, login_codes};

impl Jobs<'_> {
    /// Reads a code that is still worth sending: `None` if it is used or too old.
    ///
    /// # Errors
    /// When the database is unavailable, or the code does not open.
    pub async fn login_code(self, id: LoginCodeId) -> Result<Option<LoginCodeTask>, StoreError> {
        let mut connection = self.0.store().connection().await?;
        let code = login_codes::find_open(&mut connection, self.0.store().keys(), id, self.0.now()).await?;
        Ok(code.map(|code| LoginCodeTask {
            phone: Private::new(code.phone.expose().to_owned()),
            code: code.code,
            created_at: code.created_at,
        }))
    }
}

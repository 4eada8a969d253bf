//! stub until people is merged
use super::{Conn, KeyRing, StoreError};
use crate::domain::{clock::Instant, ids::LoginCodeId, private::Private};
/// stub
pub struct Phone(String);
impl Phone {
    /// stub
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}
/// stub
pub struct LoginCode {
    /// p
    pub phone: Phone,
    /// c
    pub code: Private<String>,
    /// t
    pub created_at: Instant,
}
/// stub
/// # Errors
/// x
pub async fn find_open(_: &mut Conn, _: &KeyRing, _: LoginCodeId, _: Instant) -> Result<Option<LoginCode>, StoreError> {
    Ok(None)
}

//! Passwords of officers: argon2id with the minimum parameters of OWASP (19 MiB, 2 passes, parallelism 1).
//!
//! Hashing is slow and needs much memory on purpose. It runs on separate threads, a few at a time, so that a flood of
//! sign-ins takes neither all memory nor the threads that serve other requests.

use std::sync::{Arc, OnceLock};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Argon2, password_hash};
use tokio::sync::Semaphore;

use crate::domain::kernel::clock::random_bytes;
use crate::domain::kernel::private::Private;
use crate::domain::people::password::NewPassword;

const AT_A_TIME: usize = 4;

/// Why a password was not hashed or compared.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Hashing failed, or its thread died.
    #[error("the password cannot be hashed or compared: {0}")]
    Broken(String),
}

/// Hashes and compares passwords. Cloning shares the concurrency limit.
#[derive(Clone)]
pub struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

impl Passwords {
    /// Returns the hash of a new password, as a PHC string.
    pub async fn hash(&self, password: NewPassword) -> Result<Private<String>, PasswordError> {
        self.work(move || hash(password.expose())).await
    }

    /// Returns true if the password matches the hash. Without a hash it returns false after the same time, so that the
    /// time does not reveal that there is no account.
    pub async fn fits(&self, password: Private<String>, hash: Option<Private<String>>) -> Result<bool, PasswordError> {
        self.work(move || {
            let known = hash.is_some();
            let hash = hash.map_or_else(stand_in, Ok)?;
            let parsed = PasswordHash::new(hash.expose())?;
            match Argon2::default().verify_password(password.expose().as_bytes(), &parsed) {
                Ok(()) => Ok(known),
                Err(password_hash::Error::Password) => Ok(false),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, password_hash::Error> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let permit = Arc::clone(&self.0).acquire_owned().await.map_err(broken)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit); // Only now: if the caller gives up, the thread still goes on hashing.
            done
        });
        done.await.map_err(broken)?.map_err(broken)
    }
}

fn broken(error: impl std::fmt::Display) -> PasswordError {
    PasswordError::Broken(error.to_string())
}

fn hash(password: &str) -> Result<Private<String>, password_hash::Error> {
    let salt = SaltString::encode_b64(&random_bytes::<16>())?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt)?;
    Ok(Private::new(hash.to_string()))
}

/// The hash of a random password, to compare with if there is no account.
fn stand_in() -> Result<Private<String>, password_hash::Error> {
    static HASH: OnceLock<Private<String>> = OnceLock::new();
    if let Some(hash) = HASH.get() {
        return Ok(hash.clone());
    }
    let made = hash(&hex::encode(random_bytes::<16>()))?;
    Ok(HASH.get_or_init(|| made).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::default();
        let text = |text: &str| Private::new(text.to_owned());
        let new = NewPassword::parse(text("correct horse battery"), &"wang.fang".parse().unwrap()).unwrap();
        let hash = passwords.hash(new).await.unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.expose());
        assert!(passwords.fits(text("correct horse battery"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.fits(text("Correct horse battery"), Some(hash)).await.unwrap());
        assert!(!passwords.fits(text("correct horse battery"), None).await.unwrap());
    }
}

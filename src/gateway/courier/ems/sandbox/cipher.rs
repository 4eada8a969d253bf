//! EMS's encryption: `|$4|` and the base64 of SM4-ECB over the JSON. Callers append the key's text to the JSON. This
//! code is independent of the client's `ems/cipher.rs`, so that a mistake in one of them shows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecb::cipher::block_padding::Pkcs7;
use ecb::cipher::{BlockDecryptMut, BlockEncryptMut, KeyInit};
use sm4::Sm4;

use crate::domain::kernel::private::Private;

const MARK: &str = "|$4|";

/// A key as EMS issues it: base64 text of 16 bytes.
pub struct IssuedKey {
    text: Private<String>,
    bytes: Private<[u8; 16]>,
}

impl IssuedKey {
    pub fn read(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?.try_into().ok()?;
        Some(Self { text: Private::new(text.to_owned()), bytes: Private::new(bytes) })
    }

    pub(super) fn text(&self) -> &str {
        self.text.expose()
    }

    /// Decrypts a caller's request; `None` unless the key's text follows the JSON.
    pub(super) fn open(&self, wrapped: &str) -> Option<String> {
        Some(self.decrypt(wrapped)?.strip_suffix(self.text.expose().as_str())?.to_owned())
    }

    /// Encrypts as EMS itself does: without the key's text.
    pub fn wrap(&self, json: &str) -> String {
        let cipher = ecb::Encryptor::<Sm4>::new(self.bytes.expose().into());
        format!("{MARK}{}", STANDARD.encode(cipher.encrypt_padded_vec_mut::<Pkcs7>(json.as_bytes())))
    }

    fn decrypt(&self, wrapped: &str) -> Option<String> {
        let bytes = STANDARD.decode(wrapped.strip_prefix(MARK)?).ok()?;
        let cipher = ecb::Decryptor::<Sm4>::new(self.bytes.expose().into());
        String::from_utf8(cipher.decrypt_padded_vec_mut::<Pkcs7>(&bytes).ok()?).ok()
    }

    /// Encrypts as a caller does, for tests.
    #[cfg(test)]
    pub(super) fn wrap_as_caller(&self, json: &str) -> String {
        self.wrap(&format!("{json}{}", self.text.expose()))
    }

    /// Decrypts a callback of EMS, for tests.
    #[cfg(test)]
    pub(super) fn open_own(&self, wrapped: &str) -> serde_json::Value {
        serde_json::from_str(&self.decrypt(wrapped).unwrap()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::courier::ems::cipher::VECTORS;

    #[test]
    fn the_vectors_decrypt() {
        for (key, json, wrapped) in VECTORS {
            let key = IssuedKey::read(key).unwrap();
            assert_eq!(key.open(wrapped).as_deref(), Some(json));
            assert_eq!(key.wrap_as_caller(json), wrapped);
        }
    }

    #[test]
    fn other_texts_do_not_decrypt() {
        let [(right, json, wrapped), (other, ..), _] = VECTORS;
        let right = IssuedKey::read(right).unwrap();
        let other = IssuedKey::read(other).unwrap();
        assert_eq!(other.open(wrapped), None, "another key");
        assert_eq!(right.open(&right.wrap(json)), None, "without the key's text");
        assert_eq!(right.open(wrapped.trim_start_matches(MARK)), None);
        assert_eq!(right.open(&wrapped.replace("slRL", "slRM")), None);
        assert!(IssuedKey::read("c2hvcnQ=").is_none());
    }
}

//! EMS's encryption: `|$4|` and the base64 of SM4-ECB over the JSON, to which callers append the key's text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecb::cipher::block_padding::Pkcs7;
use ecb::cipher::{BlockDecryptMut, BlockEncryptMut, KeyInit};
use sm4::Sm4;

use crate::domain::kernel::private::Private;

const MARK: &str = "|$4|";
const BLOCK: usize = 16;

/// A key as EMS issues it: base64 text of 16 bytes.
pub struct IssuedKey {
    text: Private<String>,
    bytes: Private<[u8; BLOCK]>,
}

impl IssuedKey {
    /// Reads a key; `None` if it is not the base64 text of 16 bytes.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?.try_into().ok()?;
        Some(Self { text: Private::new(text.to_owned()), bytes: Private::new(bytes) })
    }

    /// The key's text, for the settings of clients.
    pub(super) fn text(&self) -> &str {
        self.text.expose()
    }

    /// Decrypts a caller's text; `None` unless the key's text follows the JSON.
    pub(super) fn open(&self, wrapped: &str) -> Option<String> {
        let mut bytes = STANDARD.decode(wrapped.strip_prefix(MARK)?).ok()?;
        let cipher = ecb::Decryptor::<Sm4>::new(self.bytes.expose().into());
        let clear = cipher.decrypt_padded_mut::<Pkcs7>(&mut bytes).ok()?;
        let text = std::str::from_utf8(clear).ok()?;
        Some(text.strip_suffix(self.text.expose().as_str())?.to_owned())
    }

    /// Encrypts as EMS itself does: without the key's text.
    pub fn wrap(&self, json: &str) -> String {
        let mut bytes = json.as_bytes().to_vec();
        let length = bytes.len();
        bytes.resize(length + BLOCK, 0);
        let cipher = ecb::Encryptor::<Sm4>::new(self.bytes.expose().into());
        // This cannot fail, because the buffer has room for a block of padding.
        let secret = cipher.encrypt_padded_mut::<Pkcs7>(&mut bytes, length).unwrap_or_default();
        format!("{MARK}{}", STANDARD.encode(secret))
    }

    /// Encrypts as a caller does, for tests.
    #[cfg(test)]
    pub(super) fn wrap_as_caller(&self, json: &str) -> String {
        self.wrap(&format!("{json}{}", self.text.expose()))
    }

    /// Decrypts EMS's own texts, for tests.
    #[cfg(test)]
    pub(super) fn open_own(&self, wrapped: &str) -> serde_json::Value {
        let mut bytes = STANDARD.decode(wrapped.strip_prefix(MARK).unwrap()).unwrap();
        let cipher = ecb::Decryptor::<Sm4>::new(self.bytes.expose().into());
        serde_json::from_slice(cipher.decrypt_padded_mut::<Pkcs7>(&mut bytes).unwrap()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: [(&str, &str, &str); 3] = [
        (
            "WjNoNmhXWE12SFZJdk0zWQ==",
            "[{\"wholeAddress\":\"ABC123\"}]",
            "|$4|slRLUixzb1DplJxnGKMG5tcXh0zH5Ry1qZAIemYxDc7VfSxow31WUmgLbzbJt996Ud/vpaVOMcwyqsLvQRXPaA==",
        ),
        (
            "R292VGVzdFNtNEtleTAxNg==",
            "[{\"logisticsOrderNo\":\"GOV-2025-0001\",\"note\":\"证照\"}]",
            "|$4|bAIJdbHk1W/UFthYZx6nfGwFsbqdqEKpWJvS6feWvoklNSNFGt6ocCC07aDhW0z04S/Wg3QWT9EWRqddKM9yHW5FuTavzwpe47Dm5ReO\
             bjs=",
        ),
        (
            "R292VGVzdFNtNEtleTAxNg==",
            "{\"waybillNo\":\"1234567890123\",\"direction\":\"0\"}",
            "|$4|xuawFOHx5ZfiLISn8j/ziTuy2vzTDedkP35XPyEu5XFNT7+C3P4oMfDJh3yhPF6PqzISWBE+XeIL/5s5SMHZKXW2jj5zlPFIRKpjYWPf\
             BNs=",
        ),
    ];

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

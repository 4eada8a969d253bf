//! Encrypts and decrypts EMS's bodies: `|$4|` + base64(SM4-ECB-PKCS#7(JSON + the key's base64 text)).
//!
//! The appended key text is EMS's weak check of integrity. EMS's own callbacks were seen without the key text, so both
//! forms are accepted.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ecb::cipher::block_padding::Pkcs7;
use ecb::cipher::{BlockDecryptMut, BlockEncryptMut, KeyInit};
use ecb::{Decryptor, Encryptor};
use sm4::Sm4;

use crate::domain::kernel::private::Private;

const VERSION: &str = "|$4|";

/// The key that EMS issued: base64 text of 16 bytes.
#[derive(Clone)]
pub(super) struct Sm4Key {
    text: Private<String>,
    bytes: Private<[u8; 16]>,
}

impl Sm4Key {
    pub(super) fn parse(text: Private<String>) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(text.expose()).ok()?.try_into().ok()?;
        Some(Self { text, bytes: Private::new(bytes) })
    }

    pub(super) fn seal(&self, json: &str) -> String {
        let text = format!("{json}{}", self.text.expose());
        let cipher = Encryptor::<Sm4>::new(self.bytes.expose().into());
        let sealed = cipher.encrypt_padded_vec_mut::<Pkcs7>(text.as_bytes());
        format!("{VERSION}{}", BASE64_STANDARD.encode(sealed))
    }

    /// Decrypts a text. Returns `None` if the text has another format, or if its padding or its UTF-8 is invalid. A
    /// text that was encrypted with another key is nearly always invalid in this way.
    pub(super) fn open(&self, sealed: &str) -> Option<Private<String>> {
        let sealed = BASE64_STANDARD.decode(sealed.trim().strip_prefix(VERSION)?).ok()?;
        let cipher = Decryptor::<Sm4>::new(self.bytes.expose().into());
        let mut text = String::from_utf8(cipher.decrypt_padded_vec_mut::<Pkcs7>(&sealed).ok()?).ok()?;
        if text.ends_with(self.text.expose()) {
            text.truncate(text.len() - self.text.expose().len());
        }
        Some(Private::new(text))
    }

    /// Encrypts as EMS encrypts its callbacks: without the key text.
    #[cfg(test)]
    pub(super) fn seal_as_pushed(&self, json: &str) -> String {
        let cipher = Encryptor::<Sm4>::new(self.bytes.expose().into());
        format!("{VERSION}{}", BASE64_STANDARD.encode(cipher.encrypt_padded_vec_mut::<Pkcs7>(json.as_bytes())))
    }
}

/// Keys, texts and their encrypted form, for the tests of this cipher and of the sandbox's cipher. The first is from
/// EMS's own tool; the others were computed with two other implementations.
#[cfg(test)]
pub(super) const VECTORS: [(&str, &str, &str); 3] = [
    (
        "WjNoNmhXWE12SFZJdk0zWQ==",
        r#"[{"wholeAddress":"ABC123"}]"#,
        "|$4|slRLUixzb1DplJxnGKMG5tcXh0zH5Ry1qZAIemYxDc7VfSxow31WUmgLbzbJt996Ud/vpaVOMcwyqsLvQRXPaA==",
    ),
    (
        "R292VGVzdFNtNEtleTAxNg==",
        r#"[{"logisticsOrderNo":"GOV-2025-0001","note":"证照"}]"#,
        "|$4|bAIJdbHk1W/UFthYZx6nfGwFsbqdqEKpWJvS6feWvoklNSNFGt6ocCC07aDhW0z04S/Wg3QWT9EWRqddKM9yHW5FuTavzwpe47Dm5ReObjs=",
    ),
    (
        "R292VGVzdFNtNEtleTAxNg==",
        r#"{"waybillNo":"1234567890123","direction":"0"}"#,
        "|$4|xuawFOHx5ZfiLISn8j/ziTuy2vzTDedkP35XPyEu5XFNT7+C3P4oMfDJh3yhPF6PqzISWBE+XeIL/5s5SMHZKXW2jj5zlPFIRKpjYWPfBNs=",
    ),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> Sm4Key {
        Sm4Key::parse(Private::new(text.to_owned())).unwrap()
    }

    #[test]
    fn the_vectors_hold_in_both_directions() {
        for (key_text, json, sealed) in VECTORS {
            assert_eq!(key(key_text).seal(json), sealed);
            assert_eq!(key(key_text).open(sealed).unwrap().expose(), json);
        }
    }

    #[test]
    fn another_key_does_not_decrypt() {
        let [(_, _, sealed), (other, _, _), _] = VECTORS;
        assert!(key(other).open(sealed).is_none());
        assert!(Sm4Key::parse(Private::new("c2hvcnQ=".to_owned())).is_none(), "five bytes are no key");
    }

    proptest! {
        #[test]
        fn an_encrypted_text_decrypts_with_and_without_the_key_text(json in ".*") {
            let key = key(VECTORS[1].0);
            prop_assert_eq!(key.open(&key.seal(&json)).unwrap().into_exposed(), json.clone());
            prop_assert_eq!(key.open(&key.seal_as_pushed(&json)).unwrap().into_exposed(), json);
        }

        #[test]
        fn no_text_causes_a_panic(text in ".*") {
            let key = key(VECTORS[1].0);
            let _ = key.open(&text);
            let _ = key.open(&format!("{VERSION}{}", BASE64_STANDARD.encode(&text)));
        }
    }
}

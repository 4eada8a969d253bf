//! Decrypts the messages in WeChat's callbacks: AES-256-CBC over `random(16) || length(4) || message || appid`.
//!
//! The defaults of libraries do not work, for two reasons. The padding is PKCS#7 with blocks of 32 bytes, not of 16.
//! The key is 43 characters of base64 whose last two bits are surplus, and strict decoders refuse the key unless these
//! two bits are zero.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockDecryptMut, KeyIvInit};
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use crate::domain::kernel::private::Private;

const KEY_ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

const BLOCK: usize = 32;
/// The length in bytes of what precedes the message: 16 random bytes, and 4 bytes with the message's length.
const HEAD: usize = 20;

#[derive(Debug, Clone)]
pub struct AesKey(Private<[u8; 32]>);

impl AesKey {
    /// Reads a key from the 43 characters that WeChat's console shows.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = KEY_ENGINE.decode(text).ok()?;
        Some(Self(Private::new(bytes.try_into().ok()?)))
    }

    /// Decrypts a message. Returns `None` if it was not encrypted with this key for this mini-program.
    pub fn decrypt(&self, encrypted: &str, appid: &str) -> Option<Private<Vec<u8>>> {
        let mut bytes = STANDARD.decode(encrypted).ok()?;
        let cipher = cbc::Decryptor::<Aes256>::new(self.0.expose().into(), self.iv().into());
        let padded = cipher.decrypt_padded_mut::<NoPadding>(&mut bytes).ok()?;
        let clear = unpad(padded)?;
        let length: [u8; 4] = clear.get(16..HEAD)?.try_into().ok()?;
        let message_end = HEAD.checked_add(usize::try_from(u32::from_be_bytes(length)).ok()?)?;
        let message = clear.get(HEAD..message_end)?;
        let tail = clear.get(message_end..)?;
        (tail == appid.as_bytes()).then(|| Private::new(message.to_vec()))
    }

    /// Encrypts as WeChat does, for tests. Songda never answers with an encrypted message.
    #[cfg(test)]
    pub fn encrypt(&self, random: [u8; 16], message: &[u8], appid: &str) -> Option<String> {
        use aes::cipher::BlockEncryptMut;
        let length = u32::try_from(message.len()).ok()?.to_be_bytes();
        let mut bytes = [&random, length.as_slice(), message, appid.as_bytes()].concat();
        let pad = BLOCK - bytes.len() % BLOCK;
        let padded = bytes.len() + pad;
        bytes.resize(padded, u8::try_from(pad).ok()?);
        let cipher = cbc::Encryptor::<Aes256>::new(self.0.expose().into(), self.iv().into());
        cipher.encrypt_padded_mut::<NoPadding>(&mut bytes, padded).ok().map(|encrypted| STANDARD.encode(encrypted))
    }

    /// The initialisation vector: the key's first half.
    fn iv(&self) -> &[u8] {
        &self.0.expose()[..16]
    }
}

/// Removes the padding; `None` if any byte of it is wrong.
fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let pad = *padded.last()?;
    let (clear, padding) = padded.split_at_checked(padded.len().checked_sub(usize::from(pad))?)?;
    ((1..=BLOCK).contains(&usize::from(pad)) && padding.iter().all(|byte| *byte == pad)).then_some(clear)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_with_surplus_bits_are_valid() {
        assert!(AesKey::parse(&"A".repeat(43)).is_some());
        assert!(AesKey::parse(&"9".repeat(43)).is_some(), "its surplus bits are not zero");
        assert!(AesKey::parse(&"A".repeat(42)).is_none());
        assert!(AesKey::parse(&"!".repeat(43)).is_none());
    }

    #[test]
    fn another_mini_programs_message_is_refused() {
        let key = AesKey::parse(&"b".repeat(43)).unwrap();
        let encrypted = key.encrypt([7; 16], b"{}", "wx1").unwrap();
        assert!(key.decrypt(&encrypted, "wx1").is_some());
        assert!(key.decrypt(&encrypted, "wx2").is_none());
    }

    #[test]
    fn every_byte_of_the_padding_counts() {
        assert_eq!(unpad(&[9, 2, 2]), Some(&[9][..]));
        for wrong in [&[9, 1, 2][..], &[9, 0], &[], &[33; 64], &[5]] {
            assert_eq!(unpad(wrong), None, "{wrong:?}");
        }
        assert_eq!(unpad(&[32; 32]), Some(&[][..]));
    }

    proptest! {
        #[test]
        fn an_encrypted_message_decrypts_to_itself(message in proptest::collection::vec(any::<u8>(), 0..100), random: [u8; 16]) {
            let key = AesKey::parse(&"k".repeat(43)).unwrap();
            let decrypted = key.decrypt(&key.encrypt(random, &message, "wx1").unwrap(), "wx1");
            prop_assert_eq!(decrypted, Some(Private::new(message)));
        }

        #[test]
        fn garbage_does_not_decrypt(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(AesKey::parse(&"k".repeat(43)).unwrap().decrypt(&STANDARD.encode(bytes), "wx1"), None);
        }
    }
}

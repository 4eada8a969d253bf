//! Personal data at rest: sealed (encrypted) with AES-256-GCM, and found by a keyed hash.
//!
//! A sealed value is `version (1) ‖ key number (4) ‖ nonce (12) ‖ ciphertext and tag`. It is bound to its [`Cell`], the
//! column and the row, so that a value that was moved to another column or another row does not open. The newest key
//! seals new values. The older keys only open values. The hash key never changes, because people are found by their
//! hashes.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::StoreError;
use crate::domain::kernel::clock::random_bytes;
use crate::domain::kernel::private::Private;

const VERSION: u8 = 1;
const HEADER: usize = 1 + 4 + NONCE_LEN;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    #[error("line {0} is neither `<number> <base64 of 32 bytes>` nor `hash <base64 of 32 bytes>`")]
    Line(usize),
    #[error("there is no sealing key")]
    NoKey,
    #[error("there is no hash key")]
    NoHashKey,
}

/// The place of a sealed value: a column, and a row by its primary key. For the key of a file, the path takes the place
/// of the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// `table.column`.
    column: &'static str,
    /// The primary key: each part of it after its length, so that no two keys look the same.
    row: Vec<u8>,
}

impl Cell {
    /// The place in a row that is known by its id.
    #[must_use]
    pub fn of(column: &'static str, row: Uuid) -> Self {
        Self::keyed(column, &[row.as_bytes()])
    }

    /// The place in a row that is known by a key of one or more parts.
    #[must_use]
    pub fn keyed(column: &'static str, key: &[&[u8]]) -> Self {
        let part = |part: &&[u8]| [&(part.len() as u64).to_be_bytes(), *part].concat();
        Self { column, row: key.iter().flat_map(part).collect() }
    }

    /// `table.column`.
    #[must_use]
    pub const fn column(&self) -> &'static str {
        self.column
    }

    /// The additional data that the cipher authenticates.
    fn binding(&self) -> Aad<Vec<u8>> {
        Aad::from([self.column.as_bytes(), &[0], &self.row].concat())
    }
}

/// The keys that seal, open and hash values. Cloning shares them.
#[derive(Clone)]
pub struct KeyRing(Arc<Keys>);

struct Keys {
    newest: u32,
    sealing: BTreeMap<u32, LessSafeKey>,
    hashing: hmac::Key,
}

impl KeyRing {
    /// Reads a key file: one key per line, `<number> <base64>`, and one line `hash <base64>`. `#` starts a comment.
    ///
    /// # Errors
    /// If a line is invalid or a key is missing. The error names the first invalid line or the missing key.
    pub fn parse(text: &str) -> Result<Self, KeyRingError> {
        let mut sealing = BTreeMap::new();
        let mut hashing = None;
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let wrong = KeyRingError::Line(at + 1);
            let (name, key) = line.split_once(char::is_whitespace).ok_or(wrong.clone())?;
            let key = STANDARD.decode(key.trim()).ok().filter(|key| key.len() == 32).ok_or(wrong.clone())?;
            if name == "hash" {
                hashing = Some(hmac::Key::new(hmac::HMAC_SHA256, &key));
            } else {
                let number = name.parse().map_err(|_| wrong.clone())?;
                let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| wrong)?;
                sealing.insert(number, LessSafeKey::new(key));
            }
        }
        let newest = *sealing.keys().next_back().ok_or(KeyRingError::NoKey)?;
        Ok(Self(Arc::new(Keys { newest, sealing, hashing: hashing.ok_or(KeyRingError::NoHashKey)? })))
    }

    /// Returns the text of a new key file with random keys.
    #[must_use]
    pub fn fresh_file() -> Private<String> {
        let key = || STANDARD.encode(random_bytes::<32>());
        let about = "# Songda key ring. Add sealing keys with rising numbers; never change `hash`.";
        Private::new(format!("{about}\n1 {}\nhash {}\n", key(), key()))
    }

    /// Seals (encrypts) a value for its place.
    pub fn seal(&self, cell: &Cell, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce: [u8; NONCE_LEN] = random_bytes();
        let key = &self.0.sealing[&self.0.newest];
        let mut text = value.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), cell.binding(), &mut text)
            .map_err(|_| StoreError::Broken(format!("{} cannot be sealed", cell.column)))?;
        Ok([[VERSION].as_slice(), &self.0.newest.to_be_bytes(), &nonce, &text].concat())
    }

    /// Opens (decrypts) a value that was sealed for a place.
    ///
    /// # Errors
    /// If its key is missing, the value was changed, or it was sealed for another place.
    pub fn open(&self, cell: &Cell, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let broken = |why: &str| StoreError::Broken(format!("{} does not open: {why}", cell.column));
        let (header, text) = sealed.split_at_checked(HEADER).ok_or_else(|| broken("too short"))?;
        let (number, nonce) = header[1..].split_at(4);
        if header[0] != VERSION {
            return Err(broken("unknown version"));
        }
        let number = u32::from_be_bytes(number.try_into().map_err(|_| broken("no key number"))?);
        let key = self.0.sealing.get(&number).ok_or_else(|| broken(&format!("key {number} is not in the ring")))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken("no nonce"))?;
        let mut text = text.to_vec();
        let length = key
            .open_in_place(nonce, cell.binding(), &mut text)
            .map_err(|_| broken("it was changed, or belongs elsewhere"))?
            .len();
        text.truncate(length);
        Ok(text)
    }

    pub fn seal_json<T: Serialize>(&self, cell: &Cell, value: &T) -> Result<Vec<u8>, StoreError> {
        let text =
            serde_json::to_vec(value).map_err(|error| StoreError::Broken(format!("{}: {error}", cell.column)))?;
        self.seal(cell, &text)
    }

    pub fn open_json<T: DeserializeOwned>(&self, cell: &Cell, sealed: &[u8]) -> Result<T, StoreError> {
        let text = self.open(cell, sealed)?;
        // The text of serde's error may repeat personal data, so only the position of the error is reported.
        serde_json::from_slice(&text).map_err(|error| {
            let line = error.line();
            let column = error.column();
            let place = cell.column;
            StoreError::Broken(format!("{place} is not what it should be (line {line}, column {column})"))
        })
    }

    /// Returns the keyed hash (HMAC-SHA-256) by which a value is found in the column that `place` names.
    #[must_use]
    pub fn hash(&self, place: &str, value: &str) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.0.hashing);
        context.update(place.as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        context.sign().as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> KeyRing {
        KeyRing::parse(KeyRing::fresh_file().expose()).unwrap()
    }

    fn cell(column: &'static str, row: u128) -> Cell {
        Cell::of(column, Uuid::from_u128(row))
    }

    #[test]
    fn a_sealed_value_opens_in_its_place_only() {
        let ring = ring();
        let phone = cell("people.phone", 1);
        let sealed = ring.seal(&phone, b"13800000000").unwrap();
        assert_eq!(ring.open(&phone, &sealed).unwrap(), b"13800000000");
        assert!(ring.open(&cell("people.name", 1), &sealed).is_err(), "another column");
        assert!(ring.open(&cell("people.phone", 2), &sealed).is_err(), "another row");
        let mut changed = sealed.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert!(ring.open(&phone, &changed).is_err());
        assert!(ring.open(&phone, &sealed[..10]).is_err());
        assert_ne!(sealed, ring.seal(&phone, b"13800000000").unwrap(), "equal values look different");
    }

    #[test]
    fn no_two_rows_have_the_same_binding() {
        let key = |parts: &[&str]| {
            let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
            Cell::keyed("t.c", &parts)
        };
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_ne!(key(&["ab", ""]), key(&["ab"]));
        assert_eq!(cell("t.c", 1), Cell::keyed("t.c", &[Uuid::from_u128(1).as_bytes()]));
    }

    #[test]
    fn an_older_key_still_opens() {
        let key = STANDARD.encode([7; 32]);
        let hash = STANDARD.encode([9; 32]);
        let before = KeyRing::parse(&format!("1 {key}\nhash {hash}")).unwrap();
        let after = KeyRing::parse(&format!("1 {key}\n2 {} # new\nhash {hash}", STANDARD.encode([8; 32]))).unwrap();
        let x = cell("x", 1);
        let sealed = before.seal(&x, b"value").unwrap();
        assert_eq!(after.open(&x, &sealed).unwrap(), b"value");
        assert!(before.open(&x, &after.seal(&x, b"value").unwrap()).is_err());
        assert_eq!(before.hash("x", "value"), after.hash("x", "value"));
        assert_ne!(before.hash("x", "value"), before.hash("y", "value"));
    }

    #[test]
    fn a_key_file_says_what_is_wrong() {
        assert_eq!(KeyRing::parse("").err(), Some(KeyRingError::NoKey));
        assert_eq!(KeyRing::parse("1 short").err(), Some(KeyRingError::Line(1)));
        let key = STANDARD.encode([7; 32]);
        assert_eq!(KeyRing::parse(&format!("1 {key}")).err(), Some(KeyRingError::NoHashKey));
    }
}

//! The form in which a file lies in the object store: sealed (encrypted) in chunks, so that a part of it can be read
//! without the rest.
//!
//! ```text
//! version (1) ‖ length of the sealed key (2) ‖ sealed key ‖ chunk 0 ‖ chunk 1 ‖ …
//! ```
//!
//! Each file has a fresh key of its own. The key ring seals this key for the path of the file, so a file that was moved
//! to another path does not open. A chunk is 64 KiB of the content, sealed with AES-256-GCM; the last one may be
//! shorter. Its nonce is its number and a mark of the last chunk: the STREAM construction (Hoang, Reyhanitabar, Rogaway
//! and Vizár, CRYPTO 2015), as age and Tink use it. So chunks that were swapped, cut off, added or taken from another
//! file do not open. A key seals the chunks of one file only, so no nonce is used twice.

use std::ops::Range;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bytes::BytesMut;

use crate::domain::kernel::clock::random_bytes;
use crate::store::seal::Cell;
use crate::store::{KeyRing, StoreError};

const VERSION: u8 = 1;
const KEY: usize = 32;
const TAG: usize = 16;
/// The bytes before the sealed key: the version, and the length of the sealed key.
const BEFORE_KEY: usize = 3;
/// The content of a whole chunk, in bytes.
pub const CHUNK: usize = 64 * 1024;
/// A whole chunk with its tag, in bytes.
pub const SEALED_CHUNK: usize = CHUNK + TAG;
/// No header is longer than this, in bytes.
pub const LONGEST_HEADER: u64 = 512;

#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("the file has no header that this release can read")]
    Header,
    #[error("the file has a size that no sealed file has")]
    Size,
    #[error("chunk {0} was changed, moved or cut off")]
    Chunk(u32),
    #[error(transparent)]
    Key(#[from] StoreError),
}

/// The key that seals the chunks of one file.
pub struct FileKey(LessSafeKey);

impl FileKey {
    /// Makes a key for a new file at `path`. Returns the key and the header of the file.
    pub fn fresh(keys: &KeyRing, path: &str) -> Result<(Self, Vec<u8>), SealError> {
        let key: [u8; KEY] = random_bytes();
        let sealed = keys.seal(&place(path), &key)?;
        let length = u16::try_from(sealed.len()).map_err(|_| SealError::Header)?;
        let header = [&[VERSION][..], &length.to_be_bytes(), &sealed].concat();
        Ok((Self::of(&key)?, header))
    }

    /// Makes a key that is never stored, for a file that lives as long as the process.
    pub fn passing() -> Result<Self, SealError> {
        Self::of(&random_bytes::<KEY>())
    }

    /// Reads the header at the beginning of a file. Returns the key and the length of the header.
    pub fn open(keys: &KeyRing, path: &str, begin: &[u8]) -> Result<(Self, u64), SealError> {
        let (header, rest) = begin.split_at_checked(BEFORE_KEY).ok_or(SealError::Header)?;
        let &[VERSION, high, low] = header else { return Err(SealError::Header) };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let sealed = rest.get(..length).ok_or(SealError::Header)?;
        Ok((Self::of(&keys.open(&place(path), sealed)?)?, (BEFORE_KEY + length) as u64))
    }

    fn of(key: &[u8]) -> Result<Self, SealError> {
        UnboundKey::new(&AES_256_GCM, key).map(|key| Self(LessSafeKey::new(key))).map_err(|_| SealError::Header)
    }

    /// Seals a chunk. `content` has at most [`CHUNK`] bytes, and all chunks but the last have exactly that many.
    pub fn seal(&self, number: u32, is_last: bool, content: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut chunk = Vec::with_capacity(content.len() + TAG);
        chunk.extend_from_slice(content);
        let sealed = self.0.seal_in_place_append_tag(nonce(number, is_last), Aad::empty(), &mut chunk);
        sealed.map(|()| chunk).map_err(|_| SealError::Chunk(number))
    }

    /// Opens a chunk in place.
    pub fn unseal(&self, number: u32, is_last: bool, mut sealed: BytesMut) -> Result<BytesMut, SealError> {
        let opened = self.0.open_in_place(nonce(number, is_last), Aad::empty(), &mut sealed);
        let length = opened.map_err(|_| SealError::Chunk(number))?.len();
        sealed.truncate(length);
        Ok(sealed)
    }
}

fn place(path: &str) -> Cell {
    Cell::keyed("files.key", &[path.as_bytes()])
}

fn nonce(number: u32, is_last: bool) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 5..NONCE_LEN - 1].copy_from_slice(&number.to_be_bytes());
    nonce[NONCE_LEN - 1] = u8::from(is_last);
    Nonce::assume_unique_for_key(nonce)
}

/// Splits a content into its chunks: number, true if it is the last, and the bytes. An empty content has one chunk.
pub fn chunks(content: &[u8]) -> impl Iterator<Item = (u32, bool, &[u8])> {
    let count = content.len().div_ceil(CHUNK).max(1);
    (0..count).map(move |at| {
        let end = content.len().min((at + 1) * CHUNK);
        (u32::try_from(at).unwrap_or(u32::MAX), at + 1 == count, &content[at * CHUNK..end])
    })
}

/// The sizes of a sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The length of the header in bytes.
    pub header: u64,
    /// The length of the content in bytes.
    pub content: u64,
    /// The number of chunks.
    pub chunks: u64,
}

impl Layout {
    /// Computes the sizes of a file of `size` bytes whose header has `header` bytes.
    pub fn of(size: u64, header: u64) -> Result<Self, SealError> {
        let body = size.checked_sub(header).ok_or(SealError::Size)?;
        let chunks = body.div_ceil(SEALED_CHUNK as u64);
        let content = body.checked_sub(chunks * TAG as u64).filter(|_| chunks > 0).ok_or(SealError::Size)?;
        // The last chunk of several is never empty.
        if chunks > 1 && content <= (chunks - 1) * CHUNK as u64 || chunks > u64::from(u32::MAX) {
            return Err(SealError::Size);
        }
        Ok(Self { header, content, chunks })
    }

    /// Returns the bytes of the file that contain this range of the content, and the number of the first chunk in them.
    /// The range must not be empty, and must not end after the content.
    pub fn sealed(self, range: &Range<u64>) -> (Range<u64>, u64) {
        let first = range.start / CHUNK as u64;
        let after = range.end.div_ceil(CHUNK as u64);
        let at = |chunk: u64| self.header + chunk * SEALED_CHUNK as u64;
        let end = at(after).min(self.header + self.content + self.chunks * TAG as u64);
        (at(first)..end, first)
    }

    /// True if the chunk with this number is the last one.
    pub const fn is_last(self, number: u64) -> bool {
        number + 1 == self.chunks
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ring() -> KeyRing {
        KeyRing::parse(KeyRing::fresh_file().expose()).unwrap()
    }

    fn sealed_chunks(key: &FileKey, content: &[u8]) -> Vec<Vec<u8>> {
        chunks(content).map(|(number, is_last, chunk)| key.seal(number, is_last, chunk).unwrap()).collect()
    }

    fn open(key: &FileKey, number: u32, is_last: bool, sealed: &[u8]) -> Option<Vec<u8>> {
        key.unseal(number, is_last, BytesMut::from(sealed)).ok().map(|content| content.to_vec())
    }

    #[test]
    fn chunks_open_in_their_place_only() {
        let ring = ring();
        let (key, header) = FileKey::fresh(&ring, "2026-11-30/upl_1").unwrap();
        let content = [vec![1; CHUNK], vec![2; CHUNK], vec![3; 10]].concat();
        let sealed = sealed_chunks(&key, &content);
        assert_eq!(open(&key, 0, false, &sealed[0]).unwrap(), vec![1; CHUNK]);
        assert_eq!(open(&key, 2, true, &sealed[2]).unwrap(), vec![3; 10]);
        assert!(open(&key, 0, false, &sealed[1]).is_none(), "swapped");
        assert!(open(&key, 1, true, &sealed[1]).is_none(), "cut off after it");
        assert!(open(&key, 2, false, &sealed[2]).is_none(), "more was added");
        assert!(open(&key, 2, true, &sealed[2][1..]).is_none());
        let (other, _) = FileKey::fresh(&ring, "2026-11-30/upl_1").unwrap();
        assert!(open(&other, 0, false, &sealed[0]).is_none(), "taken from another file");

        let (read, length) = FileKey::open(&ring, "2026-11-30/upl_1", &header).unwrap();
        assert_eq!((length, open(&read, 1, false, &sealed[1]).unwrap()), (header.len() as u64, vec![2; CHUNK]));
        assert!(FileKey::open(&ring, "2026-11-30/upl_2", &header).is_err(), "moved to another path");
        assert!(FileKey::open(&ring, "2026-11-30/upl_1", &header[1..]).is_err());
        assert!(FileKey::open(&ring, "2026-11-30/upl_1", &header[..9]).is_err());
        assert!(FileKey::open(&self::ring(), "2026-11-30/upl_1", &header).is_err(), "another key ring");
    }

    proptest! {
        #[test]
        fn the_layout_is_read_back_from_the_size(
            length in prop_oneof![0_usize..5, CHUNK - 2..CHUNK + 3, 0..4 * CHUNK],
            header in 0_u64..100,
        ) {
            let (key, _) = FileKey::fresh(&ring(), "x").unwrap();
            let sealed: usize = sealed_chunks(&key, &vec![0; length]).iter().map(Vec::len).sum();
            let layout = Layout::of(header + sealed as u64, header).unwrap();
            prop_assert_eq!(layout.content, length as u64);
            prop_assert_eq!(layout.chunks, length.div_ceil(CHUNK).max(1) as u64);
            prop_assert!(layout.is_last(layout.chunks - 1));
        }

        #[test]
        fn a_range_is_in_the_chunks_that_are_read_for_it(content in 1_u64..400_000, ends in any::<(u64, u64)>()) {
            let layout = Layout::of(content + content.div_ceil(CHUNK as u64) * TAG as u64, 0).unwrap();
            let start = ends.0 % content;
            let end = start + 1 + ends.1 % (content - start);
            let (sealed, first) = layout.sealed(&(start..end));
            prop_assert_eq!(sealed.start, first * SEALED_CHUNK as u64);
            let count = (sealed.end - sealed.start).div_ceil(SEALED_CHUNK as u64);
            let opened = first * CHUNK as u64..content.min((first + count) * CHUNK as u64);
            prop_assert!(opened.start <= start && end <= opened.end);
            prop_assert!(start - opened.start < CHUNK as u64 && opened.end - end < CHUNK as u64, "no chunk too many");
        }
    }
}

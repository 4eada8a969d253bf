//! A file that is arriving. A slow phone may need minutes, so the content waits on the disk and not in memory. There
//! it is sealed under a key that only this process has, in a temporary file without a name: nothing readable is left
//! behind, whatever happens to the process.

use std::io::{self, SeekFrom};

use bytes::BytesMut;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use super::sealed::{CHUNK, FileKey, SEALED_CHUNK, SealError};

/// A content that has arrived.
pub struct Spool {
    file: File,
    key: FileKey,
    length: u64,
}

impl Spool {
    /// Takes in a content until its end. The caller limits its length.
    pub async fn fill(mut content: impl AsyncRead + Unpin) -> io::Result<Self> {
        let key = FileKey::passing().map_err(io::Error::other)?;
        let mut file = File::from_std(tempfile::tempfile()?);
        let mut length = 0;
        let mut number = 0;
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            (&mut content).take(CHUNK as u64).read_to_end(&mut chunk).await?;
            length += chunk.len() as u64;
            // The end needs no mark: this process knows the length.
            file.write_all(&key.seal(number, false, &chunk).map_err(io::Error::other)?).await?;
            if chunk.len() < CHUNK {
                break;
            }
            number = number.checked_add(1).ok_or(SealError::Size).map_err(io::Error::other)?;
        }
        file.flush().await?;
        file.seek(SeekFrom::Start(0)).await?;
        Ok(Self { file, key, length })
    }

    /// The length of the content in bytes.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Reads the whole content into memory.
    pub async fn read(mut self) -> io::Result<Vec<u8>> {
        let mut content = Vec::with_capacity(usize::try_from(self.length).map_err(io::Error::other)?);
        let mut number = 0;
        while (content.len() as u64) < self.length {
            let mut sealed = BytesMut::with_capacity(SEALED_CHUNK);
            let mut chunk = (&mut self.file).take(SEALED_CHUNK as u64);
            while chunk.read_buf(&mut sealed).await? > 0 {}
            content.extend_from_slice(&self.key.unseal(number, false, sealed).map_err(io::Error::other)?);
            number += 1;
        }
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_content_is_read_as_it_arrived() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 9] {
            let content: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let spool = Spool::fill(&content[..]).await.unwrap();
            assert_eq!((spool.length(), spool.read().await.unwrap()), (length as u64, content));
        }
    }

    #[tokio::test]
    async fn the_disk_has_nothing_readable() {
        let mut spool = Spool::fill(&b"320422198506150024"[..]).await.unwrap();
        let mut kept = Vec::new();
        spool.file.read_to_end(&mut kept).await.unwrap();
        assert!(kept.len() > 18 && !kept.windows(6).any(|part| part == b"320422"));
    }
}

//! The object store: a folder, or a service that speaks S3. Every file in it is sealed ([`super::sealed`]), written
//! whole or not at all, and can be read in ranges. Paths contain no personal data; only the database knows the owner of
//! a file.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayloadMut, WriteMultipart};
use url::Url;

use super::sealed::{CHUNK, FileKey, LONGEST_HEADER, Layout, SEALED_CHUNK, SealError, chunks};
use crate::domain::kernel::clock::{fresh_uuid, random_bytes};
use crate::store::KeyRing;

#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("the files are unavailable: {0}")]
    Objects(#[from] object_store::Error),
    #[error("the file {path} does not open: {source}")]
    Sealed { path: String, source: SealError },
    #[error("the folder of the files cannot be made: {0}")]
    Folder(#[source] std::io::Error),
    /// The thread that worked on a file died.
    #[error("a file could not be worked on: {0}")]
    Broken(String),
}

/// The content of a file or of a part of it, as a stream.
pub type Content = BoxStream<'static, Result<Bytes, FilesError>>;

/// Larger files are written in parts of this size, so that only a part of the sealed form is in memory. S3 takes parts
/// of at least 5 MiB.
const PART: usize = 5 << 20;
/// The maximum number of parts that are under way at once.
const PARTS_AT_ONCE: usize = 2;

/// The sealed files of an installation. Clones share them.
#[derive(Clone)]
pub struct SealedStore {
    objects: Arc<dyn ObjectStore>,
    keys: KeyRing,
}

impl SealedStore {
    /// Opens a store. A missing folder is created, and only this user may enter it.
    pub fn new(place: &Url, options: Vec<(&'static str, String)>, keys: KeyRing) -> Result<Self, FilesError> {
        let objects: Arc<dyn ObjectStore> = match place.to_file_path() {
            Ok(folder) => {
                make_folder(&folder).map_err(FilesError::Folder)?;
                // A row is written after its file, so the file must survive a loss of power as surely as the row.
                Arc::new(LocalFileSystem::new_with_prefix(folder)?.with_fsync(true))
            }
            Err(()) => {
                let (objects, prefix) = object_store::parse_url_opts(place, options)?;
                Arc::new(PrefixStore::new(Arc::<dyn ObjectStore>::from(objects), prefix))
            }
        };
        Ok(Self { objects, keys })
    }

    /// Seals and writes a file. A file that exists is replaced. Beside `content`, about 15 MiB at most are in memory.
    pub async fn put(&self, path: &str, content: &[u8]) -> Result<(), FilesError> {
        let location = Path::from(path);
        let (key, header) = FileKey::fresh(&self.keys, path).map_err(sealed(path))?;
        let seal = |(number, is_last, chunk)| key.seal(number, is_last, chunk).map_err(sealed(path));
        if content.len() <= PART {
            let mut whole = PutPayloadMut::new();
            whole.push(header.into());
            for chunk in chunks(content) {
                whole.push(seal(chunk)?.into());
            }
            self.objects.put(&location, whole.freeze()).await?;
            return Ok(());
        }
        let upload = self.objects.put_multipart(&location).await?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, PART);
        parts.put(header.into());
        for chunk in chunks(content) {
            if let Err(error) = add_chunk(&mut parts, seal(chunk)).await {
                parts.abort().await?;
                return Err(error);
            }
        }
        // If this fails, it also removes the parts.
        parts.finish().await?;
        Ok(())
    }

    /// Finds a file and opens its key.
    pub async fn open(&self, path: &str) -> Result<SealedFile, FilesError> {
        let location = Path::from(path);
        let range = Some(GetRange::Bounded(0..LONGEST_HEADER));
        let found = self.objects.get_opts(&location, GetOptions { range, ..GetOptions::default() }).await?;
        let size = found.meta.size;
        let begin = found.bytes().await?;
        let (key, header) = FileKey::open(&self.keys, path, &begin).map_err(sealed(path))?;
        let layout = Layout::of(size, header).map_err(sealed(path))?;
        Ok(SealedFile { objects: Arc::clone(&self.objects), path: path.to_owned(), key: Arc::new(key), layout })
    }

    /// Removes a file. A missing file is no error: it may have been removed before.
    pub async fn remove(&self, path: &str) -> Result<(), FilesError> {
        match self.objects.delete(&Path::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes, reads and deletes a trial file, to check that the store works.
    pub async fn try_out(&self) -> Result<(), FilesError> {
        let path = format!("trial/{}", fresh_uuid());
        let content = random_bytes::<32>();
        self.put(&path, &content).await?;
        let read = self.open(&path).await?.read().await?;
        self.remove(&path).await?;
        if read == content {
            return Ok(());
        }
        Err(FilesError::Broken("the content that was read differs from the one that was written".to_owned()))
    }
}

/// Adds a chunk to the part that is being made. Waits while too many parts are under way.
async fn add_chunk(parts: &mut WriteMultipart, chunk: Result<Vec<u8>, FilesError>) -> Result<(), FilesError> {
    parts.wait_for_capacity(PARTS_AT_ONCE).await?;
    parts.put(chunk?.into());
    Ok(())
}

impl fmt::Debug for SealedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.objects)
    }
}

/// A file whose key is open.
pub struct SealedFile {
    objects: Arc<dyn ObjectStore>,
    path: String,
    key: Arc<FileKey>,
    layout: Layout,
}

impl SealedFile {
    /// The length of the content in bytes.
    pub const fn length(&self) -> u64 {
        self.layout.content
    }

    /// Returns a range of the content as a stream. The range is cut at the end of the content. Each piece is checked
    /// before it is passed on.
    pub async fn read_range(&self, range: Range<u64>) -> Result<Content, FilesError> {
        let range = range.start..range.end.min(self.layout.content);
        if range.is_empty() {
            return Ok(futures_util::stream::empty().boxed());
        }
        let (bytes, first) = self.layout.sealed(&range);
        let options = GetOptions { range: Some(GetRange::Bounded(bytes.clone())), ..GetOptions::default() };
        let input = self.objects.get_opts(&Path::from(self.path.as_str()), options).await?.into_stream();
        let opening = Opening {
            input: input.map_err(FilesError::from).boxed(),
            sealed: BytesMut::with_capacity(SEALED_CHUNK),
            left: bytes.end - bytes.start,
            number: first,
            range,
            key: Arc::clone(&self.key),
            layout: self.layout,
            path: self.path.clone(),
        };
        Ok(futures_util::stream::try_unfold(opening, Opening::next).boxed())
    }

    /// Reads the whole content.
    pub async fn read(&self) -> Result<Vec<u8>, FilesError> {
        let mut content = Vec::with_capacity(usize::try_from(self.length()).unwrap_or_default());
        let mut pieces = self.read_range(0..self.length()).await?;
        while let Some(piece) = pieces.try_next().await? {
            content.extend_from_slice(&piece);
        }
        Ok(content)
    }
}

/// A range that is being read.
struct Opening {
    input: Content,
    /// The part of the next chunk that has arrived, and perhaps more.
    sealed: BytesMut,
    /// The number of sealed bytes that are not opened yet.
    left: u64,
    /// The number of the next chunk.
    number: u64,
    /// The wanted range of the content.
    range: Range<u64>,
    key: Arc<FileKey>,
    layout: Layout,
    path: String,
}

impl Opening {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, FilesError> {
        if self.left == 0 {
            return Ok(None);
        }
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(SEALED_CHUNK);
        while self.sealed.len() < wanted {
            let piece = self.input.try_next().await?;
            let piece = piece.ok_or_else(|| sealed(&self.path)(SealError::Size))?;
            self.sealed.extend_from_slice(&piece);
        }
        let chunk = self.sealed.split_to(wanted);
        let number = u32::try_from(self.number).unwrap_or(u32::MAX);
        let opened = self.key.unseal(number, self.layout.is_last(self.number), chunk).map_err(sealed(&self.path))?;
        let begin = self.number * CHUNK as u64;
        let within = |at: u64| usize::try_from(at.saturating_sub(begin)).unwrap_or(usize::MAX).min(opened.len());
        let piece = within(self.range.start)..within(self.range.end);
        self.left -= wanted as u64;
        self.number += 1;
        Ok(Some((opened.freeze().slice(piece), self)))
    }
}

fn sealed(path: &str) -> impl Fn(SealError) -> FilesError {
    move |source| FilesError::Sealed { path: path.to_owned(), source }
}

#[cfg(unix)]
fn make_folder(folder: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &std::path::Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::strategy::{Strategy, ValueTree};

    use super::*;

    fn store() -> (SealedStore, PathBuf) {
        let folder = std::env::temp_dir().join(format!("songda-files-{}", fresh_uuid()));
        let keys = KeyRing::parse(KeyRing::fresh_file().expose()).unwrap();
        (SealedStore::new(&Url::from_directory_path(&folder).unwrap(), Vec::new(), keys).unwrap(), folder)
    }

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    async fn part(file: &SealedFile, range: Range<u64>) -> Result<Vec<u8>, FilesError> {
        let pieces: Vec<Bytes> = file.read_range(range).await?.try_collect().await?;
        Ok(pieces.concat())
    }

    #[tokio::test]
    async fn a_file_is_read_back_and_is_not_readable_on_the_disk() {
        let (store, folder) = store();
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, PART + 3 * CHUNK + 7] {
            let content = content(length);
            store.put("2026-11-23/upl_1", &content).await.unwrap();
            let file = store.open("2026-11-23/upl_1").await.unwrap();
            assert_eq!((file.length(), file.read().await.unwrap()), (length as u64, content), "{length}");
        }
        store.put("2026-11-23/upl_2", b"320422198506150024").await.unwrap();
        let kept = std::fs::read(folder.join("2026-11-23/upl_2")).unwrap();
        assert!(!kept.windows(6).any(|part| part == b"320422"));
        assert!(store.open("2026-11-23/upl_3").await.is_err());
        for _ in 0..2 {
            store.remove("2026-11-23/upl_1").await.unwrap();
            assert!(store.open("2026-11-23/upl_1").await.is_err());
        }
        store.try_out().await.unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn a_changed_moved_or_shortened_file_does_not_open() {
        let (store, folder) = store();
        let whole = content(3 * CHUNK + 5);
        store.put("a/1", &whole).await.unwrap();
        let sealed = std::fs::read(folder.join("a/1")).unwrap();
        let header = sealed.len() - whole.len() - 4 * 16;
        let opens = async |bytes: &[u8], path: &str| {
            std::fs::write(folder.join(path), bytes).unwrap();
            let Ok(file) = store.open(path).await else { return false };
            file.read().await.is_ok()
        };
        assert!(opens(&sealed, "a/1").await);
        assert!(!opens(&sealed, "a/2").await, "moved");
        for at in [0, 5, header - 1, header, sealed.len() / 2, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(!opens(&changed, "a/1").await, "byte {at} was changed");
        }
        for end in [0, header, header + SEALED_CHUNK, header + 2 * SEALED_CHUNK + 3, sealed.len() - 1] {
            assert!(!opens(&sealed[..end], "a/1").await, "cut off after {end} bytes");
        }
        let mut swapped = sealed.clone();
        let (first, second) = swapped[header..].split_at_mut(SEALED_CHUNK);
        first.swap_with_slice(&mut second[..SEALED_CHUNK]);
        assert!(!opens(&swapped, "a/1").await, "two chunks were swapped");
        assert!(!opens(&[&sealed[..], &[0; 40]].concat(), "a/1").await, "something was added");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[tokio::test]
    async fn any_range_is_read() {
        let (store, folder) = store();
        let whole = content(3 * CHUNK + 5);
        store.put("a/1", &whole).await.unwrap();
        let file = store.open("a/1").await.unwrap();
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        for _ in 0..64 {
            let ends = (0..=whole.len(), 0..=whole.len());
            let (a, b) = ends.new_tree(&mut runner).unwrap().current();
            let (start, end) = (a.min(b), a.max(b));
            assert_eq!(part(&file, start as u64..end as u64).await.unwrap(), whole[start..end], "{start}..{end}");
        }
        let end = whole.len() as u64;
        assert_eq!(part(&file, end - 3..end + 100).await.unwrap(), whole[whole.len() - 3..]);
        assert!(part(&file, end + 1..end + 100).await.unwrap().is_empty());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

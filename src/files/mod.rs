//! Files: the sealed object store, the check of what arrives, and the copies of pictures that people are shown.

pub mod inspect;
pub mod sealed;
pub mod sealed_store;
pub mod shown_picture;
pub mod spool;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use crate::domain::application::upload::{FileFault, FileKind};
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::files::inspect::NotTaken;
use crate::files::sealed_store::{SealedFile, SealedStore};
use crate::store::KeyRing;

pub use sealed_store::{Content, FilesError};

/// The files of an installation, and the limits of uploads. Clones share them.
#[derive(Clone)]
pub struct Files {
    store: SealedStore,
    folder: Option<PathBuf>,
    limit: u64,
    most_unused: i64,
    room: Arc<Semaphore>,
    decoding: Arc<Semaphore>,
}

/// The maximum number of uploads whose whole contents one process has in memory: while it checks, seals and writes them.
const AT_ONCE: usize = 8;
/// The maximum number of pictures that one process decodes at once, because a decoded picture may need 400 MB.
const DECODED_AT_ONCE: usize = 1;

/// The value of `SONGDA_UPLOADS`: the path of a folder, or a URL that begins with `file://` or `s3://`.
struct StoreUrl(Url);

impl FromStr for StoreUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if !text.contains("://") {
            let folder = std::path::absolute(text).map_err(|_| ())?;
            return Url::from_directory_path(folder).map(Self);
        }
        let url: Url = text.parse().map_err(|_| ())?;
        matches!(url.scheme(), "file" | "s3").then_some(Self(url)).ok_or(())
    }
}

impl Files {
    /// Reads the settings and opens the store. `keys` is `None` if the key ring has a fault, which is reported already.
    pub fn read(env: &mut Env, keys: Option<KeyRing>) -> Option<Self> {
        let place: Option<StoreUrl> = env.or(
            "SONGDA_UPLOADS",
            "var/uploads",
            "object store of uploads, the same for all processes: a folder, or s3://bucket/prefix",
        );
        let limit = env.or(
            "SONGDA_UPLOAD_LIMIT",
            "10485760",
            "the largest uploaded file in bytes; the API takes at most 20 MiB",
        );
        let most_unused = env.or(
            "SONGDA_UNUSED_UPLOADS",
            "200",
            "the most files that a person may have uploaded without handing them in",
        );
        let options = s3_options(env);
        let place = place?.0;
        let store = SealedStore::new(&place, options, keys?);
        Some(Self {
            folder: place.to_file_path().ok(),
            store: store.map_err(|error| env.fault(format!("SONGDA_UPLOADS: {error}"))).ok()?,
            limit: limit?,
            most_unused: most_unused?,
            room: Arc::new(Semaphore::new(AT_ONCE)),
            decoding: Arc::new(Semaphore::new(DECODED_AT_ONCE)),
        })
    }

    /// The maximum size of an upload in bytes.
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// The maximum number of files that a person may have uploaded without submitting them.
    pub const fn most_unused(&self) -> i64 {
        self.most_unused
    }

    /// Waits until one more content may be in memory. Dropping the permit makes room for the next one.
    pub async fn room(&self) -> Option<SemaphorePermit<'_>> {
        self.room.acquire().await.ok()
    }

    /// Finds the kind of a file and checks its structure, on a thread where that delays no other request.
    pub async fn inspect(&self, content: Arc<Vec<u8>>) -> Result<Result<FileKind, NotTaken>, FilesError> {
        tokio::task::spawn_blocking(move || inspect::inspect(&content)).await.map_err(broken)
    }

    /// Makes the copy of a picture that people are shown. One picture is decoded at a time.
    pub async fn show(
        &self,
        kind: FileKind,
        original: Vec<u8>,
    ) -> Result<Result<(FileKind, Vec<u8>), FileFault>, FilesError> {
        let permit = Arc::clone(&self.decoding).acquire_owned().await.map_err(broken)?;
        let copy = tokio::task::spawn_blocking(move || {
            let copy = shown_picture::encode_again(kind, original);
            drop(permit); // Held by the thread: the caller may give up earlier.
            copy
        });
        match copy.await {
            Ok(copy) => Ok(copy),
            // A decoder that panics does so again.
            Err(error) if error.is_panic() => Ok(Err(FileFault::Unreadable)),
            Err(error) => Err(broken(error)),
        }
    }

    /// Seals and writes a file completely, or not at all.
    pub async fn write(&self, path: &str, content: &[u8]) -> Result<(), FilesError> {
        self.store.put(path, content).await
    }

    pub async fn open(&self, path: &str) -> Result<SealedFile, FilesError> {
        self.store.open(path).await
    }

    /// Removes a file. A missing file is no error: it may have been removed before.
    pub async fn remove(&self, path: &str) -> Result<(), FilesError> {
        self.store.remove(path).await
    }

    /// The folder of the store; `None` if it is a bucket.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Writes, reads and deletes a trial file, to check that the store works.
    pub async fn try_out(&self) -> Result<(), FilesError> {
        self.store.try_out().await
    }
}

fn broken(error: impl std::fmt::Display) -> FilesError {
    FilesError::Broken(error.to_string())
}

fn s3_options(env: &mut Env) -> Vec<(&'static str, String)> {
    let endpoint =
        env.optional("SONGDA_UPLOADS_ENDPOINT", "address of the S3-compatible service, if it is not Amazon's");
    let region = env.optional("SONGDA_UPLOADS_REGION", "region of the S3 bucket");
    let key_id = env.optional("SONGDA_UPLOADS_KEY_ID", "id of the key to the S3 bucket");
    let secret = env.optional_secret("SONGDA_UPLOADS_SECRET", "the key to the S3 bucket").map(Private::into_exposed);
    let names = ["aws_endpoint", "aws_region", "aws_access_key_id", "aws_secret_access_key"];
    let options = names.into_iter().zip([endpoint, region, key_id, secret]);
    options.filter_map(|(name, value)| Some((name, value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_a_folder_or_a_bucket() {
        let place = |text: &str| text.parse::<StoreUrl>().ok().map(|place| place.0.to_string());
        assert_eq!(place("/srv/uploads").as_deref(), Some("file:///srv/uploads/"));
        assert_eq!(place("s3://bucket/prefix").as_deref(), Some("s3://bucket/prefix"));
        assert_eq!(place("ftp://host/folder"), None);
    }
}

//! The object store of uploads: a folder, or a service that speaks S3. Paths contain no personal data. Only the
//! database knows the owner of an upload.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use crate::domain::kernel::clock::{fresh_uuid, random_bytes};
use crate::domain::kernel::private::Private;
use crate::env::Env;

#[derive(Debug, thiserror::Error)]
#[error("the files are unavailable: {0}")]
pub struct FilesError(#[from] object_store::Error);

/// The object store. Clones share it.
#[derive(Clone)]
pub struct Files {
    objects: Arc<dyn ObjectStore>,
    limit: u64,
    most_unused: i64,
    room: Arc<Semaphore>,
}

/// The maximum number of simultaneous uploads of one process. Each is in memory until it is complete and checked.
const AT_ONCE: usize = 16;

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
    /// Reads the settings and opens the store.
    pub fn read(env: &mut Env) -> Option<Self> {
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
        let files = Self::new(&place?.0, options, limit?, most_unused?);
        files.map_err(|error| env.fault(format!("SONGDA_UPLOADS: {error}"))).ok()
    }

    /// Opens a store. A missing folder is created.
    pub fn new(
        place: &Url,
        options: Vec<(&'static str, String)>,
        limit: u64,
        most_unused: i64,
    ) -> Result<Self, FilesError> {
        if let Ok(folder) = place.to_file_path() {
            std::fs::create_dir_all(&folder)
                .map_err(|source| object_store::Error::Generic { store: "file", source: Box::new(source) })?;
        }
        let (objects, prefix) = object_store::parse_url_opts(place, options)?;
        let objects = Arc::new(PrefixStore::new(Arc::<dyn ObjectStore>::from(objects), prefix));
        Ok(Self { objects, limit, most_unused, room: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// The maximum size of an upload in bytes.
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// The maximum number of files that a person may have uploaded without submitting them.
    pub const fn most_unused(&self) -> i64 {
        self.most_unused
    }

    /// Waits until one more upload may begin. Dropping the permit lets the next upload begin.
    pub async fn room(&self) -> Option<SemaphorePermit<'_>> {
        self.room.acquire().await.ok()
    }

    /// Writes a file completely, or not at all.
    pub async fn write(&self, path: &str, content: Bytes) -> Result<(), FilesError> {
        self.objects.put(&Path::from(path), PutPayload::from_bytes(content)).await?;
        Ok(())
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
        let path = Path::from(format!("trial/{}", fresh_uuid()));
        let content = random_bytes::<32>();
        self.objects.put(&path, PutPayload::from(content.to_vec())).await?;
        let read = self.objects.get(&path).await?.bytes().await?;
        self.objects.delete(&path).await?;
        if read == content[..] {
            return Ok(());
        }
        let source = "the content that was read differs from the one that was written".into();
        Err(object_store::Error::Generic { store: "trial", source }.into())
    }

    /// Opens a file, and returns its bytes as a stream.
    pub async fn open(&self, path: &str) -> Result<BoxStream<'static, Result<Bytes, FilesError>>, FilesError> {
        use futures_util::StreamExt;
        let found = self.objects.get(&Path::from(path)).await?;
        Ok(found.into_stream().map(|piece| piece.map_err(FilesError::from)).boxed())
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.objects)
    }
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
    use futures_util::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn a_written_content_is_read_back() {
        let folder = std::env::temp_dir().join(format!("songda-files-{}", fresh_uuid()));
        let mut env = Env::of([("SONGDA_UPLOADS", folder.display().to_string())]);
        let files = Files::read(&mut env).unwrap();
        files.write("2026-11-23/upl_1", Bytes::from_static(b"content")).await.unwrap();
        let pieces: Vec<Bytes> = files.open("2026-11-23/upl_1").await.unwrap().try_collect().await.unwrap();
        assert_eq!(pieces.concat(), b"content");
        assert!(folder.join("2026-11-23/upl_1").is_file());
        assert!(files.open("2026-11-23/upl_2").await.is_err());
        for _ in 0..2 {
            files.remove("2026-11-23/upl_1").await.unwrap();
            assert!(files.open("2026-11-23/upl_1").await.is_err());
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_store_is_a_folder_or_a_bucket() {
        let place = |text: &str| text.parse::<StoreUrl>().ok().map(|place| place.0.to_string());
        assert_eq!(place("/srv/uploads").as_deref(), Some("file:///srv/uploads/"));
        assert_eq!(place("s3://bucket/prefix").as_deref(), Some("s3://bucket/prefix"));
        assert_eq!(place("ftp://host/folder"), None);
    }
}

//! Where the contents of uploads lie: a folder, or anything that speaks S3. Only the record knows whose they are; a
//! path says nothing about anybody.

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

/// Why a content cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("the files are unavailable: {0}")]
pub struct FilesError(#[from] object_store::Error);

/// The object store. Cloning shares it.
#[derive(Clone)]
pub struct Files {
    objects: Arc<dyn ObjectStore>,
    limit: u64,
    most_unused: i64,
    room: Arc<Semaphore>,
}

/// Uploads that one process takes at a time: each is held in memory until it is whole and known to be sound.
const AT_ONCE: usize = 16;

/// Where the files are, as a setting: a folder or an address.
struct Place(Url);

impl FromStr for Place {
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
    /// Reads where the files are.
    pub fn read(env: &mut Env) -> Option<Self> {
        let place: Option<Place> = env.or(
            "SONGDA_UPLOADS",
            "var/uploads",
            "where uploads are kept, the same for all processes: a folder, or s3://bucket/prefix",
        );
        let limit = env.or(
            "SONGDA_UPLOAD_LIMIT",
            "10485760",
            "how large an uploaded file may be, in bytes; the API takes 20 MiB at the most",
        );
        let most_unused = env.or(
            "SONGDA_UNUSED_UPLOADS",
            "200",
            "how many files a person may have uploaded that are not handed in yet",
        );
        let options = s3_options(env);
        let files = Self::new(&place?.0, options, limit?, most_unused?);
        files.map_err(|error| env.fault(format!("SONGDA_UPLOADS: {error}"))).ok()
    }

    /// Opens a place; a folder is made when it is not there.
    ///
    /// # Errors
    /// When the address, or the folder that it names, cannot be used.
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

    /// How long a content may be, in bytes.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// How many files a person may have that are not handed in.
    #[must_use]
    pub const fn most_unused(&self) -> i64 {
        self.most_unused
    }

    /// Waits until there is room for one more upload. The room is taken until the permit is dropped.
    pub async fn room(&self) -> Option<SemaphorePermit<'_>> {
        self.room.acquire().await.ok()
    }

    /// Writes a content: wholly, or not at all.
    pub async fn write(&self, path: &str, content: Bytes) -> Result<(), FilesError> {
        self.objects.put(&Path::from(path), PutPayload::from_bytes(content)).await?;
        Ok(())
    }

    /// Removes a content, which may be gone already.
    ///
    /// # Errors
    /// When it may still be there.
    pub async fn remove(&self, path: &str) -> Result<(), FilesError> {
        match self.objects.delete(&Path::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes something, reads it back and deletes it again: the place can be used.
    ///
    /// # Errors
    /// When any of these fails, or something else is read than was written.
    pub async fn try_out(&self) -> Result<(), FilesError> {
        let (path, content) = (Path::from(format!("trial/{}", fresh_uuid())), random_bytes::<32>());
        self.objects.put(&path, PutPayload::from(content.to_vec())).await?;
        let read = self.objects.get(&path).await?.bytes().await?;
        self.objects.delete(&path).await?;
        if read == content[..] {
            return Ok(());
        }
        let source = "something else is read than was written".into();
        Err(object_store::Error::Generic { store: "trial", source }.into())
    }

    /// Reads a content, piece by piece.
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
    let settings: [Option<(&'static str, String)>; 3] = [
        env.optional("SONGDA_UPLOADS_ENDPOINT", "address of the S3-compatible service, if it is not Amazon's")
            .map(|text| ("aws_endpoint", text)),
        env.optional("SONGDA_UPLOADS_REGION", "region of the S3 bucket").map(|text| ("aws_region", text)),
        env.optional("SONGDA_UPLOADS_KEY_ID", "id of the key to the S3 bucket").map(|text| ("aws_access_key_id", text)),
    ];
    let secret = env.optional_secret("SONGDA_UPLOADS_SECRET", "the key to the S3 bucket");
    let secret = secret.map(Private::into_exposed).map(|text| ("aws_secret_access_key", text));
    settings.into_iter().flatten().chain(secret).collect()
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_back() {
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
    fn a_place_is_a_folder_or_a_bucket() {
        let place = |text: &str| text.parse::<Place>().ok().map(|place| place.0.to_string());
        assert_eq!(place("/srv/uploads").as_deref(), Some("file:///srv/uploads/"));
        assert_eq!(place("s3://bucket/prefix").as_deref(), Some("s3://bucket/prefix"));
        assert_eq!(place("ftp://host/folder"), None);
    }
}

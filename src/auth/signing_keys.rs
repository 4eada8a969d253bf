//! The keys that sign access tokens: a folder with one `<kid>.pem` (PKCS#8, P-256) for each key.
//!
//! To replace a key, an operator adds a new one, and removes the old key when its last token has expired. No restart is
//! needed: each process reads the folder every few seconds, and also when a token names an unknown key.
//!
//! Every key in the folder verifies tokens, but only one key signs them. Of the keys that are at least [`RIPE_AFTER`]
//! old, it is the last by name. A key of that age is known to every process. The last name must belong to the newest
//! key, so names must sort by time, as those of `songda keys rotate` do: `20261123T080000.pem`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use pem::{EncodeConfig, LineEnding, Pem};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::domain::kernel::clock::{Instant, Stopwatch};
use crate::domain::kernel::private::Private;

/// The age from which a key is allowed to sign, counted from the modification time of its file. It leaves time to copy
/// the file to every machine. If no key is that old, the first by name signs. It is the oldest, and so the most likely
/// to be on every machine.
pub const RIPE_AFTER: Duration = Duration::from_secs(3600);
/// How often a process reads the folder. A removed key opens nothing any more after this time.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The minimum time between two reads of the folder that callers cause, by an unknown key id or by a request for the
/// public keys. Without it a caller could cause any number of reads.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// The PEM label of a PKCS#8 private key (RFC 7468 §10).
const PKCS8: &str = "PRIVATE KEY";

#[derive(Debug, thiserror::Error)]
pub enum SigningKeysError {
    #[error("{path} cannot be read")]
    Unreadable {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{0} is not a P-256 private key in PKCS#8 PEM")]
    NotAKey(String),
    #[error("there is no .pem file in {0}")]
    Empty(String),
}

/// The signing keys in memory. Cloning shares them.
#[derive(Clone)]
pub struct SigningKeys(Arc<Shared>);

struct Shared {
    /// The folder of the keys. `None` if the keys were given as texts; they then never change.
    folder: Option<PathBuf>,
    ring: RwLock<Arc<Ring>>,
    /// Measures the time since a caller last caused a read of the folder. `None` if no caller has caused one yet.
    looked: Mutex<Option<Stopwatch>>,
}

/// The keys by their ids.
type Ring = BTreeMap<String, Arc<SigningKey>>;

pub struct SigningKey {
    pub signs: EncodingKey,
    pub verifies: DecodingKey,
    x: String,
    y: String,
    /// The modification time of the key's file.
    since: Instant,
}

impl SigningKeys {
    pub fn load(folder: &Path) -> Result<Self, SigningKeysError> {
        Ok(Self::new(read(&key_files(folder)?)?, Some(folder.to_owned())))
    }

    /// Creates the set of keys from PEM texts and their ids. All of them count as old enough to sign.
    pub fn of(pems: impl IntoIterator<Item = (String, Private<String>)>) -> Result<Self, SigningKeysError> {
        let key = |(kid, pem): (String, Private<String>)| key(kid, pem.expose(), Instant::UNIX_EPOCH);
        let ring = pems.into_iter().map(key).collect::<Result<Ring, _>>()?;
        if ring.is_empty() { Err(SigningKeysError::Empty("the ring".to_owned())) } else { Ok(Self::new(ring, None)) }
    }

    /// Creates an empty set, for a process that neither issues nor verifies tokens.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Ring::new(), None)
    }

    fn new(ring: Ring, folder: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared { folder, ring: RwLock::new(Arc::new(ring)), looked: Mutex::default() }))
    }

    /// Reads the folder again. If a file cannot be read as a key, the keys in memory stay in use, except those whose
    /// files are gone: an operator who removes a leaked key can make a mistake with its successor. If the folder cannot
    /// be read or is empty, all of them stay, because a lost mount is more likely than the removal of every key.
    pub fn look(&self) -> Result<(), SigningKeysError> {
        let Some(folder) = &self.0.folder else { return Ok(()) };
        let files = key_files(folder)?;
        let (ring, done) = match read(&files) {
            Ok(ring) => (ring, Ok(())),
            Err(error) => {
                let mut ring = Ring::clone(&self.ring());
                ring.retain(|kid, _| files.contains_key(kid));
                (ring, Err(error))
            }
        };
        *self.0.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        done
    }

    pub async fn keep_fresh(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            self.look_or_warn();
        }
    }

    /// Reads the folder again, at most once per [`LOOK_AGAIN_AFTER`]. Called for an unknown key id, and before the
    /// public keys are returned.
    fn look_again(&self) {
        let mut looked = self.0.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.as_ref().is_some_and(|since| since.elapsed() < LOOK_AGAIN_AFTER) {
            return;
        }
        *looked = Some(Stopwatch::start());
        self.look_or_warn();
    }

    fn look_or_warn(&self) {
        if let Err(error) = self.look() {
            tracing::warn!(%error, "the token keys cannot be read again; those in memory stay in use unless removed");
        }
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.0.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the text of a new key file; `None` if the operating system gives no randomness.
    pub fn fresh_pem() -> Option<Private<String>> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
        let block = Pem::new(PKCS8, pair.to_pkcs8v1().ok()?.as_ref());
        Some(Private::new(pem::encode_config(&block, EncodeConfig::new().set_line_ending(LineEnding::LF))))
    }

    /// The public keys as a JSON Web Key Set (RFC 7517). It includes keys that do not sign yet.
    pub fn jwks(&self) -> Value {
        self.look_again();
        let key = |(kid, key): (&String, &Arc<SigningKey>)| json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": key.x, "y": key.y });
        json!({ "keys": self.ring().iter().rev().map(key).collect::<Vec<_>>() })
    }

    /// Returns the key that signs now, with its id.
    pub fn signer(&self, now: Instant) -> Option<(String, Arc<SigningKey>)> {
        let ring = self.ring();
        let newest = ring.iter().rev().find(|(_, key)| key.since + RIPE_AFTER <= now);
        newest.or_else(|| ring.iter().next()).map(|(kid, key)| (kid.clone(), Arc::clone(key)))
    }

    /// Returns the key with this id. If the id is unknown, reads the folder again, because the key may be new.
    pub fn find(&self, kid: &str) -> Option<Arc<SigningKey>> {
        if let Some(key) = self.ring().get(kid) {
            return Some(Arc::clone(key));
        }
        self.look_again();
        self.ring().get(kid).map(Arc::clone)
    }

    /// True if the ring still holds this key under this id.
    pub fn holds(&self, kid: &str, key: &SigningKey) -> bool {
        let ring = self.0.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.get(kid).is_some_and(|held| (&held.x, &held.y) == (&key.x, &key.y))
    }
}

/// Lists the files of keys in a folder, by the ids of the keys.
///
/// # Errors
/// If there is none.
fn key_files(folder: &Path) -> Result<BTreeMap<String, PathBuf>, SigningKeysError> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        let is_pem = path.extension().is_some_and(|extension| extension == "pem");
        if let Some(kid) = path.file_stem().filter(|_| is_pem) {
            files.insert(kid.to_string_lossy().into_owned(), path);
        }
    }
    if files.is_empty() { Err(SigningKeysError::Empty(folder.display().to_string())) } else { Ok(files) }
}

fn read(files: &BTreeMap<String, PathBuf>) -> Result<Ring, SigningKeysError> {
    let read_file = |(kid, path): (&String, &PathBuf)| {
        let pem = std::fs::read_to_string(path).map(Private::new).map_err(|error| unreadable(path, error))?;
        let since = std::fs::metadata(path).and_then(|file| file.modified());
        key(kid.clone(), pem.expose(), since.map_err(|error| unreadable(path, error))?.into())
    };
    files.iter().map(read_file).collect()
}

fn unreadable(path: &Path, source: std::io::Error) -> SigningKeysError {
    SigningKeysError::Unreadable { path: path.display().to_string(), source }
}

fn key(kid: String, pem: &str, since: Instant) -> Result<(String, Arc<SigningKey>), SigningKeysError> {
    match SigningKey::read(pem, since) {
        Some(key) => Ok((kid, Arc::new(key))),
        None => Err(SigningKeysError::NotAKey(kid)),
    }
}

impl SigningKey {
    fn read(pem: &str, since: Instant) -> Option<Self> {
        let der = pem::parse_many(pem).ok()?.into_iter().find(|block| block.tag() == PKCS8)?.into_contents();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok()?;
        // An uncompressed point: 04 ‖ x ‖ y (SEC 1 §2.3.3).
        let (x, y) = pair.public_key().as_ref().strip_prefix(&[4])?.split_at_checked(32)?;
        let x = URL_SAFE_NO_PAD.encode(x);
        let y = URL_SAFE_NO_PAD.encode(y);
        let verifies = DecodingKey::from_ec_components(&x, &y).ok()?;
        Some(Self { signs: EncodingKey::from_ec_der(&der), verifies, x, y, since })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use super::*;
    use crate::domain::kernel::clock::fresh_uuid;

    /// A temporary folder, removed on drop.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("songda-keys-{}", fresh_uuid()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        /// Adds a key file with this modification time.
        fn add(&self, kid: &str, since: Instant) {
            let path = self.0.join(format!("{kid}.pem"));
            std::fs::write(&path, SigningKeys::fresh_pem().unwrap().expose()).unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(SystemTime::from(since)).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn now() -> Instant {
        "2026-11-23T08:00:00Z".parse().unwrap()
    }

    fn signer(keys: &SigningKeys, at: Instant) -> String {
        keys.signer(at).unwrap().0
    }

    #[test]
    fn a_folder_is_read_as_a_ring_and_a_faulty_one_changes_nothing() {
        let folder = Folder::new();
        assert!(matches!(SigningKeys::load(&folder.0), Err(SigningKeysError::Empty(_))));
        folder.add("2026-01-01", now() - 2 * RIPE_AFTER);
        folder.add("2026-11-23", now() - RIPE_AFTER);
        std::fs::write(folder.0.join("readme.txt"), "not a key").unwrap();
        let ring = SigningKeys::load(&folder.0).unwrap();
        assert_eq!(signer(&ring, now()), "2026-11-23");
        assert_eq!(ring.jwks()["keys"].as_array().unwrap().len(), 2);
        std::fs::write(folder.0.join("2027.pem"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
            .unwrap();
        assert!(matches!(SigningKeys::load(&folder.0), Err(SigningKeysError::NotAKey(kid)) if kid == "2027"));
        assert!(ring.look().is_err());
        assert_eq!(signer(&ring, now()), "2026-11-23", "the ring stays as it is");
        std::fs::remove_dir_all(&folder.0).unwrap();
        assert!(matches!(SigningKeys::load(&folder.0), Err(SigningKeysError::Unreadable { .. })));
    }

    #[test]
    fn a_removed_key_is_forgotten_although_another_file_is_no_key() {
        let folder = Folder::new();
        folder.add("1", now() - 2 * RIPE_AFTER);
        folder.add("2", now() - RIPE_AFTER);
        let ring = SigningKeys::load(&folder.0).unwrap();
        std::fs::write(folder.0.join("3.pem"), "half a key").unwrap();
        std::fs::remove_file(folder.0.join("2.pem")).unwrap();
        assert!(ring.look().is_err());
        assert!(ring.find("2").is_none());
        assert_eq!(signer(&ring, now()), "1");
        for left in ["1.pem", "3.pem"] {
            std::fs::remove_file(folder.0.join(left)).unwrap();
        }
        assert!(matches!(ring.look(), Err(SigningKeysError::Empty(_))));
        assert!(ring.find("1").is_some(), "an empty folder changes nothing");
    }

    #[test]
    fn a_key_file_may_hold_other_text_beside_the_key() {
        let fresh = SigningKeys::fresh_pem().unwrap();
        let longest = fresh.expose().lines().map(str::len).max();
        assert!(fresh.expose().starts_with("-----BEGIN PRIVATE KEY-----\n") && longest == Some(64));
        let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        let windows = fresh.expose().replace('\n', "\r\n");
        for text in [format!("{parameters}{}", fresh.expose()), format!("a note\n{}", fresh.expose()), windows] {
            assert!(SigningKeys::of([("1".to_owned(), Private::new(text.clone()))]).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_new_key_verifies_at_once_and_signs_when_every_process_knows_it() {
        let folder = Folder::new();
        folder.add("1", now() - 2 * RIPE_AFTER);
        let ring = SigningKeys::load(&folder.0).unwrap();
        folder.add("2", now());
        assert!(ring.find("2").is_some(), "an unknown key is a reason to read the folder");
        assert_eq!(signer(&ring, now()), "1");
        assert_eq!(signer(&ring, now() + RIPE_AFTER), "2");
        folder.add("3", now());
        assert!(ring.find("3").is_none(), "but not the next moment: anybody can make up names of keys");
        ring.look().unwrap();
        assert!(ring.find("3").is_some(), "the next regular read finds it");
        std::fs::remove_file(folder.0.join("1.pem")).unwrap();
        ring.look().unwrap();
        assert!(ring.find("1").is_none(), "a removed key is forgotten");
        assert_eq!(signer(&ring, now()), "2", "of young keys the first by name signs");
    }

    #[test]
    fn the_key_set_holds_no_secret_and_shows_a_new_key_at_once() {
        let folder = Folder::new();
        folder.add("1", now() - RIPE_AFTER);
        let ring = SigningKeys::load(&folder.0).unwrap();
        folder.add("2", now());
        let keys = ring.jwks();
        let kids: Vec<&str> = keys["keys"].as_array().unwrap().iter().filter_map(|key| key["kid"].as_str()).collect();
        assert_eq!(kids, ["2", "1"]);
        let key = &keys["keys"][0];
        assert_eq!(key["kty"], "EC");
        assert_eq!(key["x"].as_str().unwrap().len(), 43);
        assert!(key.get("d").is_none());
    }
}

//! The keys that sign access tokens: a folder with one `<kid>.pem` (PKCS#8, P-256) each. The newest by name signs, all
//! verify, so a key is replaced by adding one, and the old one is removed when its last token has expired. Name them
//! by their day: `2026-11-23.pem`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};

use crate::domain::private::Private;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Why there are no keys to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeysError {
    /// The folder or a file in it cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file holds something else.
    #[error("{0} is not a P-256 private key in PKCS#8 PEM")]
    NotAKey(String),
    /// The folder holds no `.pem` file.
    #[error("there is no .pem file in {0}")]
    Empty(String),
}

/// A key ring. Cloning shares it.
#[derive(Clone)]
pub struct SigningKeys(Arc<Ring>);

struct Ring {
    newest: String,
    keys: BTreeMap<String, SigningKey>,
}

/// One key of the ring.
pub(super) struct SigningKey {
    pub(super) signs: EncodingKey,
    pub(super) verifies: DecodingKey,
    x: String,
    y: String,
}

impl SigningKeys {
    /// Reads a folder of `<kid>.pem`.
    ///
    /// # Errors
    /// Names the first file that is wrong.
    pub fn load(folder: &Path) -> Result<Self, SigningKeysError> {
        let unreadable =
            |path: &Path, source| SigningKeysError::Unreadable { path: path.display().to_string(), source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
            let path = entry.map_err(|error| unreadable(folder, error))?.path();
            let is_pem = path.extension().is_some_and(|extension| extension == "pem");
            if let Some(kid) = path.file_stem().filter(|_| is_pem) {
                let pem = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
                files.push((kid.to_string_lossy().into_owned(), Private::new(pem)));
            }
        }
        if files.is_empty() {
            return Err(SigningKeysError::Empty(folder.display().to_string()));
        }
        Self::of(files)
    }

    /// A ring of PEM texts by their ids.
    ///
    /// # Errors
    /// Names the first that is no such key.
    pub fn of(pems: impl IntoIterator<Item = (String, Private<String>)>) -> Result<Self, SigningKeysError> {
        let mut keys = BTreeMap::new();
        for (kid, pem) in pems {
            let key = SigningKey::read(pem.expose()).ok_or_else(|| SigningKeysError::NotAKey(kid.clone()))?;
            keys.insert(kid, key);
        }
        let newest = keys.keys().next_back().ok_or_else(|| SigningKeysError::Empty("the ring".to_owned()))?.clone();
        Ok(Self(Arc::new(Ring { newest, keys })))
    }

    /// The text of a fresh key file; `None` when the operating system gives no randomness.
    #[must_use]
    pub fn fresh_pem() -> Option<Private<String>> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
        let text = STANDARD.encode(pair.to_pkcs8v1().ok()?.as_ref());
        let mut lines = vec![BEGIN.to_owned()];
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            lines.push(line.to_owned());
            rest = after;
        }
        lines.push(format!("{END}\n"));
        Some(Private::new(lines.join("\n")))
    }

    /// The public halves as a JSON Web Key Set (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> Value {
        let key = |(kid, key): (&String, &SigningKey)| json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": key.x, "y": key.y });
        json!({ "keys": self.0.keys.iter().rev().map(key).collect::<Vec<_>>() })
    }

    /// The id and the key that sign.
    pub(super) fn newest(&self) -> Option<(&str, &SigningKey)> {
        self.0.keys.get(&self.0.newest).map(|key| (self.0.newest.as_str(), key))
    }

    /// The key of an id.
    pub(super) fn find(&self, kid: &str) -> Option<&SigningKey> {
        self.0.keys.get(kid)
    }
}

impl SigningKey {
    fn read(pem: &str) -> Option<Self> {
        let body = pem.split_once(BEGIN)?.1.split_once(END)?.0;
        let der = STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).ok()?;
        // An uncompressed point: 04 ‖ x ‖ y (SEC 1 §2.3.3).
        let (x, y) = pair.public_key().as_ref().strip_prefix(&[4])?.split_at_checked(32)?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let verifies = DecodingKey::from_ec_components(&x, &y).ok()?;
        Some(Self { signs: EncodingKey::from_ec_der(&der), verifies, x, y })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_a_ring() {
        let folder = std::env::temp_dir().join(format!("songda-keys-{}", crate::domain::clock::fresh_uuid()));
        std::fs::create_dir_all(&folder).unwrap();
        assert!(matches!(SigningKeys::load(&folder), Err(SigningKeysError::Empty(_))));
        for kid in ["2026-01-01", "2026-11-23"] {
            std::fs::write(folder.join(format!("{kid}.pem")), SigningKeys::fresh_pem().unwrap().expose()).unwrap();
        }
        std::fs::write(folder.join("readme.txt"), "not a key").unwrap();
        let ring = SigningKeys::load(&folder).unwrap();
        assert_eq!(ring.newest().unwrap().0, "2026-11-23");
        assert_eq!(ring.jwks()["keys"].as_array().unwrap().len(), 2);
        std::fs::write(folder.join("2027.pem"), format!("{BEGIN}\nAAAA\n{END}\n")).unwrap();
        assert!(matches!(SigningKeys::load(&folder), Err(SigningKeysError::NotAKey(kid)) if kid == "2027"));
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(SigningKeys::load(&folder), Err(SigningKeysError::Unreadable { .. })));
    }

    #[test]
    fn the_key_set_holds_no_secret() {
        let ring = SigningKeys::of([("a".to_owned(), SigningKeys::fresh_pem().unwrap())]).unwrap();
        let key = &ring.jwks()["keys"][0];
        assert_eq!(key["kty"], "EC");
        assert_eq!(key["x"].as_str().unwrap().len(), 43);
        assert!(key.get("d").is_none());
    }
}

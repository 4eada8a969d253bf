//! `songda keys init` and `rotate`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use songda::auth::signing_keys::SigningKeys;
use songda::config::{KEY_RING_FILE, TOKEN_KEYS_FOLDER};
use songda::domain::kernel::clock::Clock;
use songda::domain::kernel::private::Private;
use songda::store::KeyRing;

use super::failure::Failure;

#[derive(Subcommand)]
pub enum Keys {
    /// Make a folder with a new key ring, which seals personal data, and a new token key, which signs access tokens.
    /// The command fails if the folder exists.
    Init {
        /// The folder to make. It must not exist.
        folder: PathBuf,
    },
    /// Add a token key, which signs access tokens. Within five seconds, running processes accept tokens that are signed
    /// with it. They sign with it themselves when it is an hour old.
    Rotate {
        /// The keys folder.
        folder: PathBuf,
    },
}

pub fn run(command: Keys) -> Result<(), Failure> {
    match command {
        Keys::Init { folder } => {
            if let Some(parent) = folder.parent() {
                fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
            }
            fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            write_secret(&folder.join(KEY_RING_FILE), &KeyRing::fresh_file())?;
            fs::create_dir(folder.join(TOKEN_KEYS_FOLDER))?;
            add_token_key(&folder)
        }
        Keys::Rotate { folder } => add_token_key(&folder),
    }
}

/// Adds a token key. The current time is its file name, so that it sorts after all older keys. Of the keys that are old
/// enough, the last by name signs.
fn add_token_key(folder: &Path) -> Result<(), Failure> {
    let pem = SigningKeys::fresh_pem().ok_or("the operating system gives no randomness")?;
    let name = Clock::system().now().format("%Y%m%dT%H%M%S.pem").to_string();
    write_secret(&folder.join(TOKEN_KEYS_FOLDER).join(name), &pem)
}

/// Writes a new file that only its owner can read. Fails if the file exists.
pub(super) fn write_secret(path: &Path, text: &Private<String>) -> Result<(), Failure> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    file.write_all(text.expose().as_bytes())?;
    Ok(())
}

//! Checks the keys folder: that its files have safe permissions, that its keys are readable, and that the key ring
//! opens the sealed data of the database.

use std::fs;
use std::path::{Path, PathBuf};

use songda::auth::signing_keys::SigningKeys;
use songda::config::{KEY_RING_FILE, TOKEN_KEYS_FOLDER, keys_folder};
use songda::env::Env;
use songda::store::{KeyRing, StoreError, condition};

use super::causes::with_causes;
use super::finding::Finding;
use super::installation::Installation;

pub const GROUP: &str = "keys";

const COPY: &str = "restore the keys folder of this installation from its copy; without it personal data is lost";

pub async fn look(installation: &Installation) -> Vec<Finding> {
    let Some(folder) = keys_folder(&mut Env::of_process()) else { return Vec::new() };
    let mut findings = vec![of_rights(&folder), of_tokens(&folder)];
    let path = folder.join(KEY_RING_FILE);
    let text = fs::read_to_string(&path).map_err(|error| with_causes(&error));
    match text.and_then(|text| KeyRing::parse(&text).map_err(|error| with_causes(&error))) {
        Err(why) => findings.push(Finding::fault(GROUP, "ring", format!("{}: {why}", path.display()), COPY)),
        Ok(keys) => findings.push(of_ring(installation, &keys).await),
    }
    findings
}

/// Checks that the key ring opens sealed data from the database.
async fn of_ring(installation: &Installation, keys: &KeyRing) -> Finding {
    let tried = async {
        let Some(database) = &installation.database else { return Ok(None) };
        let mut connection = condition::connect(database.url.expose()).await?;
        condition::try_keys(&mut connection, keys).await.map(Some)
    };
    match tried.await {
        Ok(Some(0)) => {
            Finding::ok(GROUP, "ring", "the key ring is readable; the database has no sealed data yet to try it on")
        }
        Ok(Some(_)) => Finding::ok(GROUP, "ring", "the key ring opens the oldest and the newest sealed phone number"),
        Err(StoreError::Broken(why)) if why.starts_with("people.") => {
            Finding::fault(GROUP, "ring", format!("the key ring does not belong to this database: {why}"), COPY)
        }
        Ok(None) | Err(_) => {
            let what = "the key ring is readable, but cannot be tried without the database";
            Finding::warning(GROUP, "ring", what, "repair the database, then run this check again")
        }
    }
}

fn of_tokens(folder: &Path) -> Finding {
    match SigningKeys::load(&folder.join(TOKEN_KEYS_FOLDER)) {
        Ok(_) => Finding::ok(GROUP, "tokens", "the keys that sign access tokens are readable"),
        Err(error) => {
            let advice =
                format!("run songda keys rotate {} to add a key; everyone must sign in again", folder.display());
            Finding::fault(GROUP, "tokens", with_causes(&error), advice)
        }
    }
}

/// Checks the permissions of the keys. The group is allowed to read the keys, because container platforms mount secrets
/// that way. It must not write them, and other users must neither read nor write them.
#[cfg(unix)]
fn of_rights(folder: &Path) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    const TOO_MUCH: u32 = 0o027;
    let open: Vec<String> = files(folder)
        .into_iter()
        .filter(|path| fs::metadata(path).is_ok_and(|file| file.permissions().mode() & TOO_MUCH != 0))
        .map(|path| path.strip_prefix(folder).unwrap_or(&path).display().to_string())
        .collect();
    if open.is_empty() {
        return Finding::ok(GROUP, "rights", "other users can neither read nor write the keys");
    }
    let what = format!("other users of this machine can read or write {}", open.join(", "));
    Finding::warning(GROUP, "rights", what, format!("chmod -R g-w,o= {}", folder.display()))
}

#[cfg(not(unix))]
fn of_rights(_folder: &Path) -> Finding {
    Finding::ok(GROUP, "rights", "file permissions are not checked on this operating system")
}

/// Lists the files of the key ring and of the token keys.
#[cfg(unix)]
fn files(folder: &Path) -> Vec<PathBuf> {
    let tokens = fs::read_dir(folder.join(TOKEN_KEYS_FOLDER)).into_iter().flatten();
    let tokens = tokens.flatten().map(|entry| entry.path());
    [folder.join(KEY_RING_FILE)].into_iter().chain(tokens).collect()
}

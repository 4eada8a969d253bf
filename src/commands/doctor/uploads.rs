//! Checks the storage for uploads by writing, reading and deleting a file.

use songda::config::key_ring;
use songda::env::Env;
use songda::files::Files;

use super::causes::with_causes;
use super::finding::Finding;

pub const GROUP: &str = "uploads";

pub async fn look() -> Vec<Finding> {
    let mut env = Env::of_process();
    let advice = "make sure that the storage in SONGDA_UPLOADS exists, is not full, and lets this user write";
    let Some(keys) = key_ring(&mut Env::of_process()) else {
        let what = "it cannot be tried without the key ring, which seals files";
        return vec![Finding::fault(GROUP, "place", what, "mend what the check of the keys reports")];
    };
    let Some(files) = Files::read(&mut env, Some(keys)) else {
        let faults = env.faults().iter().map(|fault| Finding::fault(GROUP, "place", fault, advice));
        return faults.collect();
    };
    let place = match files.try_out().await {
        Ok(()) => Finding::ok(GROUP, "place", "a file was written, read and deleted"),
        Err(error) => Finding::fault(GROUP, "place", with_causes(&error), advice),
    };
    std::iter::once(place).chain(permissions(&files)).collect()
}

/// Returns a warning if other users of this machine can enter the folder. The files in it are sealed all the same.
#[cfg(unix)]
fn permissions(files: &Files) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(files.folder()?).ok()?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Some(Finding::ok(GROUP, "permissions", "no other user can enter the folder"));
    }
    let what = format!("other users of this machine can enter the folder: its mode is {mode:o}");
    Some(Finding::warning(GROUP, "permissions", what, "chmod 700 the folder"))
}

#[cfg(not(unix))]
fn permissions(_: &Files) -> Option<Finding> {
    None
}

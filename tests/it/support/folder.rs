//! Folders of tests: keys, uploads, logs and whatever else belongs on a disk. Each is under `target/`, and goes with its
//! test. A test that fails leaves its own behind, to be looked at.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use songda::demo::fresh_key;

/// One folder.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty one.
    pub fn create() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(fresh_key());
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The address of a file in it, as settings and commands take it.
    pub fn path_of(&self, name: &str) -> String {
        self.join(name).to_str().unwrap().to_owned()
    }
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return eprintln!("logs and files are left in {}", self.display());
        }
        fs::remove_dir_all(&self.0).unwrap();
    }
}

//! Folders of tests, for keys, uploads and logs. Each is under `target/` and is removed at the end of its test. A
//! failed test leaves its folder behind for inspection.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use songda::demo::fresh_key;

pub struct Folder(PathBuf);

impl Folder {
    pub fn create() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(fresh_key());
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Returns the path of a file in the folder, as a string for settings and commands.
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

//! The shipped catalogue, changed for the two gateways of these tests: with templates for the channel `pigeon`, and
//! with an item whose result the carrier `runner` delivers.

use std::fs;
use std::path::Path;

use crate::support::folder::Folder;
use crate::support::items::ITEM;

/// A folder with the changed catalogue.
pub struct Plugged(Folder);

impl Plugged {
    pub fn write() -> Self {
        let copy = Folder::create();
        copy_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog"), &copy);
        amend(&copy.join("templates.toml"), |text| text + include_str!("pigeon/templates.toml"));
        let item = format!("code = \"{ITEM}\"\n");
        amend(&copy.join("items/public-security.toml"), |text| {
            assert!(text.contains(&item));
            text.replace(&item, &format!("{item}carriers = [\"runner\"]\n"))
        });
        Self(copy)
    }

    pub fn folder(&self) -> &Path {
        &self.0
    }
}

fn amend(file: &Path, change: impl FnOnce(String) -> String) {
    fs::write(file, change(fs::read_to_string(file).unwrap())).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

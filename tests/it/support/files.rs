//! The repository's own files, for tests that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the Markdown files of the project's root, of `docs/` and of the catalogue.
pub fn documents() -> Vec<PathBuf> {
    let mut files = files_under(Path::new("docs"), "md");
    files.extend(files_in(Path::new("catalog"), "md"));
    files.extend(files_in(Path::new("."), "md"));
    files
}

/// Returns the files whose names end with `.<ending>`, in a folder and in all folders below it, sorted.
pub fn files_under(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = files_in(folder, ending);
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path, ending));
        }
    }
    files.sort();
    files
}

fn files_in(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
}

/// True if a document has a heading with this anchor.
pub fn has_heading(document: &Path, anchor: &str) -> bool {
    let text = fs::read_to_string(document).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor_of = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-').collect::<String>()
    };
    headings.map(anchor_of).any(|found| found == anchor)
}

//! The OpenAPI documents of all audiences: served, committed under `openapi/`, and compared with what is committed.

use std::path::Path;

use serde_json::Value;

use super::edge::openapi::{self, About};
use super::{integration, mobile, ops, staff};

/// How to mend a document that is not up to date.
pub const MEND: &str = "cargo run -- openapi";

/// One document.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it says about itself.
    pub about: About,
    /// The document.
    pub value: Value,
    /// The same as it is committed and served.
    pub text: String,
}

/// Why there are no documents, or not these.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// Rules that they break, one a line.
    #[error("the API breaks its own rules:\n{}", .0.join("\n"))]
    Rules(Vec<String>),
    /// A file cannot be written.
    #[error("{path} cannot be written")]
    Unwritable {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Files that are not up to date.
    #[error("not up to date: {}\nMend it with: {MEND}", .0.join(", "))]
    Stale(Vec<String>),
}

/// All documents.
///
/// # Errors
/// Every rule that one of them breaks.
pub fn documents() -> Result<Vec<Document>, DocumentsError> {
    let mut faults = Vec::new();
    let mut documents = Vec::new();
    for (about, made) in [
        (mobile::ABOUT, openapi::document::<mobile::Api>(&mobile::ABOUT)),
        (staff::ABOUT, openapi::document::<staff::Api>(&staff::ABOUT)),
        (integration::ABOUT, openapi::document::<integration::Api>(&integration::ABOUT)),
        (ops::ABOUT, openapi::document::<ops::Api>(&ops::ABOUT)),
    ] {
        match made {
            Ok(value) => documents.push(Document { about, text: openapi::text(&value), value }),
            Err(broken) => faults.extend(broken.into_iter().map(|fault| format!("{}: {fault}", about.file))),
        }
    }
    if faults.is_empty() { Ok(documents) } else { Err(DocumentsError::Rules(faults)) }
}

/// `songda openapi`: writes the documents into a folder.
///
/// # Errors
/// When they break a rule, or a file cannot be written.
pub fn write(folder: &Path) -> Result<(), DocumentsError> {
    let unwritable = |path: &Path, source| DocumentsError::Unwritable { path: path.display().to_string(), source };
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
    for document in documents()? {
        let path = folder.join(format!("{}.json", document.about.file));
        std::fs::write(&path, document.text).map_err(|error| unwritable(&path, error))?;
    }
    Ok(())
}

/// `songda openapi --check`: compares the documents with a folder.
///
/// # Errors
/// Names the files that are not up to date, and the command that mends them.
pub fn check(folder: &Path) -> Result<(), DocumentsError> {
    let path = |document: &Document| folder.join(format!("{}.json", document.about.file));
    let is_stale = |document: &Document| std::fs::read_to_string(path(document)).ok().as_ref() != Some(&document.text);
    let stale: Vec<_> = documents()?
        .iter()
        .filter(|document| is_stale(document))
        .map(|document| path(document).display().to_string())
        .collect();
    if stale.is_empty() { Ok(()) } else { Err(DocumentsError::Stale(stale)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_documents_are_up_to_date() {
        check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi")).unwrap_or_else(|error| panic!("{error}"));
    }

    #[test]
    fn what_was_written_is_up_to_date_until_it_is_changed() {
        let folder =
            std::env::temp_dir().join(format!("songda-openapi-{}", crate::domain::kernel::clock::fresh_uuid()));
        let missing = check(&folder).unwrap_err();
        assert!(matches!(&missing, DocumentsError::Stale(files) if files.len() == 4), "{missing}");
        write(&folder).unwrap_or_else(|error| panic!("{error}"));
        check(&folder).unwrap();
        std::fs::write(folder.join("ops.json"), "{}").unwrap();
        assert!(check(&folder).unwrap_err().to_string().ends_with(MEND));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

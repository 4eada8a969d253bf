//! The OpenAPI documents of all audiences. The server serves them, and the folder `openapi/` contains committed copies.
//! A test fails if the copies are outdated.

use std::path::Path;

use serde_json::Value;

use crate::api::audiences::{AUDIENCES, Audience};
use crate::api::edge::openapi::document::{self, About};

/// The command that updates the committed copies of the documents.
pub const MEND: &str = "cargo run -- openapi";

#[derive(Debug, Clone)]
pub struct Document {
    pub about: About,
    pub value: Value,
    /// The formatted document, as it is committed and served.
    pub text: String,
}

#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    #[error("the API breaks its own rules:\n{}", .0.join("\n"))]
    Rules(Vec<String>),
    #[error("{path} cannot be written")]
    Unwritable {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("not up to date: {}\nMend it with: {MEND}", .0.join(", "))]
    Stale(Vec<String>),
}

/// Builds all documents. If any document breaks a documentation rule, fails with the list of all broken rules.
pub fn documents() -> Result<Vec<Document>, DocumentsError> {
    let mut faults = Vec::new();
    let mut documents = Vec::new();
    for Audience { api, about, .. } in &AUDIENCES {
        let about = *about;
        match api.document(&about) {
            Ok(value) => documents.push(Document { about, text: document::text(&value), value }),
            Err(broken) => faults.extend(broken.into_iter().map(|fault| format!("{}: {fault}", about.file))),
        }
    }
    if faults.is_empty() { Ok(documents) } else { Err(DocumentsError::Rules(faults)) }
}

/// `songda openapi`: writes the documents into a folder.
pub fn write(folder: &Path) -> Result<(), DocumentsError> {
    let unwritable = |path: &Path, source| DocumentsError::Unwritable { path: path.display().to_string(), source };
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
    for document in documents()? {
        let path = folder.join(format!("{}.json", document.about.file));
        std::fs::write(&path, document.text).map_err(|error| unwritable(&path, error))?;
    }
    Ok(())
}

/// `songda openapi --check`: compares the documents with the files in a folder. Fails with the list of outdated files.
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
    fn a_written_document_is_up_to_date_until_it_is_changed() {
        let folder =
            std::env::temp_dir().join(format!("songda-openapi-{}", crate::domain::kernel::clock::fresh_uuid()));
        let missing = check(&folder).unwrap_err();
        assert!(matches!(&missing, DocumentsError::Stale(files) if files.len() == AUDIENCES.len()), "{missing}");
        write(&folder).unwrap_or_else(|error| panic!("{error}"));
        check(&folder).unwrap();
        std::fs::write(folder.join("ops.json"), "{}").unwrap();
        assert!(check(&folder).unwrap_err().to_string().ends_with(MEND));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

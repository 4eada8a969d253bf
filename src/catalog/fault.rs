//! What is wrong with the catalogue's files: collected, never thrown, so that an editor mends everything in one go.

use std::fmt;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CatalogFault {
    /// The file, relative to the catalogue's folder.
    pub file: String,
    /// The item, where it concerns one.
    pub item: Option<String>,
    /// The path of the key: `materials[2].form`; in a form, section and field.
    pub field: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for CatalogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        if let Some(item) = &self.item {
            write!(f, "{item}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// A collector of faults that stands at one place.
#[derive(Debug, Default)]
pub(super) struct Faults {
    file: String,
    item: Option<String>,
    found: Vec<CatalogFault>,
}

impl Faults {
    /// A collector that stands at a file.
    #[cfg(test)]
    pub(super) fn of(file: impl Into<String>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }

    /// Goes to a file.
    pub(super) fn enter(&mut self, file: impl Into<String>) {
        self.file = file.into();
        self.item = None;
    }

    /// Goes to an item of the file.
    pub(super) fn enter_item(&mut self, item: impl Into<String>) {
        self.item = Some(item.into());
    }

    /// Notes a fault where it stands.
    pub(super) fn add(&mut self, field: &str, message: &str) {
        self.found.push(CatalogFault {
            file: self.file.clone(),
            item: self.item.clone(),
            field: field.to_owned(),
            message: message.to_owned(),
        });
    }

    /// All that were found.
    pub(super) fn into_found(self) -> Vec<CatalogFault> {
        self.found
    }

    #[cfg(test)]
    pub(super) fn into_lines(self) -> Vec<String> {
        self.found.iter().map(ToString::to_string).collect()
    }
}

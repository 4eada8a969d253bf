//! The faults of the catalogue's files. The code that reads the files collects all faults and does not stop at the
//! first, so that an editor can correct everything at once.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CatalogFault {
    /// The file, relative to the catalogue's folder.
    pub file: String,
    /// The code of the item, if the fault concerns one.
    pub item: Option<String>,
    /// The path of the key, such as `materials[2].form`. For a fault in a form, the section and the field:
    /// `details.since`.
    pub field: String,
    /// A text for the editor: the mistake, and how to correct it.
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

/// Collects the faults of the catalogue's files. Code that checks a file or an item first names it with `enter` or
/// `enter_item`. Each fault is then recorded with the file and the item that were named last.
#[derive(Debug, Default)]
pub(super) struct Faults {
    file: String,
    item: Option<String>,
    found: Vec<CatalogFault>,
}

impl Faults {
    #[cfg(test)]
    pub(super) fn of(file: impl Into<String>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }

    /// Sets the file of the next faults, and clears their item.
    pub(super) fn enter(&mut self, file: impl Into<String>) {
        self.file = file.into();
        self.item = None;
    }

    /// Sets the item of the next faults, by the item's code.
    pub(super) fn enter_item(&mut self, item: impl Into<String>) {
        self.item = Some(item.into());
    }

    /// Records a fault. `field` is the path of the key, and `message` tells the editor how to correct the mistake.
    pub(super) fn add(&mut self, field: &str, message: &str) {
        self.found.push(CatalogFault {
            file: self.file.clone(),
            item: self.item.clone(),
            field: field.to_owned(),
            message: message.to_owned(),
        });
    }

    pub(super) fn into_found(self) -> Vec<CatalogFault> {
        self.found
    }

    #[cfg(test)]
    pub(super) fn into_lines(self) -> Vec<String> {
        self.found.iter().map(ToString::to_string).collect()
    }
}

//! The names in an object of a PDF, and what they mean.

use std::collections::BTreeSet;

use super::lexer::{PdfToken, resolved};
use crate::domain::application::upload::FileFault;

/// Kinds of actions (ISO 32000-1 §12.6.4). Such a name is dangerous as the value of `/S`, and as an object of its own,
/// to which an `/S` can refer. Elsewhere, a bookmark may have it. The other kinds go to a page, open a link in the
/// browser, or change what is shown.
const ACTIONS: [(&[u8], FileFault); 6] = [
    (b"JavaScript", FileFault::PdfScript),
    (b"Launch", FileFault::PdfAction),
    (b"SubmitForm", FileFault::PdfAction),
    (b"ImportData", FileFault::PdfAction),
    (b"GoToR", FileFault::PdfAction),
    (b"GoToE", FileFault::PdfAction),
];

/// Names that are dangerous wherever they are.
const ANYWHERE: [(&[u8], FileFault); 10] = [
    (b"JS", FileFault::PdfScript),
    // XML forms: they contain scripts, and send data, in a language of their own.
    (b"XFA", FileFault::PdfScript),
    (b"OnInstantiate", FileFault::PdfMedia),
    (b"RichMedia", FileFault::PdfMedia),
    (b"RichMediaContent", FileFault::PdfMedia),
    (b"EmbeddedFile", FileFault::PdfAttachment),
    (b"EmbeddedFiles", FileFault::PdfAttachment),
    (b"FileAttachment", FileFault::PdfAttachment),
    (b"EF", FileFault::PdfAttachment),
    (b"Encrypt", FileFault::PdfLocked),
];

/// Filters that no program uses for object streams, and parameters that change their content.
const ODD_IN_OBJECT_STREAMS: [&[u8]; 14] = [
    b"ASCIIHexDecode",
    b"AHx",
    b"ASCII85Decode",
    b"A85",
    b"LZWDecode",
    b"LZW",
    b"RunLengthDecode",
    b"RL",
    b"DCTDecode",
    b"DCT",
    b"JPXDecode",
    b"CCITTFaxDecode",
    b"Crypt",
    b"DecodeParms",
];

/// Everything that was found in a file.
#[derive(Default)]
pub struct Findings {
    faults: BTreeSet<FileFault>,
    has_root: bool,
    has_page: bool,
}

/// The last tokens before the present one, and what an object stream says about itself.
#[derive(Default)]
pub struct ObjectNames {
    /// The last token, if it was a name.
    key: Option<Key>,
    /// The last key, and the number of numbers since.
    reference: Option<(Key, u8)>,
    objstm: bool,
    /// How many times `/N`, `/First` and `/FlateDecode` occur.
    n: usize,
    firsts: usize,
    flate: usize,
    first: Option<usize>,
    /// True if the dictionary says something about an object stream that no program writes.
    odd: bool,
}

/// The keys whose values matter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    S,
    Type,
    First,
    N,
    Filter,
    Other,
}

impl Key {
    fn of(name: &[u8]) -> Self {
        match name {
            b"S" => Self::S,
            b"Type" => Self::Type,
            b"First" => Self::First,
            b"N" => Self::N,
            b"Filter" => Self::Filter,
            _ => Self::Other,
        }
    }

    /// True if readers that see another value of this key may read an object stream differently.
    const fn describes_an_object_stream(self) -> bool {
        matches!(self, Self::Type | Self::First | Self::N | Self::Filter)
    }
}

impl ObjectNames {
    /// True if readers may take objects from the stream with this dictionary. Some readers do not look at its type.
    pub fn is_object_stream(&self) -> bool {
        self.objstm || self.n > 0 && self.firsts > 0
    }

    /// Returns the position of the first object, and true if the stream is compressed. Fails if the dictionary is not
    /// as programs write it, because then readers may differ about it.
    pub fn of_object_stream(&self) -> Result<(usize, bool), FileFault> {
        match self.first {
            Some(first) if !self.odd && (self.firsts, self.n) == (1, 1) && self.flate <= 1 => {
                Ok((first, self.flate == 1))
            }
            _ => Err(FileFault::PdfTooComplex),
        }
    }

    fn note_name(&mut self, name: &[u8]) {
        match name {
            b"ObjStm" => self.objstm = true,
            b"N" => self.n += 1,
            b"First" => self.firsts += 1,
            b"FlateDecode" | b"Fl" => self.flate += 1,
            name => self.odd |= ODD_IN_OBJECT_STREAMS.contains(&name),
        }
        let key = Key::of(name);
        self.key = Some(key);
        self.reference = Some((key, 0));
    }

    fn note_word(&mut self, token: PdfToken<'_>) {
        if self.key == Some(Key::First) {
            self.first = token.number();
        }
        // `/First 12 0 R`: the value is in another object.
        self.reference = match self.reference {
            Some((key, 2)) if token == PdfToken::Word(b"R") => {
                self.odd |= key.describes_an_object_stream();
                None
            }
            Some((key, numbers)) if numbers < 2 && token.number().is_some() => Some((key, numbers + 1)),
            _ => None,
        };
        self.key = None;
    }

    /// Some readers take a string where a name belongs.
    fn note_text(&mut self) {
        self.odd |= self.reference.is_some_and(|(key, _)| key.describes_an_object_stream());
        self.key = None;
    }
}

impl Findings {
    pub fn add(&mut self, fault: FileFault) {
        self.faults.insert(fault);
    }

    /// Notes a token of an object. `depth` is the number of open brackets around it.
    pub fn note(&mut self, token: PdfToken<'_>, depth: usize, names: &mut ObjectNames) {
        let PdfToken::Name(written) = token else {
            return match token {
                PdfToken::Word(_) => names.note_word(token),
                PdfToken::Text => {
                    // The kind of an action as a string.
                    if names.key == Some(Key::S) {
                        self.add(FileFault::PdfTooComplex);
                    }
                    names.note_text();
                }
                _ => names.key = None,
            };
        };
        let name = &*resolved(written);
        let known =
            |table: &[(&[u8], FileFault)]| table.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault);
        if names.key == Some(Key::S) || depth == 0 {
            self.faults.extend(known(&ACTIONS));
        }
        self.faults.extend(known(&ANYWHERE));
        self.has_root |= name == b"Root";
        self.has_page |= name == b"Page" && names.key == Some(Key::Type);
        names.note_name(name);
    }

    /// Returns the faults. A file without a catalogue or a page is no document. In an encrypted file most objects are
    /// not readable, so nothing else is said about it.
    pub fn faults(mut self) -> BTreeSet<FileFault> {
        if self.faults.contains(&FileFault::PdfLocked) {
            self.faults.remove(&FileFault::PdfTooComplex);
        } else if self.faults.is_empty() && !(self.has_root && self.has_page) {
            self.faults.insert(FileFault::Unreadable);
        }
        self.faults
    }
}

//! The check of a PDF: what it could do on the computer of the officer who opens it.
//!
//! A PDF is a heap of objects. Readers find them by a table, and repair a broken table each in its own way, so one file
//! can show different objects to different readers. Therefore the check uses no table: it reads **every** object that
//! any reader could reach, wherever the word `obj` occurs, also in the data of streams, and every object in object
//! streams. In these objects it looks for names that mean danger. A string or a picture that contains such a word is no
//! such name.
//!
//! `docs/decisions.md` says why no PDF library is used.

mod lexer;
mod names;
mod object_stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use lexer::{Lexer, PdfToken, is_delimiter, is_space};
use memchr::memmem;
use names::{Findings, ObjectNames};

use crate::domain::application::upload::FileFault;

/// The end mark of a file must be within its last bytes (ISO 32000-1, annex H, implementation note 18).
const END_WITHIN: usize = 1024;
/// The number of values that are looked at behind the word `obj`. A sound file has one there, and a reader may skip
/// others.
const VALUES: usize = 16;
/// The deepest nesting. Honest files stay far below; readers that recurse have a limit of their own.
const DEEPEST: usize = 256;

/// Returns all faults of a PDF.
pub fn faults(content: &[u8]) -> BTreeSet<FileFault> {
    let end = &content[content.len().saturating_sub(END_WITHIN)..];
    if memmem::find(end, b"%%EOF").is_none() {
        return BTreeSet::from([FileFault::Incomplete]);
    }
    let mut search = Search { content, findings: Findings::default(), effort: Effort::for_size(content.len()) };
    search.look_everywhere();
    search.findings.faults()
}

/// The work that the check of one file may still take. A file that needs more is refused, so no file keeps the check
/// busy.
struct Effort {
    /// Bytes that may be split into tokens. A sound file needs its own size once, and once that of its object streams.
    tokens: usize,
    /// Bytes that object streams may have together.
    inflated: usize,
}

impl Effort {
    const fn for_size(size: usize) -> Self {
        Self { tokens: 4 * size + (1 << 20), inflated: 64 << 20 }
    }

    /// Returns false if there is not enough left.
    const fn spend(&mut self, tokens: usize) -> bool {
        let enough = self.tokens >= tokens;
        self.tokens = self.tokens.saturating_sub(tokens);
        enough
    }
}

struct Search<'a> {
    content: &'a [u8],
    findings: Findings,
    effort: Effort,
}

impl Search<'_> {
    fn look_everywhere(&mut self) {
        let content = self.content;
        for at in memmem::find_iter(content, b"trailer") {
            self.read_object(content, at + b"trailer".len(), VALUES);
        }
        for at in memmem::find_iter(content, b"obj").filter(|at| is_object(content, *at)) {
            let Some(stream) = self.read_object(content, at + b"obj".len(), VALUES) else { continue };
            if stream.names.is_object_stream() {
                self.look_into(&stream);
            }
        }
    }

    /// Reads up to `most` values from a position on, and notes their dangerous names. Returns the stream, if the value
    /// is the dictionary of one.
    fn read_object(&mut self, bytes: &[u8], at: usize, most: usize) -> Option<StreamAt> {
        let mut names = ObjectNames::default();
        let mut lexer = Lexer::new(bytes, at);
        let mut depth = 0_usize;
        let mut values = 0;
        let mut is_stream = false;
        while values < most
            && let Some(token) = lexer.next()
        {
            match token {
                PdfToken::Open => depth += 1,
                PdfToken::Close => depth = depth.saturating_sub(1),
                PdfToken::Word(b"stream") if depth == 0 => {
                    is_stream = true;
                    break;
                }
                // A reader may go on behind an `endobj` in a dictionary.
                PdfToken::Word(b"endobj" | b"obj" | b"xref" | b"startxref") if depth == 0 => break,
                _ => {}
            }
            self.findings.note(token, depth, &mut names);
            if depth == 0 {
                values += 1;
            }
            if depth > DEEPEST || self.effort.tokens < lexer.position() - at {
                self.findings.add(FileFault::PdfTooComplex);
                break;
            }
        }
        let data = lexer.position();
        if !self.effort.spend(data - at) {
            self.findings.add(FileFault::PdfTooComplex);
        }
        is_stream.then_some(StreamAt { names, data })
    }

    /// Reads the objects in an object stream (§7.5.7).
    fn look_into(&mut self, stream: &StreamAt) {
        let opened = object_stream::open(self.content, stream.data, &stream.names, self.effort.inflated);
        let objects = match opened {
            Ok(objects) => objects,
            Err(fault) => return self.findings.add(fault),
        };
        self.effort.inflated = self.effort.inflated.saturating_sub(objects.content.len());
        self.effort.tokens += 4 * objects.content.len();
        for at in objects.positions() {
            self.read_object(&objects.content, at, 1);
        }
    }
}

/// The beginning of a stream.
struct StreamAt {
    names: ObjectNames,
    /// The position behind the word `stream`.
    data: usize,
}

/// True if the word `obj` at a position can begin an object. `endobj` and words of other languages do not.
fn is_object(content: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| content.get(at)).copied();
    let after = content.get(at + b"obj".len()).copied();
    before.is_some_and(|byte| is_space(byte) || byte.is_ascii_digit())
        && after.is_some_and(|byte| is_space(byte) || is_delimiter(byte))
}

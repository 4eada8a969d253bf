//! The content of an object stream (ISO 32000-1 §7.5.7): pairs of an object's number and its offset, then the objects.

use flate2::{Decompress, FlushDecompress, Status};

use super::lexer::{Lexer, PdfToken};
use super::names::ObjectNames;
use crate::domain::application::upload::FileFault;

/// The maximum size of one object stream. Programs put a hundred or two hundred small objects into one.
const LARGEST: usize = 32 << 20;

/// An object stream whose content was read.
pub struct ObjectStream {
    pub content: Vec<u8>,
    first: usize,
}

/// Reads the object stream whose dictionary has these names. `at` is the position behind the word `stream`, and
/// `at_most` the largest size that is accepted.
pub fn open(file: &[u8], at: usize, names: &ObjectNames, at_most: usize) -> Result<ObjectStream, FileFault> {
    let (first, is_compressed) = names.of_object_stream()?;
    let data = file.get(at + line_end(file.get(at..).unwrap_or_default())..).unwrap_or_default();
    let at_most = at_most.min(LARGEST);
    let content = if is_compressed { inflate(data, at_most)? } else { plain(data, at_most)? };
    Ok(ObjectStream { content, first })
}

/// Returns the length of the line end behind the word `stream`. The standard allows two kinds, and readers more.
fn line_end(data: &[u8]) -> usize {
    let spaces = data.iter().take_while(|byte| **byte == b' ').count();
    spaces
        + match data.get(spaces..).unwrap_or_default() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        }
}

/// Returns the rest of the file: the word `endstream` may be in a string of the stream, and the length may be wrong.
fn plain(data: &[u8], at_most: usize) -> Result<Vec<u8>, FileFault> {
    if data.len() > at_most { Err(FileFault::PdfTooComplex) } else { Ok(data.to_vec()) }
}

/// Decompresses zlib data (RFC 1950) until its own end. The length that the dictionary tells does not matter.
fn inflate(data: &[u8], at_most: usize) -> Result<Vec<u8>, FileFault> {
    let mut zlib = Decompress::new(true);
    let mut content = Vec::with_capacity(64 << 10);
    loop {
        let read = usize::try_from(zlib.total_in()).unwrap_or(usize::MAX);
        let rest = data.get(read..).unwrap_or_default();
        let before = (zlib.total_in(), zlib.total_out());
        let status = zlib.decompress_vec(rest, &mut content, FlushDecompress::None);
        match status.map_err(|_| FileFault::PdfTooComplex)? {
            Status::StreamEnd => return Ok(content),
            Status::Ok | Status::BufError if content.len() >= at_most => return Err(FileFault::PdfTooComplex),
            Status::Ok | Status::BufError if content.len() == content.capacity() => content.reserve(content.len()),
            // It wants more data than there is.
            Status::Ok | Status::BufError if before == (zlib.total_in(), zlib.total_out()) => {
                return Err(FileFault::PdfTooComplex);
            }
            Status::Ok | Status::BufError => {}
        }
    }
}

impl ObjectStream {
    /// Returns the positions of the objects.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        let head = self.content.get(..self.first).unwrap_or(&self.content);
        let numbers = Lexer::new(head, 0).map_while(PdfToken::number);
        let offsets = numbers.skip(1).step_by(2);
        // The first object is also read without an offset, in case that the pairs are odd.
        offsets.map(|offset| self.first.saturating_add(offset)).chain([self.first])
    }
}

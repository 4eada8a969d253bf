//! The check of an arriving file, before anything of it is decoded: its kind by its structure, its end, the size of a
//! picture, and what a PDF can do. The time and the memory of a check are bounded by the size of the file.

mod dimensions;
mod jpeg;
pub mod pdf;
mod png;
#[cfg(test)]
pub(super) use png::tests::empty as png_of;
mod webp;

use std::collections::BTreeSet;

use crate::domain::application::upload::{FileFault, FileKind, MOST_PIXELS};

/// The reason why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotTaken {
    /// A HEIC photo, as iPhones take by default. Many computers cannot show it.
    Heic,
    /// Another kind of file.
    OtherKind,
    /// All faults of a picture or a PDF.
    Faulty(BTreeSet<FileFault>),
}

/// Finds the kind of a file, and checks its structure.
pub fn inspect(content: &[u8]) -> Result<FileKind, NotTaken> {
    let kind = kind_of(content)?;
    let dimensions = match kind {
        FileKind::Jpeg => jpeg::dimensions(content),
        FileKind::Png => png::dimensions(content),
        FileKind::Webp => webp::dimensions(content),
        FileKind::Pdf => {
            let faults = pdf::faults(content);
            return if faults.is_empty() { Ok(kind) } else { Err(NotTaken::Faulty(faults)) };
        }
    };
    let fault = match dimensions {
        Ok((width, height)) if width == 0 || height == 0 => FileFault::Unreadable,
        Ok((width, height)) if width.saturating_mul(height) > MOST_PIXELS => FileFault::TooManyPixels,
        Ok(_) => return Ok(kind),
        Err(fault) => fault,
    };
    Err(NotTaken::Faulty(BTreeSet::from([fault])))
}

/// A file is of a kind only if it *begins* with the mark of this kind: `%PDF` somewhere in a page of HTML makes no PDF.
fn kind_of(content: &[u8]) -> Result<FileKind, NotTaken> {
    if content.starts_with(b"\xff\xd8\xff") {
        Ok(FileKind::Jpeg)
    } else if content.starts_with(png::SIGNATURE) {
        Ok(FileKind::Png)
    } else if content.starts_with(b"RIFF") && content.get(8..12) == Some(b"WEBP") {
        Ok(FileKind::Webp)
    } else if content.starts_with(b"%PDF-") {
        Ok(FileKind::Pdf)
    } else if is_heic(content) {
        Err(NotTaken::Heic)
    } else {
        Err(NotTaken::OtherKind)
    }
}

/// The brands of HEIF files (ISO/IEC 23008-12) that phones write: pictures coded with HEVC, and bursts of them.
const HEIC_BRANDS: [&[u8; 4]; 8] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"];

fn is_heic(content: &[u8]) -> bool {
    let brand = content.get(8..12);
    content.get(4..8) == Some(b"ftyp") && HEIC_BRANDS.iter().any(|known| brand == Some(&known[..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_determines_the_kind() {
        for (content, kind) in [
            (&b"\xff\xd8\xff\xe0\x00\x10JFIF"[..], Ok(FileKind::Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Ok(FileKind::Png)),
            (b"RIFF\x24\x00\x00\x00WEBPVP8 ", Ok(FileKind::Webp)),
            (b"%PDF-1.7\n", Ok(FileKind::Pdf)),
            (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", Err(NotTaken::Heic)),
            (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", Err(NotTaken::Heic)),
            (b"\x00\x00\x00\x18ftypmp42", Err(NotTaken::OtherKind)),
            (b"<html>%PDF-1.7</html>", Err(NotTaken::OtherKind)),
            (b"junk%PDF-1.7", Err(NotTaken::OtherKind)),
            (b"GIF89a", Err(NotTaken::OtherKind)),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Err(NotTaken::OtherKind)),
            (b"MZ\x90\x00", Err(NotTaken::OtherKind)),
            (b"", Err(NotTaken::OtherKind)),
        ] {
            assert_eq!(kind_of(content), kind, "{content:?}");
        }
    }

    #[test]
    fn a_picture_may_have_fifty_million_pixels() {
        let fault = |width: u32, height: u32| match inspect(&png::tests::empty(width, height)) {
            Err(NotTaken::Faulty(faults)) => faults.into_iter().next(),
            taken => taken.map(|_| None).unwrap(),
        };
        assert_eq!(fault(10_000, 5_000), None);
        assert_eq!(fault(10_000, 5_001), Some(FileFault::TooManyPixels));
        assert_eq!(fault(100_000, 100_000), Some(FileFault::TooManyPixels));
        assert_eq!(fault(u32::MAX, u32::MAX), Some(FileFault::TooManyPixels));
        assert_eq!(fault(0, 5), Some(FileFault::Unreadable));
    }
}

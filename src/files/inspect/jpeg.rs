//! The structure of a JPEG picture (ITU-T T.81, annex B): segments, each behind a marker, from the start to the end of
//! the image. Cameras append further data behind the end, such as a film or a second picture; it is not looked at.

use super::dimensions::Dimensions;
use crate::domain::application::upload::FileFault;

const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// Walks through the segments to the end of the image. Fails with [`FileFault::Incomplete`] if the end is missing.
pub fn dimensions(content: &[u8]) -> Result<Dimensions, FileFault> {
    let mut dimensions = None;
    let mut has_scan = false;
    let mut at = 2;
    loop {
        let (marker, after) = marker(content, at)?;
        match marker {
            END_OF_IMAGE if has_scan => return dimensions.ok_or(FileFault::Unreadable),
            // An end before any scan, or a second start.
            END_OF_IMAGE | 0xd8 => return Err(FileFault::Unreadable),
            // Markers without a segment: TEM, and restarts outside a scan.
            0x01 | 0xd0..=0xd7 => at = after,
            _ => {
                let segment = segment(content, after)?;
                at = after + 2 + segment.len();
                match marker {
                    // The frame header. The other markers from C0 to CF define tables.
                    0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                        let &[_, h1, h0, w1, w0, ..] = segment else { return Err(FileFault::Unreadable) };
                        let side = |high, low| u64::from(u16::from_be_bytes([high, low]));
                        dimensions = Some((side(w1, w0), side(h1, h0)));
                    }
                    START_OF_SCAN => {
                        has_scan = true;
                        at = end_of_scan(content, at)?;
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Reads the marker at a position. Returns the marker and the position behind it.
fn marker(content: &[u8], at: usize) -> Result<(u8, usize), FileFault> {
    let mut after = at;
    loop {
        match content.get(after) {
            None => return Err(FileFault::Incomplete),
            // Any number of fill bytes may come before a marker.
            Some(0xff) => after += 1,
            Some(0) => return Err(FileFault::Unreadable),
            Some(_) if after == at => return Err(FileFault::Unreadable),
            Some(marker) => return Ok((*marker, after + 1)),
        }
    }
}

/// Reads the segment behind a marker, without its length.
fn segment(content: &[u8], at: usize) -> Result<&[u8], FileFault> {
    let length = content.get(at..at + 2).ok_or(FileFault::Incomplete)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    let end = at + length;
    if length < 2 {
        return Err(FileFault::Unreadable);
    }
    content.get(at + 2..end).ok_or(FileFault::Incomplete)
}

/// Returns the position of the marker that ends the scan whose coded data begins at `at`. In this data `FF 00` is a
/// byte, and restart markers separate its parts.
fn end_of_scan(content: &[u8], mut at: usize) -> Result<usize, FileFault> {
    loop {
        let rest = content.get(at..).ok_or(FileFault::Incomplete)?;
        at += memchr::memchr(0xff, rest).ok_or(FileFault::Incomplete)?;
        match content.get(at + 1) {
            None => return Err(FileFault::Incomplete),
            Some(0 | 0xd0..=0xd7) => at += 2,
            Some(0xff) => at += 1,
            Some(_) => return Ok(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::{DynamicImage, RgbImage};

    use super::*;

    fn photo() -> Vec<u8> {
        let mut made = Vec::new();
        let picture = RgbImage::from_fn(120, 80, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]));
        JpegEncoder::new(&mut made).encode_image(&DynamicImage::ImageRgb8(picture)).unwrap();
        made
    }

    #[test]
    fn a_photo_has_its_dimensions_and_half_of_it_is_no_photo() {
        let photo = photo();
        assert_eq!(dimensions(&photo), Ok((120, 80)));
        for end in 3..photo.len() {
            assert_eq!(dimensions(&photo[..end]), Err(FileFault::Incomplete), "the first {end} bytes");
        }
        assert_eq!(dimensions(&[&photo[..], b"film of the moment"].concat()), Ok((120, 80)));
    }

    #[test]
    fn a_few_bytes_are_no_photo() {
        assert_eq!(dimensions(b"\xff\xd8\xff"), Err(FileFault::Incomplete));
        assert_eq!(dimensions(b"\xff\xd8\xff\xd9"), Err(FileFault::Unreadable));
        assert_eq!(dimensions(b"\xff\xd8\xff\xe0\x00\x00"), Err(FileFault::Unreadable), "an impossible length");
        assert_eq!(dimensions(b"\xff\xd8\xff\xda\x00\x02 \xff\xd9"), Err(FileFault::Unreadable), "no frame header");
        assert_eq!(dimensions(b"\xff\xd8\xff\xe1\x00\x04ab junk"), Err(FileFault::Unreadable));
    }
}

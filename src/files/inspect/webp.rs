//! The structure of a WebP picture (RFC 9649): a RIFF container, whose first chunk tells the dimensions.

use super::dimensions::Dimensions;
use crate::domain::application::upload::FileFault;

/// Reads the dimensions. Fails with [`FileFault::Incomplete`] if the container is longer than the file.
pub fn dimensions(content: &[u8]) -> Result<Dimensions, FileFault> {
    let length = le(content.get(4..8).ok_or(FileFault::Incomplete)?);
    if (content.len() as u64) < length + 8 {
        return Err(FileFault::Incomplete);
    }
    let kind = content.get(12..16).ok_or(FileFault::Unreadable)?;
    let data = content.get(20..).ok_or(FileFault::Unreadable)?;
    let field = |at: usize, length: usize| data.get(at..at + length).map(le).ok_or(FileFault::Unreadable);
    match kind {
        // A canvas (§2.7): 24 bits each for width and height, less one.
        b"VP8X" => Ok((field(4, 3)? + 1, field(7, 3)? + 1)),
        // A lossless picture (§3.4): after a signature 14 bits each for width and height, less one.
        b"VP8L" if field(0, 1)? == 0x2f => {
            let bits = field(1, 4)?;
            Ok(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        // A lossy picture (RFC 6386 §9.1): after a start code 14 bits each for width and height.
        b"VP8 " if field(3, 3)? == 0x2a_01_9d => Ok((field(6, 2)? & 0x3fff, field(8, 2)? & 0x3fff)),
        _ => Err(FileFault::Unreadable),
    }
}

fn le(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use image::codecs::webp::WebPEncoder;
    use image::{DynamicImage, RgbImage};

    use super::*;

    #[test]
    fn the_dimensions_are_read_from_each_kind_of_header() {
        let file = |kind: &[u8], data: &[u8]| {
            let body = [b"WEBP", kind, &[data.len() as u8, 0, 0, 0], data].concat();
            [&b"RIFF"[..], &[body.len() as u8, 0, 0, 0], &body].concat()
        };
        let canvas = file(b"VP8X", b"\x10\0\0\0\x1f\x03\0\x57\x02\0");
        assert_eq!(dimensions(&canvas), Ok((800, 600)));
        assert_eq!(dimensions(&file(b"VP8 ", b"\x30\x01\0\x9d\x01\x2a\x20\x03\x58\x02")), Ok((800, 600)));
        assert_eq!(dimensions(&file(b"VP8 ", b"\x30\x01\0\x9d\x01\x2b\x20\x03\x58\x02")), Err(FileFault::Unreadable));
        assert_eq!(dimensions(&file(b"ICCP", b"")), Err(FileFault::Unreadable));
        assert_eq!(dimensions(&canvas[..canvas.len() - 1]), Err(FileFault::Incomplete));
    }

    #[test]
    fn a_picture_has_its_dimensions_and_half_of_it_is_none() {
        let mut made = Vec::new();
        let encoder = WebPEncoder::new_lossless(&mut made);
        DynamicImage::ImageRgb8(RgbImage::new(120, 80)).write_with_encoder(encoder).unwrap();
        assert_eq!(dimensions(&made), Ok((120, 80)));
        for end in 12..made.len() {
            assert_eq!(dimensions(&made[..end]), Err(FileFault::Incomplete), "the first {end} bytes");
        }
    }
}

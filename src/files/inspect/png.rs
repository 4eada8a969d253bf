//! The structure of a PNG picture (ISO/IEC 15948): chunks from the header to the end.

use super::dimensions::Dimensions;
use crate::domain::application::upload::FileFault;

pub const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Walks through the chunks to the end of the picture. Fails with [`FileFault::Incomplete`] if the end is missing.
pub fn dimensions(content: &[u8]) -> Result<Dimensions, FileFault> {
    let mut rest = content.get(SIGNATURE.len()..).ok_or(FileFault::Incomplete)?;
    let mut dimensions = None;
    loop {
        let (head, body) = rest.split_at_checked(8).ok_or(FileFault::Incomplete)?;
        let length = be_u32(&head[..4]);
        // A checksum of four bytes follows the data.
        let (data, after) = body.split_at_checked(length).ok_or(FileFault::Incomplete)?;
        rest = after.get(4..).ok_or(FileFault::Incomplete)?;
        match (&head[4..], dimensions) {
            (b"IHDR", None) if length == 13 => dimensions = Some((be_u32(&data[..4]), be_u32(&data[4..8]))),
            (_, None) | (b"IHDR", _) => return Err(FileFault::Unreadable),
            (b"IEND", Some((width, height))) => return Ok((width as u64, height as u64)),
            _ => {}
        }
    }
}

fn be_u32(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns a picture that says that it has these dimensions, and has no pixels.
    pub(crate) fn empty(width: u32, height: u32) -> Vec<u8> {
        let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), b"\x08\x02\0\0\0"].concat();
        [SIGNATURE, &chunk(b"IHDR", &header), &chunk(b"IDAT", b""), &chunk(b"IEND", b"")].concat()
    }

    fn chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(data);
        let length = u32::try_from(data.len()).unwrap();
        [&length.to_be_bytes()[..], kind, data, &sum.sum().to_be_bytes()].concat()
    }

    #[test]
    fn a_picture_has_its_dimensions_and_half_of_it_is_none() {
        let picture = empty(7, 9);
        assert_eq!(dimensions(&picture), Ok((7, 9)));
        for end in 8..picture.len() {
            assert_eq!(dimensions(&picture[..end]), Err(FileFault::Incomplete), "the first {end} bytes");
        }
        let no_header = [SIGNATURE, &chunk(b"IEND", b"")].concat();
        assert_eq!(dimensions(&no_header), Err(FileFault::Unreadable));
        let lies = [SIGNATURE, b"\xff\xff\xff\xffIDAT"].concat();
        assert_eq!(dimensions(&lies), Err(FileFault::Incomplete));
    }
}

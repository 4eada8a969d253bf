//! Pictures for uploads.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage};

/// The words in the note (EXIF) of [`photo`].
pub const TAKEN_AT: &str = "taken at 31.7416N 119.5963E";

/// Returns a photo of these dimensions. Its note says where it was taken.
pub fn photo(width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| Rgb([(x % 256) as u8, (y % 256) as u8, (x * y % 256) as u8]));
    let mut photo = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut photo, 90);
    let tiff = [b"MM\0\x2a\0\0\0\x08\0\0\0\0\0\0", TAKEN_AT.as_bytes()].concat();
    encoder.set_exif_metadata(tiff).unwrap();
    encoder.write_image(&picture, width, height, ExtendedColorType::Rgb8).unwrap();
    photo
}

/// Returns a PNG that is whole, and whose pixels cannot be decoded.
pub fn damaged() -> Vec<u8> {
    let picture = DynamicImage::from(RgbImage::from_pixel(64, 64, Rgb([200, 10, 10])));
    let mut made = Cursor::new(Vec::new());
    picture.write_to(&mut made, ImageFormat::Png).unwrap();
    let mut made = made.into_inner();
    let data = made.windows(4).position(|kind| kind == b"IDAT").unwrap() + 10;
    made[data] ^= 0xff;
    made
}

/// Returns a PNG that says that it has these dimensions.
pub fn of_size(width: u32, height: u32) -> Vec<u8> {
    let mut made = damaged();
    let header = made.windows(4).position(|kind| kind == b"IHDR").unwrap() + 4;
    made[header..header + 4].copy_from_slice(&width.to_be_bytes());
    made[header + 4..header + 8].copy_from_slice(&height.to_be_bytes());
    made
}

/// The first bytes of a photo of an iPhone in its default format.
pub const HEIC: &[u8] = b"\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1MiHEmiafheictmap\x00\x00\x00\x08free";

//! The copy of a picture that people are shown: decoded and encoded again. Only pixels reach it: no place and time of a
//! photo (EXIF), no colour profile, no second picture or program behind the end.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::{PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, ImageResult, Limits};

use crate::domain::application::upload::{FileFault, FileKind, MOST_PIXELS};

/// The quality of JPEG copies, from 1 to 100. Small print stays readable.
const QUALITY: u8 = 85;
/// The memory that a decoder may allocate for a picture: 50 million pixels of 8 bytes, and some more.
const MOST_MEMORY: u64 = 512 << 20;

/// Decodes a picture and encodes it again. A picture with transparent parts becomes a PNG, any other one a JPEG, except
/// that a PNG stays a PNG.
pub fn encode_again(kind: FileKind, original: Vec<u8>) -> Result<(FileKind, Vec<u8>), FileFault> {
    let original = Cursor::new(original);
    let decoded = match kind {
        FileKind::Jpeg => JpegDecoder::new(original).map(decode),
        FileKind::Png => PngDecoder::with_limits(original, limits()).map(decode),
        FileKind::Webp => WebPDecoder::new(original).map(decode),
        FileKind::Pdf => return Err(FileFault::Unreadable),
    };
    let picture = decoded.map_err(|_| FileFault::Unreadable)??;
    let kind = if kind == FileKind::Png || picture.color().has_alpha() { FileKind::Png } else { FileKind::Jpeg };
    let encoded = encode(kind, picture).map_err(|_| FileFault::Unreadable)?;
    Ok((kind, encoded))
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    limits
}

fn decode(mut decoder: impl ImageDecoder) -> Result<DynamicImage, FileFault> {
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(FileFault::TooManyPixels);
    }
    let decode = || -> ImageResult<DynamicImage> {
        decoder.set_limits(limits())?;
        // A phone that is held upright stores the picture on its side, with a note. The copy has no note.
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(picture)
    };
    decode().map_err(|_| FileFault::Unreadable)
}

fn encode(kind: FileKind, picture: DynamicImage) -> ImageResult<Vec<u8>> {
    let mut encoded = Vec::new();
    let has_colours = picture.color().has_color();
    if kind == FileKind::Jpeg {
        let encoder = JpegEncoder::new_with_quality(&mut encoded, QUALITY);
        // JPEG has eight bits a channel, and no transparency.
        let picture = if has_colours { picture.into_rgb8().into() } else { DynamicImage::from(picture.into_luma8()) };
        picture.write_with_encoder(encoder)?;
    } else {
        picture.write_with_encoder(PngEncoder::new(&mut encoded))?;
    }
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use image::codecs::webp::WebPEncoder;
    use image::{ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    /// A picture whose left half is red and whose right half is blue.
    fn picture() -> DynamicImage {
        RgbImage::from_fn(64, 32, |x, _| if x < 32 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) }).into()
    }

    fn made(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut made = Cursor::new(Vec::new());
        picture.write_to(&mut made, format).unwrap();
        made.into_inner()
    }

    /// Adds the note that the picture must be turned clockwise, and the place of the photo.
    fn with_exif(photo: &[u8]) -> Vec<u8> {
        let tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0 somewhere in Jintan";
        let exif = [b"Exif\0\0", &tiff[..]].concat();
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&photo[..2], b"\xff\xe1", &length, &exif, &photo[2..]].concat()
    }

    #[test]
    fn a_copy_has_the_pixels_and_nothing_else() {
        let photo = with_exif(&made(&picture(), ImageFormat::Jpeg));
        let photo = [&photo[..], b"a second file behind the end"].concat();
        let (kind, copy) = encode_again(FileKind::Jpeg, photo).unwrap();
        assert_eq!(kind, FileKind::Jpeg);
        assert!(!copy.windows(6).any(|part| part == b"Jintan" || part == b"second"));
        let shown = image::load_from_memory(&copy).unwrap().into_rgb8();
        assert_eq!(shown.dimensions(), (32, 64), "it is turned upright");
        let [top, bottom] = [shown.get_pixel(16, 8), shown.get_pixel(16, 56)];
        assert!(top[0] > 200 && top[2] < 50 && bottom[0] < 50 && bottom[2] > 200, "{top:?} {bottom:?}");
    }

    #[test]
    fn transparent_parts_stay_transparent() {
        let clear: DynamicImage = RgbaImage::from_pixel(8, 8, Rgba([1, 2, 3, 0])).into();
        let mut webp = Vec::new();
        WebPEncoder::new_lossless(&mut webp).write_image(clear.as_bytes(), 8, 8, clear.color().into()).unwrap();
        let (kind, copy) = encode_again(FileKind::Webp, webp).unwrap();
        assert_eq!((kind, image::load_from_memory(&copy).unwrap()), (FileKind::Png, clear.clone()));
        let (kind, copy) = encode_again(FileKind::Png, made(&clear, ImageFormat::Png)).unwrap();
        assert_eq!((kind, image::load_from_memory(&copy).unwrap()), (FileKind::Png, clear));
        let mut webp = Vec::new();
        picture().write_with_encoder(WebPEncoder::new_lossless(&mut webp)).unwrap();
        assert_eq!(encode_again(FileKind::Webp, webp).unwrap().0, FileKind::Jpeg);
    }

    #[test]
    fn every_depth_of_colour_is_taken() {
        for (picture, kind) in [
            (DynamicImage::from(picture().into_luma8()), FileKind::Jpeg),
            (DynamicImage::from(picture().into_luma16()), FileKind::Png),
            (DynamicImage::from(picture().into_rgb16()), FileKind::Png),
            (DynamicImage::from(picture().into_luma_alpha16()), FileKind::Png),
        ] {
            let format = if kind == FileKind::Jpeg { ImageFormat::Jpeg } else { ImageFormat::Png };
            let (shown, copy) = encode_again(kind, made(&picture, format)).unwrap();
            assert_eq!((shown, image::load_from_memory(&copy).is_ok()), (kind, true));
        }
    }

    #[test]
    fn a_damaged_picture_has_no_copy() {
        let mut png = made(&picture(), ImageFormat::Png);
        let middle = png.len() / 2;
        png[middle] ^= 0xff;
        assert_eq!(encode_again(FileKind::Png, png), Err(FileFault::Unreadable));
        let only_ends =
            b"\xff\xd8\xff\xc0\x00\x0b\x08\0\x10\0\x10\x01\x01\x11\0\xff\xda\x00\x08\x01\x01\0\0?\0\xff\xd9".to_vec();
        assert_eq!(encode_again(FileKind::Jpeg, only_ends), Err(FileFault::Unreadable));
        let pixels = super::super::inspect::png_of(10_000, 5_001);
        assert_eq!(encode_again(FileKind::Png, pixels), Err(FileFault::TooManyPixels));
    }
}

//! The check of uploads, and the copies of pictures: damaged files of real programs.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use songda::domain::application::upload::FileKind;
use songda::files::inspect::inspect;
use songda::files::shown_picture::encode_again;

use super::mangle;
use crate::support::files::files_under;
use crate::support::pictures::photo;

/// Damaging a long file takes long, and damages the same structures.
const LONGEST: usize = 12_000;

fn documents() -> Vec<Vec<u8>> {
    let documents = files_under(Path::new("tests/documents"), "pdf").into_iter().map(|path| fs::read(path).unwrap());
    documents.filter(|document| document.len() < LONGEST).collect()
}

fn pictures() -> Vec<Vec<u8>> {
    let picture = image::load_from_memory(&photo(40, 30)).unwrap();
    let mut made = vec![photo(40, 30)];
    for format in [image::ImageFormat::Png, image::ImageFormat::WebP] {
        let mut file = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut file, format).unwrap();
        made.push(file.into_inner());
    }
    made
}

proptest! {
    #[test]
    fn any_document_is_taken_or_refused(document in mangle::bytes(documents())) {
        let _ = inspect(&document.0);
    }

    #[test]
    fn any_picture_is_taken_or_refused_and_shown_or_not(picture in mangle::bytes(pictures())) {
        let _ = inspect(&picture.0);
        for kind in [FileKind::Jpeg, FileKind::Png, FileKind::Webp] {
            let _ = encode_again(kind, picture.0.clone());
        }
    }
}

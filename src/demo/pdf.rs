//! The smallest PDF that is a document: one empty page.

/// Returns a PDF with one empty page. `words` are in a comment, so that two files can differ. They have one line.
pub fn empty_page(words: &str) -> Vec<u8> {
    format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n% {words}\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )
    .into_bytes()
}

//! Made-up PDFs, with and without danger. `tests/it/api/mobile/pdfs.rs` has files of real programs.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;

use super::*;

/// A PDF that is being built. Object 1 is the catalogue and object 3 the page.
struct Pdf {
    bytes: Vec<u8>,
}

const CATALOGUE: &str = "<</Type/Catalog/Pages 2 0 R>>";

impl Pdf {
    fn new() -> Self {
        Self::with_catalogue(CATALOGUE)
    }

    fn with_catalogue(catalogue: &str) -> Self {
        let begun = Self { bytes: b"%PDF-1.7\n".to_vec() };
        let pages = "<</Type/Pages/Kids[3 0 R]/Count 1>>";
        begun.object(1, catalogue).object(2, pages).object(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>")
    }

    fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.bytes.extend_from_slice(bytes.as_ref());
        self
    }

    fn object(self, number: u32, value: &str) -> Self {
        self.raw(format!("{number} 0 obj\n{value}\nendobj\n"))
    }

    fn stream(self, number: u32, dictionary: &str, data: &[u8]) -> Self {
        let length = data.len();
        self.raw(format!("{number} 0 obj\n<<{dictionary}/Length {length}>>\nstream\n"))
            .raw(data)
            .raw("\nendstream\nendobj\n")
    }

    /// Adds a compressed object stream with one object.
    fn object_stream(self, number: u32, value: &str) -> Self {
        let head = "10 0 ";
        let dictionary = format!("/Type/ObjStm/N 1/First {}/Filter/FlateDecode", head.len());
        self.stream(number, &dictionary, &deflated(format!("{head}{value}").as_bytes()))
    }

    fn end(self) -> Vec<u8> {
        self.raw("trailer\n<</Root 1 0 R/Size 4>>\nstartxref\n9\n%%EOF\n").bytes
    }

    fn faults(self) -> Vec<FileFault> {
        faults(&self.end()).into_iter().collect()
    }
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Objects that are refused, and why.
const DANGERS: [(&str, FileFault); 15] = [
    ("<</S/JavaScript/JS(app.alert\\(1\\))>>", FileFault::PdfScript),
    ("<</S/Rendition/JS 12 0 R>>", FileFault::PdfScript),
    ("<</S /J#61vaScript>>", FileFault::PdfScript),
    ("<</#53%comment\n/JavaScript>>", FileFault::PdfScript),
    ("<</Fields[]/XFA[(template)12 0 R]>>", FileFault::PdfScript),
    ("<</S/Launch/Win<</F(cmd.exe)>>>>", FileFault::PdfAction),
    ("<</S/SubmitForm/F<</FS/URL/F(https://evil.example)>>>>", FileFault::PdfAction),
    ("<</S/ImportData/F(data.fdf)>>", FileFault::PdfAction),
    ("<</S/GoToR/F(other.pdf)/D[0/Fit]>>", FileFault::PdfAction),
    ("<</S/GoToE/T<</R/C/N(inner.pdf)>>>>", FileFault::PdfAction),
    ("<</Type/Annot/Subtype/RichMedia>>", FileFault::PdfMedia),
    ("<</Type/3D/Subtype/U3D/OnInstantiate 12 0 R>>", FileFault::PdfMedia),
    ("<</Names<</EmbeddedFiles<</Names[(a)12 0 R]>>>>>>", FileFault::PdfAttachment),
    ("<</Type/Filespec/F(a.exe)/EF<</F 12 0 R>>>>", FileFault::PdfAttachment),
    ("<</Type/Annot/Subtype/FileAttachment/FS 12 0 R>>", FileFault::PdfAttachment),
];

#[test]
fn a_plain_document_passes() {
    assert_eq!(Pdf::new().faults(), []);
    for harmless in [
        "<</Type/Annot/Subtype/Link/A<</S/URI/URI(https://www.jintan.gov.cn/Launch)>>>>",
        "<</S/GoTo/D[3 0 R/Fit]>>",
        "<</S/Named/N/NextPage>>",
        "<</Title(The /JavaScript and /JS names \\) /Launch)/Author<2F4A53>>>",
        "<</Dests<</Launch[3 0 R/Fit]/JavaScript[3 0 R/Fit]>>>>",
        "<</F1 12 0 R/JSFont 13 0 R/EFG 14 0 R>>% /JS /Launch",
    ] {
        assert_eq!(Pdf::new().object(10, harmless).faults(), [], "{harmless}");
        assert_eq!(Pdf::new().object_stream(10, harmless).faults(), [], "{harmless}");
    }
}

#[test]
fn every_danger_is_found_wherever_it_is() {
    for (value, fault) in DANGERS {
        let faults = |pdf: Pdf| assert_eq!(pdf.faults(), [fault], "{value}");
        faults(Pdf::new().object(10, value));
        faults(Pdf::new().object_stream(9, value));
        // In a dictionary that belongs to another one.
        faults(Pdf::with_catalogue(&format!("<</Type/Catalog/Pages 2 0 R/OpenAction[{value}]>>")));
        // In an object that an update replaced, or that no table names.
        faults(Pdf::new().object(3, value).object(3, "<</Type/Page/Parent 2 0 R>>"));
        // In the data of a stream, to which a table can point.
        faults(Pdf::new().stream(9, "", format!("BT ET\n10 0 obj{value} endobj").as_bytes()));
        // Behind a word that a reader skips, and behind an end in the middle of a dictionary.
        faults(Pdf::new().object(10, &format!("<</A junk /B {value}>>")));
        faults(Pdf::new().object(10, &format!("<</A endobj /B {value}>>")));
        // In a string that begins before the object.
        faults(Pdf::new().raw("9 0 obj(").object(10, value));
    }
}

#[test]
fn the_kind_of_an_action_may_be_an_object_of_its_own() {
    let action = || Pdf::new().object(10, "<</S 11 0 R/F(cmd.exe)>>");
    assert_eq!(action().object(11, "/Launch").faults(), [FileFault::PdfAction]);
    assert_eq!(action().object(11, "/L#61unch").faults(), [FileFault::PdfAction]);
    assert_eq!(action().object_stream(11, "/Launch").faults(), [FileFault::PdfAction]);
    assert_eq!(action().object(11, "/Link").faults(), []);
    assert_eq!(Pdf::new().object(10, "<</S(Launch)>>").faults(), [FileFault::PdfTooComplex], "a string");
}

#[test]
fn object_streams_are_read_however_they_are_written() {
    let danger = "<</S/JavaScript/JS(1)>>";
    let head = "10 0 ";
    let data = deflated(format!("{head}{danger}").as_bytes());
    let fault = |dictionary: &str, data: &[u8]| Pdf::new().stream(9, dictionary, data).faults();
    assert_eq!(fault("/Type/ObjStm/N 1/First 5/Filter/FlateDecode", &data), [FileFault::PdfScript]);
    assert_eq!(fault("/N 1/First 5/Filter[/Fl]", &data), [FileFault::PdfScript], "a type is not needed");
    assert_eq!(fault("/Type/ObjStm/N 1/First 5", format!("{head}{danger}").as_bytes()), [FileFault::PdfScript]);
    let lies = Pdf::new().raw("9 0 obj<</Type/ObjStm/N 1/First 5/Filter/FlateDecode/Length 3>>stream\r\n").raw(&data);
    assert_eq!(lies.raw("endstream endobj\n").faults(), [FileFault::PdfScript], "the length does not matter");
    let beyond = "10 0 11 12 (endstream) <</S/Launch>>";
    assert_eq!(
        fault("/Type/ObjStm/N 2/First 11", beyond.as_bytes()),
        [FileFault::PdfAction],
        "an end that is a string"
    );
    let second = "10 0 11 7 (a \\() <</S/Launch>>";
    assert_eq!(fault("/Type/ObjStm/N 2/First 10", second.as_bytes()), [FileFault::PdfAction]);
}

#[test]
fn object_streams_that_readers_may_read_differently_are_refused() {
    let data = deflated(b"10 0 <</A 1>>");
    let twice = deflated(&data);
    let hexadecimal = hex::encode(b"10 0 <</A 1>>");
    for (dictionary, data) in [
        ("/Type/ObjStm/N 1/First 5/Filter[/FlateDecode/FlateDecode]", &twice[..]),
        ("/Type/ObjStm/N 1/First 5/Filter/ASCIIHexDecode", hexadecimal.as_bytes()),
        ("/Type/ObjStm/N 1/First 5/Filter/FlateDecode/DecodeParms<</Predictor 12>>", &data),
        ("/Type/ObjStm/N 1/First 5/Filter 12 0 R", &data),
        ("/Type/ObjStm/N 1/First 12 0 R/Filter/FlateDecode", &data),
        ("/Type/ObjStm/N 1/First 5/First 9/Filter/FlateDecode", &data),
        ("/N 1/First 5.0/Filter/FlateDecode", &data),
        ("/Type/ObjStm/N 1/First 5/Filter(FlateDecode)", &data),
        ("/Type/ObjStm/N 1/First 5/Filter[<466C>]", &data),
        ("/Type/ObjStm/N 1/Filter/FlateDecode", &data),
        ("/Type/ObjStm/N 1/First 5/Filter/FlateDecode", &data[..data.len() - 8]),
        ("/Type/ObjStm/N 1/First 5/Filter/FlateDecode", b"this is no zlib"),
    ] {
        assert_eq!(Pdf::new().stream(9, dictionary, data).faults(), [FileFault::PdfTooComplex], "{dictionary}");
    }
}

#[test]
fn an_encrypted_file_is_refused_as_such() {
    let locked = |pdf: Pdf| faults(&pdf.raw("trailer<</Root 1 0 R/Encrypt 9 0 R>>startxref 9 %%EOF").bytes);
    let expected = BTreeSet::from([FileFault::PdfLocked]);
    assert_eq!(locked(Pdf::new()), expected);
    let noise = Pdf::new().stream(9, "/Type/ObjStm/N 1/First 5/Filter/FlateDecode", b"\x13\x37 encrypted");
    assert_eq!(locked(noise), expected, "what cannot be read is not reported beside it");
    let table = "/Type/XRef/Size 4/W[1 2 1]/Root 1 0 R/Encrypt 9 0 R";
    assert_eq!(Pdf::new().stream(8, table, b"....").faults(), [FileFault::PdfLocked], "a compressed table");
}

#[test]
fn all_faults_are_reported_at_once() {
    let pdf = Pdf::new().object(10, DANGERS[0].0).object(11, DANGERS[6].0).object_stream(12, DANGERS[14].0);
    assert_eq!(pdf.faults(), [FileFault::PdfScript, FileFault::PdfAction, FileFault::PdfAttachment]);
}

#[test]
fn something_that_only_begins_like_a_document_is_none() {
    let whole = Pdf::new().end();
    for end in 5..whole.len() - 6 {
        assert_eq!(faults(&whole[..end]), BTreeSet::from([FileFault::Incomplete]), "the first {end} bytes");
    }
    let unreadable = BTreeSet::from([FileFault::Unreadable]);
    assert_eq!(faults(b"%PDF-1.4\n%%EOF\n"), unreadable);
    assert_eq!(faults(b"%PDF-1.4\ntrailer<</Root 1 0 R>>\n%%EOF\n"), unreadable, "no page");
    let archive = [&whole[..], &[0; 2_000]].concat();
    assert_eq!(faults(&archive), BTreeSet::from([FileFault::Incomplete]), "another file behind the end");
    assert_eq!(faults(&[&whole[..], &[0; 900]].concat()), BTreeSet::new(), "some programs pad their files");
}

#[test]
fn no_file_keeps_the_check_busy() {
    let too_complex = [FileFault::PdfTooComplex];
    assert_eq!(Pdf::new().object(10, &"[".repeat(100_000)).faults(), too_complex, "deep nesting");
    let deep = format!("{}{}", "<</A".repeat(100_000), ">>".repeat(100_000));
    assert_eq!(Pdf::new().object_stream(10, &deep).faults(), too_complex, "deep nesting in a stream");
    let bomb = deflated(&vec![b' '; LARGEST_STREAM + 100]);
    let dictionary = "/Type/ObjStm/N 1/First 5/Filter/FlateDecode";
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    assert_eq!(Pdf::new().stream(9, dictionary, &bomb).faults(), too_complex, "a stream that grows");
    let half = deflated(&vec![b' '; LARGEST_STREAM - 100]);
    let many = (9..13).fold(Pdf::new(), |pdf, number| pdf.stream(number, dictionary, &half));
    assert_eq!(many.faults(), too_complex, "many such streams");
    // Each of these objects begins a value that ends with the file.
    assert_eq!(Pdf::new().raw(" obj<<>><<".repeat(30_000)).faults(), too_complex, "quadratic work");
}

const LARGEST_STREAM: usize = 32 << 20;

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "obj",
        " obj ",
        "<<",
        ">>",
        "[",
        "]",
        "stream\n",
        "endstream",
        "/S",
        "/Type/ObjStm",
        "/N 1",
        "/First 5",
        "/FlateDecode",
        "trailer",
        "12 0 R",
        "(",
        ")",
        "%",
        "\n",
        "/Page",
        "/Root",
    ];
    let word = prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    let noise = prop::collection::vec(any::<u8>(), 0..20);
    prop::collection::vec(prop_oneof![3 => word, 1 => noise], 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_break_the_check(noise in pieces()) {
        let _ = faults(&[b"%PDF-1.7\n", &noise[..], b"%%EOF"].concat());
    }

    #[test]
    fn nothing_around_a_danger_hides_it(before in pieces(), after in pieces(), danger in prop::sample::select(DANGERS.to_vec())) {
        let pdf = Pdf::new().raw(&before).raw("\n").object(10, danger.0).raw(&after);
        prop_assert!(faults(&pdf.end()).contains(&danger.1), "{danger:?}");
    }
}

//! Uploads: the files that applicants submit. The type of a file is determined by its content, never by its name.
//!
//! A job checks each file. Until it has passed, no person is shown its content. The original is kept as evidence;
//! people are shown a copy that was encoded again (a picture), or the file itself (a PDF).

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{PersonId, UploadId};
use crate::domain::kernel::text::Bilingual;
use crate::domain::kernel::words::words;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub id: UploadId,
    pub person: PersonId,
    pub kind: FileKind,
    /// The size of the original in bytes.
    pub size: u64,
    /// SHA-256 of the original.
    pub sha256: [u8; 32],
    pub created_at: Instant,
    /// When the file is deleted if no application is submitted with it. `None` once the file belongs to a case, because
    /// it is then kept as long as the case.
    pub keep_until: Option<Instant>,
    pub check: FileCheck,
}

/// The state of a file's check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileCheck {
    /// 检查中
    Pending,
    Passed(ShownFile),
    Refused(FileFault),
}

/// The file that people are shown in place of the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownFile {
    pub kind: FileKind,
    /// The size in bytes.
    pub size: u64,
    /// SHA-256 of the content.
    pub sha256: [u8; 32],
    /// The path in the object store. For a PDF it is the path of the original.
    pub path: String,
}

/// The file types that applicants may submit. Officers can view all of them on any computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    Jpeg,
    Png,
    Webp,
    Pdf,
}

impl FileKind {
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::Webp, Self::Pdf];

    /// The media type (RFC 6838).
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
        }
    }

    pub fn from_media_type(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.media_type() == text)
    }
}

/// The maximum number of pixels of a picture. A decoded picture of this size needs 150 to 400 MB of memory.
pub const MOST_PIXELS: u64 = 50_000_000;

words! {
    /// The reason why a file is not accepted.
    pub enum FileFault {
        /// Its end is missing: half a photo, or a PDF that did not arrive whole.
        Incomplete = "incomplete",
        /// It has the first bytes of its type, and cannot be decoded.
        Unreadable = "unreadable",
        /// More than [`MOST_PIXELS`].
        TooManyPixels = "too_many_pixels",
        /// A PDF that is encrypted, with or without a password.
        PdfLocked = "pdf_locked",
        /// A PDF with JavaScript, or with a form that contains scripts (XFA).
        PdfScript = "pdf_script",
        /// A PDF with an action that starts a program, sends or imports data, or opens another file.
        PdfAction = "pdf_action",
        /// A PDF with a player: RichMedia, or a 3D model with a script.
        PdfMedia = "pdf_media",
        /// A PDF that contains other files.
        PdfAttachment = "pdf_attachment",
        /// A PDF that is built in a way that cannot be checked, or with too much work for the check.
        PdfTooComplex = "pdf_too_complex",
        /// The malware scanner found something.
        Malware = "malware",
    }
}

impl FileFault {
    /// Tells the resident what is wrong and what to do.
    pub fn advice(self) -> Bilingual {
        let (zh, en) = match self {
            Self::Incomplete => (
                "文件不完整，请重新拍摄或重新保存后再上传",
                "The file is incomplete: take the photo again, or save the file again, and upload it",
            ),
            Self::Unreadable => (
                "文件已损坏，无法打开，请重新拍摄或另存为 JPEG 或 PDF 后再上传",
                "The file is damaged and cannot be opened: take the photo again, or save it as JPEG or PDF, and upload it",
            ),
            Self::TooManyPixels => (
                "图片超过 5000 万像素，请降低分辨率后再上传",
                "The picture has more than 50 million pixels: upload it with a lower resolution",
            ),
            Self::PdfLocked => (
                "PDF 已加密或设有密码，请解除后再上传，或打印为新的 PDF",
                "The PDF is encrypted or has a password: remove it, or print the PDF to a new one, and upload that",
            ),
            Self::PdfScript => (
                "PDF 含有脚本或动态表单，请打印为新的 PDF 后再上传",
                "The PDF contains scripts or a dynamic form: print it to a new PDF, and upload that",
            ),
            Self::PdfAction => (
                "PDF 含有启动程序、提交数据或打开其他文件的动作，请打印为新的 PDF 后再上传",
                "The PDF contains actions that start programs, send data or open other files: print it to a new PDF, and upload that",
            ),
            Self::PdfMedia => (
                "PDF 含有多媒体内容，请打印为新的 PDF 后再上传",
                "The PDF contains multimedia: print it to a new PDF, and upload that",
            ),
            Self::PdfAttachment => (
                "PDF 内嵌了其他文件，请打印为新的 PDF 后再上传，附件请单独上传",
                "The PDF contains other files: print it to a new PDF, and upload that and the other files one by one",
            ),
            Self::PdfTooComplex => (
                "PDF 的结构无法检查，请打印为新的 PDF 后再上传",
                "The structure of the PDF cannot be checked: print it to a new PDF, and upload that",
            ),
            Self::Malware => (
                "文件未通过病毒检查，请在另一台设备上重新制作后再上传",
                "The file did not pass the malware check: make it again on another device, and upload it",
            ),
        };
        Bilingual::new(zh, en)
    }
}

/// Returns the name under which a file is remembered: the last part of the name that the client sent, without control
/// characters, and at most 200 characters. A client may send a path; it is never used as one.
pub fn plain_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()
}

/// The maximum length of a stored file name, in characters. A longer name is cut.
const LONGEST_NAME: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path() {
        assert_eq!(plain_name("身份证.jpg"), "身份证.jpg");
        assert_eq!(plain_name("../../etc/passwd"), "passwd");
        assert_eq!(plain_name(r"C:\Users\wang\scan.pdf"), "scan.pdf");
        assert_eq!(plain_name("a\0b\r\n.pdf"), "ab.pdf");
        assert_eq!(plain_name("folder/"), "");
        assert_eq!(plain_name(&"长".repeat(300)).chars().count(), LONGEST_NAME);
    }

    #[test]
    fn every_fault_says_in_both_languages_what_to_do() {
        for fault in FileFault::ALL {
            let advice = fault.advice();
            assert!(advice.zh.contains("请") && advice.en.contains("upload"), "{fault}");
        }
    }
}

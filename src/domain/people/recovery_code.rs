//! Recovery codes, with which an officer signs in if the authenticator app is lost. A code has 80 random bits, so it cannot
//! be guessed and needs no slow hash.

use data_encoding::BASE32_NOPAD;

use crate::domain::kernel::clock::random_bytes;
use crate::domain::kernel::private::Private;

/// How many codes an officer gets.
pub const COUNT: usize = 10;
/// The number of characters of a code, without hyphens.
const LENGTH: usize = 16;

/// Returns a new code: four groups of four, `abcd-efgh-ijkl-mnop`.
#[must_use]
pub fn fresh_code() -> Private<String> {
    let code = BASE32_NOPAD.encode(&random_bytes::<10>()).to_lowercase();
    let groups: Vec<String> =
        code.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    Private::new(groups.join("-"))
}

/// Returns a code in the form of [`fresh_code`], whatever case and hyphens it was typed with; `None` if the text is no
/// recovery code.
#[must_use]
pub fn read(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|letter| !matches!(letter, '-' | ' ')).collect::<String>().to_lowercase();
    let is_code = plain.len() == LENGTH && plain.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    is_code.then(|| plain.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = fresh_code();
        assert_ne!(code.expose(), fresh_code().expose());
        assert_eq!(read(code.expose()).as_deref(), Some(code.expose().as_str()));
        assert_eq!(read("ABCD EFGH-IJKL mnop").as_deref(), Some("abcd-efgh-ijkl-mnop"));
        for other in ["", "123456", "abcd-efgh-ijkl-mno", "abcd-efgh-ijkl-mno1", "abcd-efgh-ijkl-mnop-q", "一二三四五"]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }
}

//! Splits bytes of a PDF into tokens (ISO 32000-1 §7.2 and §7.3). It keeps no stack, so no nesting is too deep for it.

use std::borrow::Cow;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PdfToken<'a> {
    /// `<<` or `[`
    Open,
    /// `>>` or `]`
    Close,
    /// A name as it is written, without its `/`.
    Name(&'a [u8]),
    /// A string, in parentheses or in hexadecimal digits.
    Text,
    /// A number or a keyword.
    Word(&'a [u8]),
}

impl PdfToken<'_> {
    /// Returns the number, if the token is an integer that is not negative.
    pub fn number(self) -> Option<usize> {
        let Self::Word(word) = self else { return None };
        std::str::from_utf8(word).ok()?.parse().ok()
    }
}

pub struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    /// Begins at a position.
    pub const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The position behind the last token.
    pub const fn position(&self) -> usize {
        self.at
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Moves on while `holds`, and returns the bytes that were passed.
    fn pass(&mut self, holds: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !holds(*byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Skips white space and comments. A comment ends with the line.
    fn skip(&mut self) {
        loop {
            self.pass(is_space);
            if self.peek(0) != Some(b'%') {
                return;
            }
            self.pass(|byte| !matches!(byte, b'\r' | b'\n'));
        }
    }

    /// Skips the rest of a string in parentheses. Inner parentheses are balanced or escaped. Without its end, the string
    /// ends with the bytes.
    fn skip_string(&mut self) {
        let mut depth = 1_usize;
        while let Some(byte) = self.peek(0) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
        self.at = self.bytes.len();
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = PdfToken<'a>;

    fn next(&mut self) -> Option<PdfToken<'a>> {
        self.skip();
        let byte = self.peek(0)?;
        self.at += 1;
        Some(match (byte, self.peek(0)) {
            (b'/', _) => PdfToken::Name(self.pass(is_regular)),
            (b'(', _) => {
                self.skip_string();
                PdfToken::Text
            }
            (b'[', _) => PdfToken::Open,
            (b']', _) => PdfToken::Close,
            (b'<', Some(b'<')) => {
                self.at += 1;
                PdfToken::Open
            }
            (b'>', Some(b'>')) => {
                self.at += 1;
                PdfToken::Close
            }
            (b'<', _) => {
                self.pass(|byte| byte != b'>');
                self.at = self.bytes.len().min(self.at + 1);
                PdfToken::Text
            }
            (byte, _) if is_regular(byte) => {
                self.at -= 1;
                PdfToken::Word(self.pass(is_regular))
            }
            // A delimiter in a place where none belongs.
            _ => PdfToken::Word(&self.bytes[self.at - 1..self.at]),
        })
    }
}

pub const fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

pub const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

const fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !is_delimiter(byte)
}

/// Resolves the escapes of a name (§7.3.5): `#4A` is `J`.
pub fn resolved(name: &[u8]) -> Cow<'_, [u8]> {
    if !name.contains(&b'#') {
        return Cow::Borrowed(name);
    }
    let digit = |at: usize| name.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let mut resolved = Vec::with_capacity(name.len());
    let mut at = 0;
    while let Some(byte) = name.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'#', Some(high), Some(low)) => {
                resolved.push(u8::try_from(high << 4 | low).unwrap_or_default());
                at += 3;
            }
            _ => {
                resolved.push(*byte);
                at += 1;
            }
        }
    }
    Cow::Owned(resolved)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::PdfToken::{Close, Name, Open, Text, Word};
    use super::*;

    fn tokens(text: &[u8]) -> Vec<PdfToken<'_>> {
        Lexer::new(text, 0).collect()
    }

    #[test]
    fn the_examples_of_the_standard_are_read() {
        assert_eq!(tokens(b"abc % comment (/%) blah\n123"), [Word(b"abc"), Word(b"123")]);
        assert_eq!(tokens(b"(Strings may contain balanced parentheses ( ) and so on (x))1"), [Text, Word(b"1")]);
        assert_eq!(tokens(br"(a \( b \\) /N"), [Text, Name(b"N")]);
        assert_eq!(tokens(b"<4E6F762073686D6F7A>/A.B"), [Text, Name(b"A.B")]);
        assert_eq!(
            tokens(b"[549 3.14 false(Ralph)/S]"),
            [Open, Word(b"549"), Word(b"3.14"), Word(b"false"), Text, Name(b"S"), Close]
        );
        assert_eq!(
            tokens(b"<</Type/Example/V 0.01>>"),
            [Open, Name(b"Type"), Name(b"Example"), Name(b"V"), Word(b"0.01"), Close]
        );
        assert_eq!(tokens(b"/ /"), [Name(b""), Name(b"")]);
        assert_eq!(*resolved(b"Lime#20Green"), *b"Lime Green");
        assert_eq!(*resolved(b"paired#28#29parentheses"), *b"paired()parentheses");
        assert_eq!(*resolved(b"A#42"), *b"AB");
        assert_eq!(*resolved(b"#4#4a#"), *b"#4J#");
    }

    #[test]
    fn a_string_or_comment_without_an_end_swallows_the_rest() {
        assert_eq!(tokens(b"1 (never ) ( ends"), [Word(b"1"), Text, Text]);
        assert_eq!(tokens(b"1 <4E"), [Word(b"1"), Text]);
        assert_eq!(tokens(b"1 % /JS"), [Word(b"1")]);
        assert_eq!(tokens(b"(ends with an escape\\"), [Text]);
    }

    proptest! {
        #[test]
        fn every_text_has_an_end(text in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"()<>[]/%\\ \n#"[..])], 0..200)) {
            let mut lexer = Lexer::new(&text, 0);
            let mut before = 0;
            while lexer.next().is_some() {
                prop_assert!(lexer.position() > before, "each token moves on");
                before = lexer.position();
            }
            prop_assert!(before <= text.len() + 1);
        }
    }
}

//! Texts from other systems. Gateways' calls are weakly signed or not signed at all, so they may contain anything.

/// The maximum length of a number, a key or a code in bytes. Real ones have a few dozen characters.
pub const LONGEST_NUMBER: usize = 64;

/// True if the text is short enough and can be stored: PostgreSQL stores no NUL.
pub fn is_storable(text: &str, longest: usize) -> bool {
    text.len() <= longest && !text.contains('\0')
}

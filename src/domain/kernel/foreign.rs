//! Words of strangers: gateways' calls are weakly signed or not at all, so anything may stand in one.

/// The bytes of a number, a key or a code at the most. Real ones have a few dozen characters.
pub const LONGEST_NUMBER: usize = 64;

/// Whether a text is short, and can be stored: PostgreSQL keeps no NUL.
#[must_use]
pub fn is_storable(text: &str, longest: usize) -> bool {
    text.len() <= longest && !text.contains('\0')
}

//! Checks texts from other systems. Callbacks from gateways are weakly signed or not signed at all, so they may contain
//! anything.

/// The maximum length in bytes of a number, key or code from another system. Real numbers, keys and codes have a few
/// dozen characters.
pub const LONGEST_NUMBER: usize = 64;

/// True if the text has at most `longest` bytes and no NUL character, which PostgreSQL cannot store.
pub fn is_storable(text: &str, longest: usize) -> bool {
    text.len() <= longest && !text.contains('\0')
}

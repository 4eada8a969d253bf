//! Lenient reading of JSON that others wrote: what is not there, or is of another kind, is empty.

use serde_json::Value;

/// Reads members of objects.
pub trait Lenient {
    /// A member's text; a number or a boolean as it would be written; empty if it is none of these.
    fn text(&self, member: &str) -> String;
}

impl Lenient for Value {
    fn text(&self, member: &str) -> String {
        match self.get(member) {
            Some(Self::String(text)) => text.clone(),
            Some(number @ (Self::Number(_) | Self::Bool(_))) => number.to_string(),
            _ => String::new(),
        }
    }
}

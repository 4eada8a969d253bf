//! Lenient reading of callers' JSON: a missing member, or one of another type, is empty.

use serde_json::Value;

pub trait Lenient {
    /// A member as text, also if it is a number or a boolean; empty for everything else.
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

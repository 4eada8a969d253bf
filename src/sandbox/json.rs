//! Reads members of callers' JSON as text. A member that is missing or has no text form is empty.

use serde_json::Value;

pub trait Lenient {
    /// The text of a member that is a string, a number or a boolean; empty for every other member.
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

//! Reads members of callers' JSON as text. The text is empty if the member is missing, or is no string, number or
//! boolean.

use serde_json::Value;

pub trait Lenient {
    /// Returns the text of a member that is a string, a number or a boolean; empty for every other member, or if there
    /// is no such member.
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

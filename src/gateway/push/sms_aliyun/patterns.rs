//! Checks the catalogue's templates for SMS, so that an administrator learns of a fault before the service refuses a
//! message.

/// Says why a variable cannot hold a text. `text` still contains its placeholders, except the status.
pub fn fault(name: &str, text: &str) -> Option<&'static str> {
    if !["name", "status", "number"].contains(&name) {
        return Some("the approved texts have the variables name, status and number only");
    }
    (text.contains("://") || text.contains("www.") || text.contains("{case}")).then_some("the gateway refuses links")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_variables_and_links_are_refused() {
        assert_eq!(fault("name", "{item}"), None);
        for (name, text) in [("link", "{item}"), ("name", "https://example.org"), ("number", "{case}")] {
            assert!(fault(name, text).is_some(), "{name}: {text}");
        }
    }
}

//! Checks the SMS templates of the catalogue, so that an administrator sees a fault before the service refuses a
//! message.

/// Returns the reason why a template variable cannot have this text; `None` if it can. `text` still contains
/// placeholders such as `{item}`; only the status is already filled in.
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

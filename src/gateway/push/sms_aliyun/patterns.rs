//! What a template may put into the variables of an SMS, told when the catalogue is checked and not when a message is
//! refused.

/// What a variable of this name cannot hold; `text` still has its placeholders, but for the status.
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
    fn neither_strange_variables_nor_links_go_out() {
        assert_eq!(fault("name", "{item}"), None);
        for (name, text) in [("link", "{item}"), ("name", "https://example.org"), ("number", "{case}")] {
            assert!(fault(name, text).is_some(), "{name}: {text}");
        }
    }
}

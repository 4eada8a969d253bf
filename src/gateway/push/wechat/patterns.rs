//! Checks the WeChat templates of the catalogue, so that an administrator sees a fault before WeChat refuses a message.

use super::fields::is_han;

/// Returns the reason why a field cannot have this text; `None` if it can. The field's type is its name without the
/// number.
///
/// `text` still contains placeholders such as `{item}`; only the status is already filled in. The length of `{item}`
/// does not matter, because it is shortened when the message is sent. A case number (`{number}`) always fits: it has 21
/// characters, only digits and capital letters.
pub fn fault(name: &str, text: &str) -> Option<&'static str> {
    match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "phrase" if !(1..=5).contains(&text.chars().count()) || !text.chars().all(is_han) => {
            Some("a phrase takes one to five Chinese characters")
        }
        "thing" if text.replace("{item}", "").chars().count() > 20 => Some("a thing takes at most 20 characters"),
        "character_string" if text.contains("{item}") || text.chars().any(is_han) => {
            Some("a character_string takes no Chinese characters")
        }
        "time" | "date" if text != "{time}" => Some("a time takes {time} alone"),
        "phrase" | "thing" | "character_string" | "time" | "date" => None,
        _ => Some("the type of this field is not known here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_limits() {
        for (name, text) in [
            ("phrase2", "准予办理"),
            ("thing1", "{item}"),
            ("character_string3", "{number}"),
            ("time4", "{time}"),
            ("date4", "{time}"),
        ] {
            assert_eq!(fault(name, text), None, "{name}");
        }
        for (name, text) in [
            ("phrase2", "准予办理了啊"),
            ("phrase2", "准予!"),
            ("phrase2", ""),
            ("thing1", "一二三四五六七八九十一二三四五六七八九十一"),
            ("character_string3", "{item}"),
            ("character_string3", "号{number}"),
            ("time4", "于{time}"),
            ("riddle5", "x"),
        ] {
            assert!(fault(name, text).is_some(), "{name}: {text}");
        }
    }
}

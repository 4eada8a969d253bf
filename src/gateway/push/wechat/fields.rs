//! Fits a text into a field of a subscribe message. WeChat refuses the whole message (47003) if one field is too long
//! or contains a character that its type does not allow (《订阅消息参数值内容限制说明》). A field's name contains its type: `thing1`,
//! `character_string3`.
//!
//! WeChat does not say if a length is in code points or UTF-16 units. So characters whose length differs between the
//! two are removed.

/// The characters and the length that a type of field allows.
struct Rule {
    takes: fn(char) -> bool,
    limit: usize,
    ellipsis: Option<char>,
    /// The text that replaces an empty text, because WeChat refuses empty fields.
    nothing: &'static str,
}

/// Removes the characters that the field does not allow, and shortens the rest to the limit.
pub fn fit(field: &str, text: &str) -> String {
    let rule = rule(field.trim_end_matches(|c: char| c.is_ascii_digit()), text);
    let taken: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| is_plain(*c) && (rule.takes)(*c))
        .collect();
    let line = taken.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let fitted = cut(&line, rule.limit, rule.ellipsis);
    if fitted.is_empty() { rule.nothing.to_owned() } else { fitted }
}

fn rule(kind: &str, text: &str) -> Rule {
    let (takes, limit): (fn(char) -> bool, usize) = match kind {
        "thing" => (anything, 20),
        "number" => (|c| c.is_ascii_digit() || c == '.', 32),
        "letter" => (|c| c.is_ascii_alphabetic(), 32),
        "symbol" => (|c| !c.is_alphanumeric() && c != ' ', 5),
        "character_string" => (|c| c.is_ascii_graphic() || c == ' ', 32),
        "phone_number" => (|c| c.is_ascii_digit() || c.is_ascii_punctuation(), 17),
        "car_number" => (anything, 8),
        "name" => (anything, if text.chars().any(is_han) { 10 } else { 20 }),
        "phrase" => (is_han, 5),
        // `time`, `date`, `amount` and `enum` are never shortened: a part of such a value would be wrong.
        _ => (anything, usize::MAX),
    };
    let ellipsis = (kind == "thing").then_some('…');
    let takes_han = takes('无');
    Rule { takes, limit, ellipsis, nothing: if takes_han { "无" } else { "-" } }
}

/// True unless the character is a control character, is outside the Basic Multilingual Plane, or is a joiner or
/// variation selector that remains of an emoji.
fn is_plain(c: char) -> bool {
    let invisible = matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}');
    !c.is_control() && c <= '\u{ffff}' && !invisible
}

fn cut(text: &str, limit: usize, ellipsis: Option<char>) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit - ellipsis.map_or(0, |_| 1)).collect();
    kept.trim_end().chars().chain(ellipsis).collect()
}

fn anything(_: char) -> bool {
    true
}

pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '〇')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_type_has_its_limit() {
        for (field, text, fitted) in [
            ("thing1", "居住证办理", "居住证办理"),
            ("thing1", "一二三四五六七八九十一二三四五六七八九十", "一二三四五六七八九十一二三四五六七八九十"),
            ("thing1", "一二三四五六七八九十一二三四五六七八九十一", "一二三四五六七八九十一二三四五六七八九…"),
            ("number2", "第 12.5 号", "12.5"),
            ("letter3", "A1b2", "Ab"),
            ("symbol4", "a+-*/=%", "+-*/="),
            ("character_string3", "XA2026-000123 号", "XA2026-000123"),
            ("time4", "2026年1月2日 09:30", "2026年1月2日 09:30"),
            ("date5", "2026-01-02", "2026-01-02"),
            ("amount6", "¥12.50元", "¥12.50元"),
            ("phone_number7", "+86-0571-88886666", "+86-0571-88886666"),
            ("car_number8", "粤A8Z888挂牌", "粤A8Z888挂"),
            ("name9", "一二三四五六七八九十一", "一二三四五六七八九十"),
            ("name9", "Maximilian Longname-Smith", "Maximilian Longname-"),
            ("phrase2", "已通过!", "已通过"),
            ("phrase2", "审批已经通过了", "审批已经通"),
        ] {
            assert_eq!(fit(field, text), fitted, "{field}");
        }
    }

    #[test]
    fn line_breaks_and_emoji_are_removed() {
        assert_eq!(fit("thing1", "  a\r\n\tb\u{0}  c "), "a b c");
        assert_eq!(fit("thing1", "好👍🏽的❤\u{fe0f}"), "好的❤");
    }

    #[test]
    fn an_empty_field_gets_a_placeholder() {
        assert_eq!(fit("thing1", " 👍 "), "无");
        assert_eq!(fit("phrase2", "ok"), "无");
        assert_eq!(fit("character_string3", "无"), "-", "this type takes no Chinese characters");
    }

    proptest! {
        #[test]
        fn every_text_fits(kind in "thing|number|letter|symbol|character_string|phone_number|car_number|name|phrase", text in "\\PC*|.*") {
            let fitted = fit(&format!("{kind}1"), &text);
            prop_assert!(!fitted.is_empty());
            prop_assert!(fitted.chars().count() <= rule(&kind, &fitted).limit);
            prop_assert!(!fitted.contains(|c: char| c > char::from_u32(0xffff).unwrap() || c.is_control()), "{}", fitted);
            prop_assert_eq!(fit(&format!("{kind}1"), &fitted), fitted, "fitting twice changes nothing");
        }
    }
}

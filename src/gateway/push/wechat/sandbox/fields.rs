//! Checks the fields of a message by their type: `thing1` takes at most 20 characters, `phrase2` at most five Chinese
//! characters, … (from the table in WeChat's guide of subscribe messages).

use std::sync::LazyLock;

use regex::Regex;

const DATE: &str =
    r"(?:\d{4}年\d{1,2}月(?:\d{1,2}日)?|\d{1,2}月\d{1,2}日|\d{4}([-/.])\d{1,2}(?:[-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2})";
const TIME: &str = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?";

struct Patterns {
    time: Regex,
    date: Regex,
    amount: Regex,
}

#[expect(clippy::expect_used, reason = "the patterns are constant, and a test reads them")]
static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let date = DATE.replace("([-/.])", "[-/.]");
    let moment = format!("(?:{date} ?)?{TIME}");
    let day = format!("{date}(?: ?{TIME})?");
    let pattern = |text: String| Regex::new(&text).expect("a pattern");
    Patterns {
        time: pattern(format!("^{moment}(?:~{moment})?$")),
        date: pattern(format!("^{day}(?:~{day})?$")),
        amount: pattern(r"^\p{Sc}?\d{1,10}(?:\.\d+)?元?$".to_owned()),
    }
});

/// True if the type of the field allows the value. A field of an unknown type allows no value.
pub(super) fn fits(field: &str, value: &str) -> bool {
    let kind = field.trim_end_matches(|c: char| c.is_ascii_digit());
    let length = value.chars().count();
    if length == 0 || kind.len() == field.len() || value.chars().any(char::is_control) {
        return false;
    }
    let all = |is: fn(char) -> bool| value.chars().all(is);
    match kind {
        "thing" => length <= 20,
        "number" => length <= 32 && value.parse::<f64>().is_ok() && all(|c| c.is_ascii_digit() || c == '.'),
        "letter" => length <= 32 && all(|c| c.is_ascii_alphabetic()),
        "symbol" => length <= 5 && !value.chars().any(char::is_alphanumeric),
        "character_string" => length <= 32 && !value.chars().any(is_han),
        "time" => PATTERNS.time.is_match(value),
        "date" => PATTERNS.date.is_match(value),
        "amount" => PATTERNS.amount.is_match(value),
        "phone_number" => length <= 17 && !value.chars().any(char::is_alphabetic),
        "car_number" => is_plate(value, length),
        "name" => length <= if value.chars().any(is_han) { 10 } else { 20 },
        "phrase" => length <= 5 && all(is_han),
        "enum" => length <= 20,
        _ => false,
    }
}

/// True for a number plate. Only its first and last character may be Chinese.
fn is_plate(value: &str, length: usize) -> bool {
    let inner = value.chars().skip(1).take(length.saturating_sub(2));
    length <= 8 && value.chars().all(char::is_alphanumeric) && !inner.into_iter().any(is_han)
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' | '〇')
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn values_within_the_limits_fit() {
        for (field, value) in [
            ("thing1", "居住证办理 A-1"),
            ("thing12", "一二三四五六七八九十一二三四五六七八九十"),
            ("number1", "12.50"),
            ("letter1", "Abc"),
            ("symbol1", "+-!"),
            ("character_string3", "XA2026-000123"),
            ("time4", "2026年1月2日 09:30"),
            ("time4", "09:30:15~2026-01-02 23:59"),
            ("date5", "2026年1月2日"),
            ("date5", "2026-01~2026/02"),
            ("date5", "01-02 09:30"),
            ("amount6", "¥100.5元"),
            ("phone_number7", "+86-0519-88888888"),
            ("car_number8", "苏D12345"),
            ("name9", "一二三四五六七八九十"),
            ("phrase2", "已通过"),
            ("enum1", "通过"),
        ] {
            assert!(fits(field, value), "{field} {value}");
        }
    }

    #[test]
    fn values_beyond_the_limits_do_not_fit() {
        for (field, value) in [
            ("thing1", ""),
            ("thing1", "一二三四五六七八九十一二三四五六七八九十一"),
            ("thing1", "two\nlines"),
            ("thing", "no number"),
            ("other1", "x"),
            ("number1", "12a"),
            ("letter1", "a1"),
            ("character_string3", "办A1"),
            ("time4", "25:00"),
            ("time4", "明天"),
            ("date5", "09:30"),
            ("amount6", "100000000000"),
            ("phone_number7", "138000000001380000"),
            ("car_number8", "苏D苏2345"),
            ("name9", "一二三四五六七八九十一"),
            ("phrase2", "一二三四五六"),
            ("phrase2", "通过A"),
        ] {
            assert!(!fits(field, value), "{field} {value}");
        }
    }
}

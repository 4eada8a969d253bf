//! Landlines (固定电话) of the mainland. Offices and companies write them with the area code.

/// A regular expression, without `^` and `$`, for the texts that [`is_landline`] accepts: area code, number, and an
/// optional extension, as in `0519-82821234-802`.
pub const PATTERN: &str = "0(10|2[0-9]|[3-9][0-9]{2})-[2-8][0-9]{6,7}(-[0-9]{1,6})?";

/// True if the text is a landline with its area code and an optional extension.
pub fn is_landline(text: &str) -> bool {
    let mut parts = text.split('-');
    let (area, number, extension) = (parts.next(), parts.next(), parts.next());
    let number = number.filter(|it| it.starts_with(|first: char| ('2'..='8').contains(&first)));
    area.is_some_and(is_area_code)
        && number.is_some_and(|it| is_digits(it, 7..=8))
        && extension.is_none_or(|it| is_digits(it, 1..=6))
        && parts.next().is_none()
}

/// True if an office can publish the number: a landline, or a hotline (`0519-12345`) with its area code.
pub fn is_office_phone(text: &str) -> bool {
    let hotline =
        |(area, number): (&str, &str)| is_area_code(area) && number.starts_with('1') && is_digits(number, 5..=5);
    is_landline(text) || text.split_once('-').is_some_and(hotline)
}

/// True for an area code: three digits for Beijing and the 02x cities, four digits for all others.
fn is_area_code(text: &str) -> bool {
    match text.as_bytes() {
        [b'0', b'1', b'0'] => true,
        [b'0', b'2', last] => last.is_ascii_digit(),
        [b'0', b'3'..=b'9', ..] => is_digits(text, 4..=4),
        _ => false,
    }
}

fn is_digits(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_and_the_check_agree() {
        let pattern = regex::Regex::new(&format!("^(?:{PATTERN})$")).unwrap();
        let landlines = ["0519-82821234", "010-65121234", "025-83311234-802", "0371-6512123"];
        let others = [
            "82821234",
            "051982821234",
            "0519-12345",
            "0519-02821234",
            "0519-82821234-",
            "0519-82821234-1-2",
            "020-",
            "13800138000",
            "0119-82821234",
            "0519-828212345",
            "０５１９-82821234",
            "0519 82821234",
            "",
        ];
        for (text, expected) in landlines.map(|it| (it, true)).into_iter().chain(others.map(|it| (it, false))) {
            assert_eq!((is_landline(text), pattern.is_match(text)), (expected, expected), "{text}");
        }
    }

    #[test]
    fn an_office_may_publish_a_hotline_only_with_its_area_code() {
        assert!(["0519-12345", "0519-82821234", "010-12333"].iter().all(|text| is_office_phone(text)));
        assert!(
            !["12345", "0519-22345", "0519-123456", "13800138000", "0519-12345-1"].iter().any(|it| is_office_phone(it))
        );
    }
}

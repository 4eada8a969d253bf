//! Numbers that identify people, organisations and phones: the resident ID (公民身份号码, GB 11643-1999), the unified
//! social credit code (统一社会信用代码, GB 32100-2015) and the mobile number.
//!
//! The form, the date and the check digit of a resident ID are checked, but not the administrative division in its
//! first six digits. People who registered before 2015 have divisions that current tables lack (320482 金坛市, 320422
//! 金坛县), and a person keeps the number for life. Numbers of the first generation, with 15 digits, were valid until the
//! end of 2012 (居民身份证法 art. 23), and are refused.

use std::fmt;

use chrono::{Datelike, NaiveDate};

use crate::domain::kernel::private::Private;

/// Why a text is not a resident ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResidentIdFault {
    #[error("not 17 digits and a digit or capital X")]
    Form,
    #[error("a 15-digit number of the first generation")]
    FirstGeneration,
    /// Digits 7 to 14 are not a date between 1850 and today.
    #[error("no valid date of birth")]
    BirthDate,
    #[error("the check digit is wrong")]
    CheckDigit,
}

/// A resident ID (公民身份号码) with a valid form, date and check digit. Personal data: `Debug` shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResidentId(Private<String>);

impl ResidentId {
    /// Parses a resident ID. The only letter allowed is a capital X (GB 11643).
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, ResidentIdFault> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        if text.len() == 15 && digits == 15 {
            return Err(ResidentIdFault::FirstGeneration);
        }
        let ends_well = digits == 18 || (digits == 17 && text.ends_with('X'));
        if text.len() != 18 || !ends_well {
            return Err(ResidentIdFault::Form);
        }
        let born = birth_date(text).ok_or(ResidentIdFault::BirthDate)?;
        if born > today || born.year() < EARLIEST_BIRTH_YEAR {
            return Err(ResidentIdFault::BirthDate);
        }
        if !text.ends_with(resident_check(text)) {
            return Err(ResidentIdFault::CheckDigit);
        }
        Ok(Self(Private::new(text.to_owned())))
    }

    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The masked number that its owner sees. It hides the date of birth.
    pub fn masked(&self) -> String {
        masked_resident_id(self.expose())
    }
}

/// Masks a resident ID: only the first and the last four characters stay visible. The text need not be a valid one.
pub fn masked_resident_id(text: &str) -> String {
    starred(text, 4, 4)
}

/// Masks an account or a card: `************1234`.
pub fn masked_account(text: &str) -> String {
    starred(text, 0, 4)
}

/// Replaces all but the first `head` and the last `tail` characters with stars. If the text is too short to hide
/// anything, all of it is replaced.
fn starred(text: &str, head: usize, tail: usize) -> String {
    let length = text.chars().count();
    let is_shown = |at: usize| length > head + tail && (at < head || at >= length - tail);
    text.chars().enumerate().map(|(at, letter)| if is_shown(at) { letter } else { '*' }).collect()
}

/// A birth date before this year is a fault. The year is early enough for all living people, and for an example number
/// of the standard whose birth date is in 1880.
const EARLIEST_BIRTH_YEAR: i32 = 1850;

fn birth_date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.get(6..14)?, "%Y%m%d").ok()
}

/// The check character of a resident ID: ISO/IEC 7064 MOD 11-2 over the first 17 digits.
pub fn resident_check(text: &str) -> char {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = text.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    match (12 - sum % 11) % 11 {
        10 => 'X',
        digit => char::from_digit(digit, 10).unwrap_or('0'),
    }
}

/// Why a text is not a unified social credit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreditCodeFault {
    #[error("not 18 digits and capital letters without I, O, S, V, Z")]
    Form,
    #[error("the check character is wrong")]
    CheckCharacter,
}

/// A unified social credit code (统一社会信用代码) with a valid form and check character.
///
/// The code contains an organisation code, which has a second check character. The second check character is not
/// checked, because real registers contain codes in which it is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CreditCode(String);

impl CreditCode {
    pub fn parse(text: &str) -> Result<Self, CreditCodeFault> {
        let values: Option<Vec<usize>> = text.chars().map(|c| CREDIT_ALPHABET.find(c)).collect();
        let values = values.filter(|values| values.len() == 18).ok_or(CreditCodeFault::Form)?;
        let sum: usize = values.iter().zip(CREDIT_WEIGHTS).map(|(value, weight)| value * weight).sum();
        let fits = values.last() == Some(&((31 - sum % 31) % 31));
        fits.then(|| Self(text.to_owned())).ok_or(CreditCodeFault::CheckCharacter)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The 31 characters of GB 32100, in the order of their values.
const CREDIT_ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
/// The weights of the first 17 positions: 3^(i-1) mod 31. The check character has no weight.
const CREDIT_WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/// A mainland mobile number: 11 digits, `1[3-9]…`. Personal data: `Debug` shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MobilePhone(Private<String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a mainland mobile number")]
pub struct InvalidPhone;

impl MobilePhone {
    /// Parses a number as people write it: with or without `+86`, with spaces or hyphens, in full-width digits.
    pub fn parse(text: &str) -> Result<Self, InvalidPhone> {
        let plain: String =
            text.chars().filter(|c| !c.is_whitespace() && !"-()（）".contains(*c)).map(narrow).collect();
        let national = ["+86", "0086", "86"].iter().find_map(|prefix| plain.strip_prefix(prefix)).unwrap_or(&plain);
        let national = if is_mobile(national) { national } else { plain.as_str() };
        is_mobile(national).then(|| Self(Private::new(national.to_owned()))).ok_or(InvalidPhone)
    }

    /// The 11 digits.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The number with the country code: `+86` and the 11 digits.
    pub fn e164(&self) -> Private<String> {
        Private::new(format!("+86{}", self.expose()))
    }

    /// The masked number that lists show: `138****5678`.
    pub fn masked(&self) -> String {
        masked_phone(self.expose())
    }
}

/// Masks a phone number: only the first three and the last four characters stay visible. The text need not be a valid
/// one.
pub fn masked_phone(text: &str) -> String {
    starred(text, 3, 4)
}

fn is_mobile(text: &str) -> bool {
    text.len() == 11
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.starts_with('1')
        && matches!(text.as_bytes().get(1), Some(b'3'..=b'9'))
}

/// The half-width form of a full-width character; any other character unchanged.
fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        other => other,
    }
}

/// A masked name for lists: the first character and stars (`张*`). Names of three or more characters also keep the last
/// one (`张*三`).
pub struct MaskedName<'a>(pub &'a str);

impl fmt::Display for MaskedName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let characters: Vec<char> = self.0.chars().collect();
        let (Some(first), Some(last)) = (characters.first(), characters.last()) else { return Ok(()) };
        match characters.len() {
            1 => f.write_str("*"),
            2 => write!(f, "{first}*"),
            length => write!(f, "{first}{}{last}", "*".repeat(length - 2)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
    }

    #[test]
    fn known_resident_ids_are_accepted_and_faults_are_named() {
        for text in [
            "11010519491231002X",
            "440524188001010014",
            "320413201603070016",
            "320413201503070027",
            "320482200002290011",
            "320422198506150024",
            "320413199003070012", // born before the division existed: divisions are not checked
            "810000199001010019",
            "820000197712120014",
            "830000198505060027",
        ] {
            let id = ResidentId::parse(text, today()).unwrap_or_else(|fault| panic!("{text}: {fault}"));
            assert_eq!(id.expose(), text);
            assert!(!format!("{id:?}").contains(text));
        }
        let fault = |text| ResidentId::parse(text, today()).err();
        assert_eq!(fault("110105491231002"), Some(ResidentIdFault::FirstGeneration));
        assert_eq!(fault("11010519491231002x"), Some(ResidentIdFault::Form));
        assert_eq!(fault("1101051949123100２Ｘ"), Some(ResidentIdFault::Form));
        assert_eq!(fault("110105194912310021"), Some(ResidentIdFault::CheckDigit));
        assert_eq!(fault("110105190002290021"), Some(ResidentIdFault::BirthDate), "1900 was not a leap year");
        let before = NaiveDate::from_ymd_opt(2016, 3, 6).unwrap();
        assert_eq!(ResidentId::parse("320413201603070016", before).err(), Some(ResidentIdFault::BirthDate));
    }

    #[test]
    fn a_masked_id_hides_the_date_of_birth() {
        assert_eq!(ResidentId::parse("320413201603070016", today()).unwrap().masked(), "3204**********0016");
    }

    #[test]
    fn known_credit_codes_are_accepted_and_faults_are_named() {
        for text in [
            "91350100M000100Y43",
            "91110000600037341L",
            "11650000010183859F",
            "91320413MA1ABCDE0N",
            "113204130141000005",
        ] {
            assert_eq!(CreditCode::parse(text).map(|code| code.0), Ok(text.to_owned()));
        }
        assert_eq!(CreditCode::parse("91350100M000100Y44"), Err(CreditCodeFault::CheckCharacter));
        for text in ["91350100M000100Y4", "91350100m000100y43", "91350100S000100Y43", "", "９1350100M000100Y43"] {
            assert_eq!(CreditCode::parse(text), Err(CreditCodeFault::Form), "{text}");
        }
    }

    #[test]
    fn a_phone_is_read_as_people_write_it() {
        for text in
            ["13800138000", "+86 138-0013-8000", "86 13800138000", "0086(138)00138000", "１３８００１３８０００"]
        {
            let phone = MobilePhone::parse(text).unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(phone.e164().expose(), "+8613800138000");
            assert_eq!(phone.masked(), "138****8000");
        }
        for text in ["12800138000", "1380013800", "138001380000", "051982888888", "+1 13800138000", "", "1３８"] {
            assert!(MobilePhone::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_too_short_to_mask_is_hidden_completely() {
        assert_eq!(masked_resident_id("12345678"), "********");
        assert_eq!(masked_resident_id("张三的身份证号码如下"), "张三的身**号码如下");
        assert_eq!(masked_phone(""), "");
    }

    #[test]
    fn names_are_masked() {
        for (name, masked) in [("", ""), ("张", "*"), ("张三", "张*"), ("张小三", "张*三"), ("欧阳小三", "欧**三")]
        {
            assert_eq!(MaskedName(name).to_string(), masked);
        }
    }

    proptest! {
        #[test]
        fn every_single_wrong_digit_in_an_id_is_detected(at in 0_usize..17, by in 1_u8..10) {
            let mut slip = "320413201603070016".as_bytes().to_vec();
            slip[at] = b'0' + (slip[at] - b'0' + by) % 10;
            let slip = String::from_utf8(slip).unwrap();
            prop_assert!(ResidentId::parse(&slip, today()).is_err(), "{slip}");
        }

        #[test]
        fn every_single_wrong_character_in_a_credit_code_is_detected(at in 0_usize..18, by in 1_usize..31) {
            let mut slip: Vec<char> = "91350100M000100Y43".chars().collect();
            let value = CREDIT_ALPHABET.find(slip[at]).unwrap();
            slip[at] = CREDIT_ALPHABET.chars().nth((value + by) % 31).unwrap();
            let slip: String = slip.into_iter().collect();
            prop_assert!(CreditCode::parse(&slip).is_err(), "{slip}");
        }

        #[test]
        fn no_text_makes_a_parser_panic(text in ".{0,24}") {
            let _ = ResidentId::parse(&text, today());
            let _ = CreditCode::parse(&text);
            let _ = MobilePhone::parse(&text);
        }
    }
}

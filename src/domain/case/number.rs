//! Case numbers (办件编号), for people: `320413` (the district) + `yyyyMMdd` (the day in Beijing) + six digits (the
//! counter of that day) + one check character, ISO/IEC 7064 MOD 37,36 (GB/T 17710). These are 21 characters. The check
//! character reveals every single wrong character, and nearly every swap of neighbours, before the number is looked up
//! in the database.

use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::domain::kernel::shown::shown;

const DIVISION: &str = "320413";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseNumber(String);
shown!(CaseNumber);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a case number: its check character is wrong")]
pub struct InvalidCaseNumber;

impl CaseNumber {
    /// Makes the number of the `count`-th case of a day. `count` begins at 1.
    pub fn new(day: NaiveDate, count: u32) -> Self {
        let body = format!("{DIVISION}{:04}{:02}{:02}{count:06}", day.year(), day.month(), day.day());
        let check = check_character(&body).unwrap_or('0');
        Self(format!("{body}{check}"))
    }

    /// Wraps a number from the database without checking it again.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for CaseNumber {
    type Err = InvalidCaseNumber;

    fn from_str(text: &str) -> Result<Self, InvalidCaseNumber> {
        let text = text.trim().to_ascii_uppercase();
        let (at, given) = text.char_indices().next_back().ok_or(InvalidCaseNumber)?;
        let fits = text.len() >= 21 && check_character(&text[..at]) == Some(given);
        fits.then_some(Self(text)).ok_or(InvalidCaseNumber)
    }
}

impl TryFrom<String> for CaseNumber {
    type Error = InvalidCaseNumber;

    fn try_from(text: String) -> Result<Self, InvalidCaseNumber> {
        text.parse()
    }
}

impl From<CaseNumber> for String {
    fn from(number: CaseNumber) -> Self {
        number.0
    }
}

/// Returns the check character of ISO/IEC 7064 MOD 37,36. `None` if the text contains anything but digits and capital
/// letters.
fn check_character(body: &str) -> Option<char> {
    let mut product = 36;
    for c in body.chars() {
        let value = c.is_ascii_digit() || c.is_ascii_uppercase();
        let value = value.then(|| c.to_digit(36)).flatten()?;
        let sum = (product + value) % 36;
        product = if sum == 0 { 36 } else { sum } * 2 % 37;
    }
    char::from_digit((37 - product) % 36, 36).map(|c| c.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_character_matches_real_licences() {
        // Identifiers of two real e-licences (GB/T 36904), without the root code at the beginning and without the dots.
        // The expected value is the last character of the identifier, which is its check character.
        assert_eq!(check_character("11100000000013338W01111430000006122244L20230000403001"), Some('U'));
        assert_eq!(check_character("11100000000013338W03211220000013544541J2430599001"), Some('F'));
    }

    #[test]
    fn a_number_can_be_parsed_and_every_wrong_character_is_detected() {
        let number = CaseNumber::new(NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(), 42);
        assert_eq!(number.as_str().len(), 21);
        assert!(number.as_str().starts_with("32041320261123000042"));
        assert_eq!(number.as_str().parse(), Ok(number.clone()));
        for at in 0..21 {
            let mut slip: Vec<char> = number.as_str().chars().collect();
            slip[at] = if slip[at] == '7' { '8' } else { '7' };
            assert!(slip.iter().collect::<String>().parse::<CaseNumber>().is_err(), "character {at}");
        }
    }
}

//! What a new password of an officer must be. Length is what makes a password strong, so there is no rule about kinds of
//! characters (NIST SP 800-63B §3.1.1.2). A password that consists of what everybody writes is refused.

use crate::domain::kernel::private::Private;
use crate::domain::people::staff::Username;

pub const FEWEST_CHARACTERS: usize = 12;
pub const MOST_CHARACTERS: usize = 128;
/// So many characters of a password must be left when all common patterns are taken out of it.
const FEWEST_OF_ITS_OWN: usize = 6;
/// So many different characters a password must have.
const FEWEST_DIFFERENT: usize = 5;

/// Patterns of the commonest passwords, one a line, in lower case.
const COMMON: &str = include_str!("common_passwords.txt");

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("a password has {FEWEST_CHARACTERS} to {MOST_CHARACTERS} characters")]
    Length,
    /// It consists of patterns that everybody uses, or repeats the user name.
    #[error("the password is a common one, or repeats the user name")]
    Common,
}

/// A password that an account may have from now on.
#[derive(Debug, Clone)]
pub struct NewPassword(Private<String>);

impl NewPassword {
    pub fn parse(password: Private<String>, username: &Username) -> Result<Self, WeakPassword> {
        let text = password.expose();
        if !(FEWEST_CHARACTERS..=MOST_CHARACTERS).contains(&text.chars().count()) {
            return Err(WeakPassword::Length);
        }
        if is_common(text, username.as_str()) {
            return Err(WeakPassword::Common);
        }
        Ok(Self(password))
    }

    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

fn is_common(password: &str, username: &str) -> bool {
    let mut rest = password.to_lowercase();
    let mut different: Vec<char> = rest.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < FEWEST_DIFFERENT {
        return true;
    }
    let mut patterns: Vec<&str> = COMMON.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    patterns.push(username);
    // The longest first: a short pattern must not cut a longer one.
    patterns.sort_unstable_by_key(|pattern| std::cmp::Reverse(pattern.len()));
    for pattern in patterns {
        // A mark takes the place of the pattern, so that what was around it does not form another one.
        rest = rest.replace(pattern, "\0");
    }
    rest.chars().filter(|letter| letter.is_alphanumeric()).count() < FEWEST_OF_ITS_OWN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(password: &str) -> Result<(), WeakPassword> {
        let password = Private::new(password.to_owned());
        NewPassword::parse(password, &"wang.fang".parse().unwrap()).map(drop)
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(parse("kJ7#qm2!xPz"), Err(WeakPassword::Length));
        assert_eq!(parse("清风路上有三只白色的猫"), Err(WeakPassword::Length));
        assert_eq!(parse("清风路上有三只白色的小猫"), Ok(()));
        assert_eq!(parse(&"清风路上有三只白色的小猫abcdefgh".repeat(6)[..128]), Ok(()));
        assert_eq!(parse(&"kJ7#qm2!".repeat(16)), Ok(()));
        assert_eq!(parse(&format!("{}x", "kJ7#qm2!".repeat(16))), Err(WeakPassword::Length));
    }

    #[test]
    fn what_everybody_writes_is_refused_however_it_is_combined() {
        for common in [
            "aaaaaaaaaaaa",
            "121212121212",
            "123456789012",
            "5201314qwerty",
            "Password123!",
            "1qaz2wsx3edc",
            "Woaini1314520",
            "wang.fang2026",
            "Wang.Fang@123456",
            "qwertyuiop[]",
            "Admin@123456",
            "woaizhongguo888",
        ] {
            assert_eq!(parse(common), Err(WeakPassword::Common), "{common}");
        }
        for good in ["correct horse battery", "songda-demo-password", "another long password", "123456-kJ7qm2xPz"] {
            assert_eq!(parse(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn every_pattern_is_in_lower_case_and_appears_once() {
        let patterns: Vec<&str> = COMMON.lines().filter(|line| !line.starts_with('#')).collect();
        for (at, pattern) in patterns.iter().enumerate() {
            assert!(pattern.chars().count() >= 3, "{pattern}");
            assert_eq!(pattern.to_lowercase(), *pattern);
            assert!(!patterns[..at].contains(pattern), "{pattern} appears twice");
        }
    }
}

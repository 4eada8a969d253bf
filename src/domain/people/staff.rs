//! Staff accounts: officers (审批人员) and the API clients of back-office systems.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{ClientId, OfficerId};
use crate::domain::kernel::shown::shown;
use crate::domain::kernel::words::words;

words! {
    /// What an officer may do.
    pub enum Role {
        /// 审批人员: handles the cases of their agency.
        Officer = "officer",
        /// 主管: handles the cases of their agency like an officer, and supervises the officers of the agency.
        Supervisor = "supervisor",
        /// 运维: handles jobs and gateways.
        Operator = "operator",
    }
}

impl FromStr for Role {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::from_stored(text).ok_or(UnknownWord("role"))
    }
}

words! {
    /// What an officer must do before anything else.
    pub enum SignInStep {
        /// Choose a password of their own.
        ChangePassword = "change_password",
        /// Enrol an authenticator app, because the installation demands a second factor of the officer's role.
        EnrolSecondFactor = "enrol_second_factor",
    }
}

/// An officer's account (审批人员).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    pub id: OfficerId,
    pub username: Username,
    /// The officer's name, as colleagues know it.
    pub name: String,
    pub agency: AgencyCode,
    pub role: Role,
    /// True if the officer may do nothing else before choosing a password of their own.
    pub must_change_password: bool,
    /// True if a sign-in needs a code of the officer's authenticator app beside the password.
    pub has_second_factor: bool,
    pub created_at: Instant,
    /// When the account was closed; `None` while it is open.
    pub disabled_at: Option<Instant>,
}

/// What an installation demands of officers.
#[derive(Debug, Clone)]
pub struct StaffRules {
    /// After this long without a refresh, the session of an officer ends.
    pub idle: Duration,
    /// The roles whose officers must have a second factor.
    pub second_factor: Arc<BTreeSet<Role>>,
}

impl Officer {
    /// The next thing that the officer must do before anything else; `None` if the account is complete.
    pub fn next_step(&self, rules: &StaffRules) -> Option<SignInStep> {
        if self.must_change_password {
            Some(SignInStep::ChangePassword)
        } else if rules.second_factor.contains(&self.role) && !self.has_second_factor {
            Some(SignInStep::EnrolSecondFactor)
        } else {
            None
        }
    }
}

/// An officer's sign-in name: 3 to 40 characters out of `a-z 0-9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);
shown!(Username);

impl FromStr for Username {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let good = (3..=40).contains(&text.len()) && text.bytes().all(|b| is_lower(b) || b"._-".contains(&b));
        good.then(|| Self(text.to_owned())).ok_or(InvalidName("3 to 40 of a-z, 0-9, dot, underscore, hyphen"))
    }
}

/// The name of a back-office system in `/results/{source}/…`: 2 to 40 characters out of `a-z 0-9 -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(String);
shown!(Source);

impl FromStr for Source {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let good = (2..=40).contains(&text.len()) && text.bytes().all(|b| is_lower(b) || b == b'-');
        good.then(|| Self(text.to_owned())).ok_or(InvalidName("2 to 40 of a-z, 0-9, hyphen"))
    }
}

const fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {0}")]
pub struct InvalidName(&'static str);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a known {0}")]
pub struct UnknownWord(&'static str);

words! {
    /// What an API client may do.
    pub enum Scope {
        /// Report decisions that were made in a back-office system.
        ResultsWrite = "results:write",
        /// Read the cases of decisions that the client's system has reported.
        ResultsRead = "results:read",
    }
}

impl FromStr for Scope {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::from_stored(text).ok_or(UnknownWord("scope"))
    }
}

/// The scopes of a client or a token. As text, they are separated by spaces (RFC 6749 §3.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Returns the requested scopes that this set contains, or the whole set if the client requests none. Unknown words
    /// are ignored.
    #[must_use]
    pub fn narrowed(&self, wanted: Option<&str>) -> Self {
        match wanted {
            None => self.clone(),
            Some(words) => words.split(' ').filter_map(|word| word.parse().ok()).filter(|s| self.has(*s)).collect(),
        }
    }

    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl FromStr for Scopes {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        text.split_ascii_whitespace().map(str::parse).collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Scope::as_str).collect();
        f.write_str(&words.join(" "))
    }
}

/// A back-office system that reports its decisions through the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiClient {
    /// The client's id. The signed assertions with which the client requests a token contain this id as `iss` and
    /// `sub`.
    pub id: ClientId,
    /// The name that people read.
    pub name: String,
    pub source: Source,
    /// The agencies for which the client may report decisions.
    pub agencies: Vec<AgencyCode>,
    pub scopes: Scopes,
    pub created_at: Instant,
    /// When its access was revoked; `None` while it has access.
    pub revoked_at: Option<Instant>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_right_form_are_accepted() {
        for good in ["wang.fang", "a_1", "001"] {
            assert!(good.parse::<Username>().is_ok(), "{good}");
        }
        for bad in ["", "ab", "Wang", "王芳芳", "a b c", &"x".repeat(41)] {
            assert!(bad.parse::<Username>().is_err(), "{bad}");
        }
        assert!("jt-housing".parse::<Source>().is_ok() && "jt_housing".parse::<Source>().is_err());
    }

    #[test]
    fn a_client_can_only_narrow_its_scopes() {
        let both: Scopes = Scope::ALL.into_iter().collect();
        let read: Scopes = [Scope::ResultsRead].into_iter().collect();
        assert_eq!(both.narrowed(None), both);
        assert_eq!(both.narrowed(Some("results:read")), read);
        assert_eq!(read.narrowed(Some("results:write results:read")), read);
        assert!(read.narrowed(Some("results:write everything")).is_empty());
        assert_eq!(both.to_string(), "results:write results:read");
        assert_eq!(both.to_string().parse(), Ok(both));
        assert!("results:write everything".parse::<Scopes>().is_err());
    }
}

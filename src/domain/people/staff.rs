//! The other side of the counter: officers (审批人员) and the API clients of back-office systems.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{ClientId, OfficerId};
use crate::domain::kernel::shown::shown;

/// What an officer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// 审批人员: handles the cases of their agency.
    Officer,
    /// 主管: the same, and looks after those who do.
    Supervisor,
    /// 运维: looks after jobs and gateways.
    Operator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Officer, Self::Supervisor, Self::Operator];

    /// As stored and as clients read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Supervisor => "supervisor",
            Self::Operator => "operator",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownWord("role"))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An officer's account (审批人员).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    pub id: OfficerId,
    /// What they type to sign in.
    pub username: Username,
    /// Their name, as colleagues know it.
    pub name: String,
    /// The agency whose cases they see.
    pub agency: AgencyCode,
    /// What they may do.
    pub role: Role,
    /// When the account was made.
    pub created_at: Instant,
    /// Since when it is closed.
    pub disabled_at: Option<Instant>,
}

/// An officer's name for signing in: 3 to 40 of `a-z 0-9 . _ -`.
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

/// The name of a back-office system, as it stands in `/results/{source}/…`: 2 to 40 of `a-z 0-9 -`.
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

/// A text is not a name of the wanted form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {0}")]
pub struct InvalidName(&'static str);

/// A text is none of the known words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a known {0}")]
pub struct UnknownWord(&'static str);

/// What an API client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Hand in results that another system decided.
    ResultsWrite,
    /// Ask what became of them.
    ResultsRead,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::ResultsWrite, Self::ResultsRead];

    /// As stored and as clients name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ResultsWrite => "results:write",
            Self::ResultsRead => "results:read",
        }
    }
}

impl FromStr for Scope {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(UnknownWord("scope"))
    }
}

/// A set of scopes; its text form is a list with spaces (RFC 6749 §3.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// The wanted scopes, as far as these hold them; all of these when nothing is said. Unknown words narrow, too.
    #[must_use]
    pub fn narrowed(&self, wanted: Option<&str>) -> Self {
        match wanted {
            None => self.clone(),
            Some(words) => words.split(' ').filter_map(|word| word.parse().ok()).filter(|s| self.has(*s)).collect(),
        }
    }

    /// Whether a scope is among them.
    #[must_use]
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
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

/// A back-office system that hands in decisions by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiClient {
    /// Its id: `iss` and `sub` of its assertions.
    pub id: ClientId,
    /// Its name, for people.
    pub name: String,
    /// Its name in `/results/{source}/…`.
    pub source: Source,
    /// The agencies for which it may decide.
    pub agencies: Vec<AgencyCode>,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Instant,
    /// Since when it is shut out.
    pub revoked_at: Option<Instant>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_form() {
        for good in ["wang.fang", "a_1", "001"] {
            assert!(good.parse::<Username>().is_ok(), "{good}");
        }
        for bad in ["", "ab", "Wang", "王芳芳", "a b c", &"x".repeat(41)] {
            assert!(bad.parse::<Username>().is_err(), "{bad}");
        }
        assert!("jt-housing".parse::<Source>().is_ok() && "jt_housing".parse::<Source>().is_err());
    }

    #[test]
    fn scopes_only_ever_narrow() {
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

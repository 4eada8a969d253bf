//! Typed ids: a UUID v7 internally, `case_01J…` externally.
//!
//! The prefix tells readers the kind of an id; the type tells the compiler. The text after the prefix is the ULID form
//! (26 characters of Crockford base 32) of the same 128 bits. So ids sort by their creation time, in the database and
//! as text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ulid::Ulid;
use uuid::Uuid;

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {prefix}_ id")]
pub struct InvalidId {
    /// The expected prefix, without the underscore.
    pub prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The part before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a UUID that is known to be an id of this kind: a new one, or one from a database column.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The plain UUID, as the database stores it.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(Ulid::from_bytes(*self.0.as_bytes()).array_to_str(&mut [0; ulid::ULID_LEN]))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text, $prefix).map(Self).ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A person who applies (申请人).
    PersonId = "per";
    /// A session: a sign-in until the holder signs out or the session expires, with all refresh tokens that were issued
    /// in it.
    SessionId = "ses";
    /// An officer of an agency (审批人员).
    OfficerId = "ofc";
    /// An API client of the back office.
    ClientId = "cli";
    /// An installation of a client on a phone.
    InstallationId = "ins";
    /// An address in a person's address book.
    AddressId = "adr";
    /// A draft (草稿).
    DraftId = "drf";
    /// An uploaded file.
    UploadId = "upl";
    /// A case (办件).
    CaseId = "case";
    /// An entry of a case's history.
    HistoryId = "hst";
    /// A notification (通知).
    NotificationId = "ntf";
    /// A parcel (寄递).
    ParcelId = "prc";
    /// A job (任务).
    JobId = "job";
    /// An attempt at a job (尝试).
    AttemptId = "att";
    /// An HTTP callback from a carrier or a platform, stored as received.
    CallbackId = "cbk";
    /// A one-time code sent by SMS.
    LoginCodeId = "otp";
    /// A request to the API, in logs and problem details.
    RequestId = "req";
}

/// Parses `prefix_ULID`. Only the canonical upper-case form is accepted, so that every id has one spelling.
fn parse(text: &str, prefix: &str) -> Option<Uuid> {
    let body = text.strip_prefix(prefix)?.strip_prefix('_')?;
    let ulid = Ulid::from_string(body).ok()?;
    (ulid.to_string() == body).then(|| Uuid::from_bytes(ulid.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = CaseId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().starts_with("case_0"));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let case = CaseId::from_uuid(Uuid::from_u128(u128::MAX)).to_string();
        assert_eq!(case.parse::<JobId>(), Err(InvalidId { prefix: "job" }));
        assert!(case.to_lowercase().parse::<CaseId>().is_err(), "every id has one spelling");
    }

    #[test]
    fn ids_sort_by_time_as_text() {
        let text = |n| JobId::from_uuid(Uuid::from_u128(n)).to_string();
        assert!(text(0x0190_0000) < text(0x0190_0001));
    }
}

//! People (申请人): the applicants, and their verified real names.

use chrono::TimeDelta;

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::limits::Limit;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::people::identity::{MobilePhone, ResidentId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    /// The mobile number, proved by a one-time code.
    pub phone: Option<MobilePhone>,
    /// The real name and the resident ID. `None` until an identity gateway verified them.
    pub identity: Option<VerifiedIdentity>,
    pub language: Language,
    pub created_at: Instant,
    /// The time of the first sign-in. `None` while the person is known only from another system.
    pub signed_in_at: Option<Instant>,
}

impl Person {
    /// A person at their first sign-in.
    pub const fn new(id: PersonId, phone: Option<MobilePhone>, language: Language, now: Instant) -> Self {
        Self { id, phone, identity: None, language, created_at: now, signed_in_at: Some(now) }
    }

    /// True if another system named the person and they have not signed in yet.
    pub const fn is_awaited(&self) -> bool {
        self.signed_in_at.is_none()
    }

    /// True if the real name is verified (实名认证). Submitting an application requires it.
    pub const fn is_verified(&self) -> bool {
        self.identity.is_some()
    }
}

/// How often one person may try a name and a resident ID that do not match. Each comparison costs money, and its result
/// reveals something about the holder of the resident ID.
pub const MISMATCHES: [Limit; 2] = [(5, TimeDelta::hours(1)), (20, TimeDelta::hours(24))];

/// A mismatch counts towards these limits until this long after it happened.
pub const MISMATCH_MEMORY: TimeDelta = TimeDelta::hours(24);

/// A name and a resident ID that belong together, as confirmed by an identity gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedIdentity {
    /// 姓名
    pub name: Private<String>,
    /// 公民身份号码
    pub resident_id: ResidentId,
    pub verified_at: Instant,
}

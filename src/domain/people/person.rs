//! People (申请人): who applies, as themselves and under their real name.

use chrono::TimeDelta;

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::limits::Limit;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::people::identity::{MobilePhone, ResidentId};

/// A person (申请人).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    /// The mobile number whose possession they proved with a code.
    pub phone: Option<MobilePhone>,
    /// Their real name and number, once they were checked.
    pub identity: Option<VerifiedIdentity>,
    /// The language that they read.
    pub language: Language,
    /// When they became known here.
    pub created_at: Instant,
    /// When they first signed in; absent while only another system spoke of them.
    pub signed_in_at: Option<Instant>,
}

impl Person {
    /// Somebody who signs in for the first time.
    #[must_use]
    pub const fn new(id: PersonId, phone: Option<MobilePhone>, language: Language, now: Instant) -> Self {
        Self { id, phone, identity: None, language, created_at: now, signed_in_at: Some(now) }
    }

    /// Whether another system spoke of them, and they have not come yet.
    #[must_use]
    pub const fn is_awaited(&self) -> bool {
        self.signed_in_at.is_none()
    }

    /// Whether their real name is known (实名认证), which submitting needs.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.identity.is_some()
    }
}

/// How often one person may have a name and a number compared that do not belong together. Each comparison is paid for, and
/// its answer tells something of whoever has that number.
pub const MISMATCHES: [Limit; 2] = [(5, TimeDelta::hours(1)), (20, TimeDelta::hours(24))];

/// How far back mismatches count.
pub const MISMATCH_MEMORY: TimeDelta = TimeDelta::hours(24);

/// A name and a resident ID that belong together, as an identity gateway said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedIdentity {
    /// 姓名
    pub name: Private<String>,
    /// 公民身份号码
    pub resident_id: ResidentId,
    /// When the gateway said so.
    pub verified_at: Instant,
}

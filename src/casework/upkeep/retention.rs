//! How long rows are kept, and why. The table of docs/operations/run.md says the same.

use chrono::TimeDelta;

use crate::domain::application::KEPT;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::words::words;
use crate::domain::people::guesses;
use crate::domain::people::login_code;
use crate::domain::people::person::MISMATCH_MEMORY;
use crate::store::{
    Conn, StoreError, api_clients, callbacks, changes, drafts, idempotency, identity_tries, jobs, login_codes,
    officer_sign_ins, parcels, people, push_receipts, refused_applications, sessions,
};

words! {
    /// A kind of rows that are deleted after some time.
    pub enum Retained {
        Assertions = "used client assertions",
        Codes = "sign-in codes",
        Tries = "real-name checks that failed",
        Receipts = "receipts of messages",
        Sessions = "sessions",
        SignIns = "sign-ins of an officer from a network",
        StrangeSignIns = "failed sign-ins of officers from a network without a good one",
        Answers = "answers under an `Idempotency-Key`",
        Drafts = "drafts",
        Changes = "the log of changes that clients follow",
        Callbacks = "calls of gateways",
        RawScans = "the carrier's own text of a scan",
        Jobs = "done jobs, with their attempts",
        Refusals = "refused applications",
        Unseen = "phone and resident ID of a person who never signed in",
    }
}

/// 六个月: network logs are kept for at least six months (网络安全法, 《网络数据安全管理条例》).
const LOG: TimeDelta = TimeDelta::days(183);

impl Retained {
    /// How long a row is kept: after its creation, its last change or its end, as the statement of its kind says.
    #[must_use]
    pub const fn kept(self) -> TimeDelta {
        match self {
            Self::Assertions => TimeDelta::zero(),
            Self::Codes => login_code::MEMORY,
            Self::Tries => MISMATCH_MEMORY,
            Self::Receipts => TimeDelta::days(3),
            Self::Sessions => TimeDelta::days(30),
            Self::SignIns => guesses::NETWORK_KEPT,
            Self::StrangeSignIns => guesses::FAILURES_KEPT,
            Self::Answers => idempotency::KEPT,
            // Longer than the stored answer to the submission, so a client that repeats it late still finds the case.
            Self::Drafts => KEPT,
            Self::Changes => TimeDelta::days(90),
            Self::Callbacks | Self::RawScans => LOG,
            Self::Jobs => TimeDelta::days(366),
            Self::Refusals | Self::Unseen => TimeDelta::days(3 * 365),
        }
    }

    /// The reason for the time. 个人信息保护法 19 demands the shortest time that the purpose needs.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Assertions => "they expire; until then they must not be used again",
            Self::Codes | Self::Tries => "limits count the last day",
            Self::Receipts => "the outcome of every push is settled by then",
            Self::Sessions => "after their end, an operator can find out how they ended",
            Self::SignIns => "the network of an officer is known for so long after the last sign-in",
            Self::StrangeSignIns => "failures delay the next try for a day; strangers can add any number",
            Self::Answers => "clients repeat a lost request within days",
            Self::Drafts => "after their last change; submitted ones live on in their case",
            Self::Changes => "a client that was away for longer reads everything again",
            Self::Callbacks | Self::RawScans => {
                "logs: at least six months (网络安全法 23); what they changed is kept in the case"
            }
            Self::Jobs => "the year in which an outcome is still disputed; who was served and when is kept in the case",
            Self::Refusals => "proof that nothing outside the catalogue was demanded, for three years",
            Self::Unseen => {
                "nobody claimed the result within three years (个人信息保护法 19, 47); the case stays in the agency's archive"
            }
        }
    }

    /// The maximum number of rows that one transaction deletes: fewer of those that are spread over many pages.
    #[must_use]
    pub const fn at_once(self) -> i64 {
        match self {
            Self::Changes | Self::Callbacks | Self::RawScans | Self::Jobs => 100,
            _ => 1_000,
        }
    }

    /// Deletes up to `limit` rows that are older than `before`, and returns their number.
    pub(super) async fn forget(self, conn: &mut Conn, before: Instant, limit: i64) -> Result<u64, StoreError> {
        match self {
            Self::Assertions => api_clients::forget_assertions(conn, before, limit).await,
            Self::Codes => login_codes::forget(conn, before, limit).await,
            Self::Tries => identity_tries::forget(conn, before, limit).await,
            Self::Receipts => push_receipts::forget(conn, before, limit).await,
            Self::Sessions => sessions::forget(conn, before, limit).await,
            Self::SignIns => officer_sign_ins::forget(conn, before, limit).await,
            Self::StrangeSignIns => officer_sign_ins::forget_failed(conn, before, limit).await,
            Self::Answers => idempotency::forget(conn, before, limit).await,
            Self::Drafts => drafts::forget(conn, before, limit).await,
            Self::Changes => changes::forget(conn, before, limit).await,
            Self::Callbacks => callbacks::forget(conn, before, limit).await,
            Self::RawScans => parcels::forget_raw_scans(conn, before, limit).await,
            Self::Jobs => jobs::forget_done(conn, before, limit).await,
            Self::Refusals => refused_applications::forget(conn, before, limit).await,
            Self::Unseen => people::forget_unseen(conn, before, limit).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_times_are_the_true_ones() {
        let documented = include_str!("../../../docs/operations/run.md");
        for kind in Retained::ALL {
            let days = kind.kept().num_days();
            let row = format!("| {kind} | {days} | {} |", kind.reason());
            assert!(documented.contains(&row), "docs/operations/run.md lacks the row\n{row}");
        }
    }
}

//! 补正告知: an officer says, once, everything that is missing.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use super::{Asked, Desk};
use crate::casework::Casework;
use crate::casework::frame::change::{ChangeError, Context};
use crate::casework::frame::idempotency::{Answer, Given};
use crate::domain::case::Case;
use crate::store::cases::VersionedCase;

const SECONDS_OF_A_DAY: u64 = 24 * 3600;

impl Casework {
    /// Gives notice of what is missing, and answers.
    ///
    /// # Errors
    /// When the case is not there, was changed, does not wait for acceptance, had a notice before, the days for one are
    /// over, or nothing is listed.
    pub async fn notice_supplement(
        &self,
        desk: &Desk,
        asked: Asked<'_>,
        points: Vec<String>,
        answer: impl FnOnce(&VersionedCase) -> Answer + Send,
    ) -> Result<Given, ChangeError> {
        let act = asked.act(desk, "supplement_noticed", &cause);
        let notice = |case: Case, context: &Context<'_>| {
            let days = Days::new(self.parts.answer_within.as_secs() / SECONDS_OF_A_DAY);
            let answer_by = context.today.checked_add_days(days).unwrap_or(NaiveDate::MAX);
            Ok(case.notice_supplement(points, answer_by, desk.actor(), context.now)?)
        };
        self.act(act, asked.once, notice, answer).await
    }
}

fn cause(case: &Case) -> Value {
    let notice = case.supplement.as_ref();
    notice.map_or(json!({}), |notice| json!({"points": notice.points, "answer_by": notice.answer_by}))
}

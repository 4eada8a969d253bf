//! 补正告知: an officer lists everything that an application lacks. The law allows one such notice for a case.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

use crate::casework::frame::change::{ChangeError, Context};
use crate::casework::frame::idempotency::{Answer, Given};
use crate::casework::officers::{Asked, OfficerAtWork, Officers};
use crate::domain::case::Case;
use crate::domain::case::act::Act;
use crate::store::cases::VersionedCase;

const SECONDS_OF_A_DAY: u64 = 24 * 3600;

impl Officers<'_> {
    pub async fn notice_supplement(
        self,
        officer: &OfficerAtWork,
        asked: Asked<'_>,
        points: Vec<String>,
        answer: impl FnOnce(&VersionedCase) -> Answer + Send,
    ) -> Result<Given, ChangeError> {
        let notice = |case: Case, context: &Context<'_>| {
            let days = Days::new(self.0.parts.answer_within.as_secs() / SECONDS_OF_A_DAY);
            let answer_by = context.today.checked_add_days(days).unwrap_or(NaiveDate::MAX);
            Ok(case.notice_supplement(points, answer_by, officer.actor(), context.now)?)
        };
        let act = asked.by(officer, Act::SupplementNoticed, &cause);
        self.0.act(act, asked.request, notice, answer).await
    }
}

fn cause(case: &Case) -> Value {
    let notice = case.supplement.as_ref();
    notice.map_or(json!({}), |notice| json!({"points": notice.points, "answer_by": notice.answer_by}))
}

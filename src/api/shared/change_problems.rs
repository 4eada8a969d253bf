//! The problems of acts on a case: the same for every audience.

use std::time::Duration;

use crate::api::edge::{Code, FieldError, Problem};
use crate::api::shared::ruling::no_reasons;
use crate::casework::frame::change::ChangeError;
use crate::domain::case::Refusal;
use crate::domain::delivery::parcel::ParcelState;
use crate::domain::item::calendar::UnknownYear;
use crate::domain::kernel::text::Bilingual;

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound => Self::new(Code::NotFound),
            ChangeError::Stale => Self::new(Code::VersionStale),
            ChangeError::Refused(refusal) => refusal.into(),
            ChangeError::Calendar(error) => error.into(),
            ChangeError::Idempotency(error) => error.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::WrongState(state) => Self::new(Code::CaseWrongState)
                .detail(Bilingual::new(format!("办件{}", in_chinese(state)), format!("The case is {state}"))),
            Refusal::NothingFailed(last) => Self::new(Code::ParcelWrongState).detail(nothing_failed(last)),
            Refusal::NoticedBefore => Self::new(Code::SupplementNoticedBefore),
            Refusal::NoticeTooLate => Self::new(Code::SupplementNoticeTooLate),
            Refusal::NoReasons => Self::new(Code::InvalidBody).errors(vec![no_reasons()]),
            Refusal::NoPoints => {
                let message = Bilingual::new("至少列出一项", "At least one point is needed");
                Self::new(Code::InvalidBody).errors(vec![FieldError::new("/points", "too_short", message)])
            }
        }
    }
}

fn nothing_failed(last: Option<ParcelState>) -> Bilingual {
    match last.map(ParcelState::as_str) {
        Some(state) => Bilingual::new(format!("寄递状态为 {state}"), format!("The parcel is {state}")),
        None => Bilingual::new("该办件没有寄递", "The case has no parcel"),
    }
}

fn in_chinese(state: &str) -> &str {
    match state {
        "submitted" => "已提交，尚未受理",
        "supplement_noticed" => "正在补正",
        "accepted" => "已受理",
        "granted" => "已准予",
        "denied" => "已不予",
        "withdrawn" => "已撤回",
        other => other,
    }
}

impl From<UnknownYear> for Problem {
    /// Only an operator can solve this, so the answer says how.
    fn from(error: UnknownYear) -> Self {
        const LATER: Duration = Duration::from_secs(3600);
        let UnknownYear(year) = error;
        Self::new(Code::CalendarUnknown).retry_after(LATER).cause(error).detail(Bilingual::new(
            format!("请管理员载入 {year} 年工作日历（songda catalog load）"),
            format!("The operator must load the calendar of {year} (songda catalog load)"),
        ))
    }
}

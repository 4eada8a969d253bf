//! The error responses to acts on a case, for all audiences.

use std::time::Duration;

use crate::api::edge::{Code, FieldError, Problem};
use crate::api::shared::ruling::no_reasons;
use crate::casework::frame::change::ChangeError;
use crate::domain::case::Refusal;
use crate::domain::item::calendar::UnknownYear;

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
                .detail(format!("办件{}", in_chinese(state)), format!("The case is {state}")),
            Refusal::NothingFailed(Some(last)) => parcel_is(last.as_str()),
            Refusal::NothingFailed(None) => {
                Self::new(Code::ParcelWrongState).detail("该办件没有寄递", "The case has no parcel")
            }
            Refusal::NoticedBefore => Self::new(Code::SupplementNoticedBefore),
            Refusal::NoticeTooLate => Self::new(Code::SupplementNoticeTooLate),
            Refusal::NoReasons => Self::invalid([no_reasons()]),
            Refusal::NoPoints => {
                Self::invalid([FieldError::new("/points", "too_short", "至少列出一项", "At least one point is needed")])
            }
        }
    }
}

/// Creates the problem for an act that the state of the parcel does not allow.
pub fn parcel_is(state: &str) -> Problem {
    Problem::new(Code::ParcelWrongState).detail(format!("寄递状态为 {state}"), format!("The parcel is {state}"))
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
    /// The response names the command that loads the calendar, because only an operator can load it.
    fn from(error: UnknownYear) -> Self {
        const LATER: Duration = Duration::from_secs(3600);
        let UnknownYear(year) = error;
        Self::new(Code::CalendarUnknown).retry_after(LATER).cause(error).detail(
            format!("请管理员载入 {year} 年工作日历（songda catalog load）"),
            format!("The operator must load the calendar of {year} (songda catalog load)"),
        )
    }
}

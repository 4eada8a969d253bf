//! Sends a one-time sign-in code. A code is valid for minutes only, so it is tried briefly and never looked up. It is
//! not repeated if it may have arrived: a person who got none asks for another.

use crate::domain::kernel::ids::LoginCodeId;
use crate::domain::kernel::text::Language;
use crate::domain::notice::notification::{ChannelCode, Consent, PushMessage};
use crate::domain::work::outcome::Outcome;
use crate::gateway::push::PushFact;
use crate::store::StoreError;
use crate::store::jobs::Ending;
use crate::worker::attempts::attempt::Attempt;
use crate::worker::attempts::conclusion::{Conclusion, Contact};
use crate::worker::attempts::repeat::again_or_dead;

/// Sends the code, if it is still valid.
pub async fn run(attempt: &Attempt<'_>, id: LoginCodeId, code: &ChannelCode) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, policy, .. } = attempt;
    if job.unclear > 0 {
        let why = "it may have been sent, and is not sent twice".to_owned();
        return Ok(Conclusion::plain(Ending::done(job, Outcome::Ambiguous, why, None), Contact::None));
    }
    let Some(task) = workshop.casework.jobs().login_code(id).await? else {
        return Ok(Conclusion::plain(
            Ending::done(job, Outcome::NoNeed, "used or too old".to_owned(), None),
            Contact::None,
        ));
    };
    let Some(channel) = workshop.channels.get(code) else {
        let why = format!("channel {code} is not set up");
        return Ok(Conclusion::plain(Ending::dead(job, Outcome::NoChannel, why), Contact::None));
    };
    let Some(template) = channel.login_template() else {
        let why = format!("channel {code} has no template for codes");
        return Ok(Conclusion::plain(Ending::dead(job, Outcome::NoTemplate, why), Contact::None));
    };
    let message = PushMessage {
        key: id.to_string(),
        template: template.to_owned(),
        fields: [("code".to_owned(), task.code.into_exposed())].into(),
        page: None,
        fallbacks: std::collections::BTreeMap::new(),
        language: Language::default(),
        consent: Consent::NotNeeded,
    };
    attempt.reaches_out();
    let report = channel.send(&task.phone, &message).await;
    let (ending, contact) = match report.fact {
        PushFact::Delivered { reference } => {
            (Ending::done(job, Outcome::Delivered, report.detail, reference), Contact::Answered)
        }
        PushFact::Ambiguous => (Ending::done(job, Outcome::Ambiguous, report.detail, None), Contact::Silent),
        PushFact::Throttled { after } => {
            (again_or_dead(job, policy, after, Outcome::Throttled, report.detail), Contact::Answered)
        }
        PushFact::Unavailable => {
            (again_or_dead(job, policy, None, Outcome::Unavailable, report.detail), Contact::Silent)
        }
        PushFact::Gone | PushFact::Refused => {
            (Ending::done(job, Outcome::Refused, report.detail, None), Contact::Answered)
        }
        PushFact::Misconfigured => (Ending::dead(job, Outcome::Misconfigured, report.detail), Contact::Answered),
    };
    Ok(Conclusion::plain(ending, contact))
}

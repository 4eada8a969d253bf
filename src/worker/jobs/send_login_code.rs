//! Sends a one-time sign-in code. A code is valid for ten minutes, and the job is retried for only half of that time.
//! If the code may have arrived, it is not sent again: a person who received no code can request another.

use crate::domain::kernel::ids::LoginCodeId;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::notice::notification::{ChannelCode, Consent, PushMessage};
use crate::domain::work::outcome::Outcome;
use crate::gateway::push::{PushFact, PushReport};
use crate::store::StoreError;
use crate::store::jobs::Ending;
use crate::worker::attempts::{Attempt, Conclusion, Contact, again_or_dead};

pub async fn run(attempt: &Attempt<'_>, id: LoginCodeId, code: &ChannelCode) -> Result<Conclusion, StoreError> {
    let Attempt { workshop, job, policy, .. } = attempt;
    if job.unclear > 0 {
        let why = "it may have been sent, and is not sent twice".to_owned();
        return Ok(Conclusion::plain(Ending::done(job, Outcome::Ambiguous, why, None), Contact::None));
    }
    let Some(login_code) = workshop.casework.jobs().login_code(id).await? else {
        let ending = Ending::done(job, Outcome::NoNeed, "used or too old".to_owned(), None);
        return Ok(Conclusion::plain(ending, Contact::None));
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
        fields: [("code".to_owned(), login_code.code.into_exposed())].into(),
        page: None,
        fallbacks: std::collections::BTreeMap::new(),
        language: Language::default(),
        consent: Consent::NotNeeded,
    };
    attempt.reaches_out();
    let phone = Private::new(login_code.phone.expose().to_owned());
    let PushReport { fact, detail, .. } = channel.send(&phone, &message).await;
    let (ending, contact) = match fact {
        PushFact::Delivered { reference } => {
            (Ending::done(job, Outcome::Delivered, detail, reference), Contact::Answered)
        }
        PushFact::Ambiguous => (Ending::done(job, Outcome::Ambiguous, detail, None), Contact::Silent),
        PushFact::Throttled { after } => {
            (again_or_dead(job, policy, after, Outcome::Throttled, detail), Contact::Answered)
        }
        PushFact::Unavailable => (again_or_dead(job, policy, None, Outcome::Unavailable, detail), Contact::Silent),
        PushFact::Gone | PushFact::Refused => (Ending::done(job, Outcome::Refused, detail, None), Contact::Answered),
        PushFact::Misconfigured => (Ending::dead(job, Outcome::Misconfigured, detail), Contact::Answered),
    };
    Ok(Conclusion::plain(ending, contact))
}

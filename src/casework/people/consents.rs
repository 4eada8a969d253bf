//! Consents to receive messages: clients report them, and learn for which templates they should ask.

use super::{People, commit};
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, IdempotencyError, IdempotentRequest};
use crate::domain::kernel::ids::PersonId;
use crate::domain::notice::consent::{ConsentAnswer, ConsentBalance, ConsentTemplate};
use crate::domain::notice::notification::{ChannelCode, Consent};
use crate::store::{Conn, StoreError, consents, people};

/// A template that needs consent, and the person's balance of consents for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentStanding {
    pub template: ConsentTemplate,
    pub balance: ConsentBalance,
}

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// These templates do not exist on the channel, or need no consent. Nothing of the report was stored.
    #[error("unknown templates")]
    UnknownTemplates(Vec<String>),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Clone, Copy)]
pub struct Consents<'a>(&'a People);

impl People {
    pub const fn consents(&self) -> Consents<'_> {
        Consents(self)
    }
}

impl Consents<'_> {
    /// Stores whether a person agreed to messages of these templates, and returns all balances of the person. A
    /// repeated request (same `Idempotency-Key`) gets the answer to the first one.
    pub async fn report(
        self,
        person: PersonId,
        channel: &ChannelCode,
        answers: &[(String, ConsentAnswer)],
        request: Option<&IdempotentRequest>,
        answer: impl FnOnce(&[ConsentStanding]) -> Answer + Send,
    ) -> Result<Given, ReportError> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.begin().await?;
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, self.0.store.keys(), request, now).await? {
            return Ok(idempotency::again(tx, answer).await?);
        }
        for (template, answer, kind) in self.known(channel, answers)? {
            let before = consents::hold_balance(&mut tx, person, channel, template, now).await?;
            let after = before.after(answer, kind, now);
            consents::set_balance(&mut tx, person, channel, template, after).await?;
        }
        let answer = answer(&self.of_person(&mut tx, person).await?);
        idempotency::leave(&mut tx, self.0.store.keys(), request, &answer, now).await?;
        commit(tx).await?;
        Ok(Given::first(answer))
    }

    /// Lists the templates in the person's language that need consent, with the person's balances.
    pub async fn list(self, person: PersonId) -> Result<Vec<ConsentStanding>, StoreError> {
        self.of_person(&mut *self.0.store.connection().await?, person).await
    }

    async fn of_person(&self, conn: &mut Conn, person: PersonId) -> Result<Vec<ConsentStanding>, StoreError> {
        let language = people::language_of(conn, person).await?;
        let mut balances = consents::of_person(conn, person).await?;
        let standing = |template: ConsentTemplate| {
            let key = (template.channel.clone(), template.template.clone());
            ConsentStanding { template, balance: balances.remove(&key).unwrap_or_default() }
        };
        Ok(self.0.catalog.current().templates().to_ask_for(language).into_iter().map(standing).collect())
    }

    /// Finds the kind of consent that each template needs. Templates of another language are accepted, too: the person
    /// may have answered before changing the language.
    fn known<'a>(
        &self,
        channel: &ChannelCode,
        answers: &'a [(String, ConsentAnswer)],
    ) -> Result<Vec<(&'a str, ConsentAnswer, Consent)>, ReportError> {
        let catalog = self.0.catalog.current();
        let mut known = Vec::new();
        let mut unknown = Vec::new();
        for (id, answer) in answers {
            match catalog.templates().consent(channel, id) {
                None | Some(Consent::NotNeeded) => unknown.push(id.clone()),
                Some(kind) => known.push((id.as_str(), *answer, kind)),
            }
        }
        if !unknown.is_empty() {
            return Err(ReportError::UnknownTemplates(unknown));
        }
        // Balances of consents are locked in this order, so that two reports of one person cannot deadlock.
        known.sort_by_key(|(id, ..)| *id);
        Ok(known)
    }
}

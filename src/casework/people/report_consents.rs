//! Consents as people gave them, reported by a client or by the platform itself, and what should still be asked.

use super::{People, commit};
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, Once, OnceError};
use crate::domain::kernel::ids::PersonId;
use crate::domain::notice::consent::{ConsentAnswer, ConsentBalance, ConsentTemplate};
use crate::domain::notice::notification::{ChannelCode, Consent};
use crate::store::{Conn, StoreError, consents, people};

/// A template that needs consent, and where a person stands with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentStanding {
    pub template: ConsentTemplate,
    /// The person's balance.
    pub balance: ConsentBalance,
}

/// Why a report was not taken; nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// No templates of this channel that need consent have these ids.
    #[error("unknown templates")]
    UnknownTemplates(Vec<String>),
    /// The same request is under way, or its key was used for another.
    #[error(transparent)]
    Once(#[from] OnceError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl People {
    /// Books what a person answered, template by template, and answers with where they stand; the same request again gets
    /// the same answer.
    ///
    /// # Errors
    /// [`ReportError`].
    pub async fn report_consents(
        &self,
        person: PersonId,
        channel: &ChannelCode,
        answers: &[(String, ConsentAnswer)],
        once: Option<&Once>,
        answer: impl FnOnce(&[ConsentStanding]) -> Answer + Send,
    ) -> Result<Given, ReportError> {
        let (mut tx, now) = (self.store.begin().await?, self.clock.now());
        if let Entered::Replay(answer) = idempotency::enter(&mut tx, self.store.keys(), once, now).await? {
            return Ok(idempotency::again(tx, answer).await?);
        }
        for (template, answer, kind) in self.known(channel, answers)? {
            let before = consents::hold_balance(&mut tx, person, channel, template, now).await?;
            let after = before.after(answer, kind, now);
            consents::set_balance(&mut tx, person, channel, template, after).await?;
        }
        let answer = answer(&self.consents_of(&mut tx, person).await?);
        idempotency::leave(&mut tx, self.store.keys(), once, &answer, now).await?;
        commit(tx).await?;
        Ok(Given::first(answer))
    }

    /// The templates that need consent in the language that a person is written to, and where they stand with each.
    pub async fn list_consents(&self, person: PersonId) -> Result<Vec<ConsentStanding>, StoreError> {
        self.consents_of(&mut *self.store.connection().await?, person).await
    }

    async fn consents_of(&self, conn: &mut Conn, person: PersonId) -> Result<Vec<ConsentStanding>, StoreError> {
        let language = people::language_of(conn, person).await?;
        let mut balances = consents::of_person(conn, person).await?;
        let standing = |template: ConsentTemplate| {
            let key = (template.channel.clone(), template.template.clone());
            ConsentStanding { template, balance: balances.remove(&key).unwrap_or_default() }
        };
        Ok(self.catalog.current().templates().to_ask_for(language).into_iter().map(standing).collect())
    }

    /// What was answered, with what an accept of each template is worth. A template of another language counts as well: it
    /// was asked for before the person chose this one.
    fn known<'a>(
        &self,
        channel: &ChannelCode,
        answers: &'a [(String, ConsentAnswer)],
    ) -> Result<Vec<(&'a str, ConsentAnswer, Consent)>, ReportError> {
        let catalog = self.catalog.current();
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for (id, answer) in answers {
            match catalog.templates().consent(channel, id) {
                None | Some(Consent::NotNeeded) => unknown.push(id.clone()),
                Some(kind) => known.push((id.as_str(), *answer, kind)),
            }
        }
        if !unknown.is_empty() {
            return Err(ReportError::UnknownTemplates(unknown));
        }
        // In one order, so that two reports of one person cannot wait for each other.
        known.sort_by_key(|(id, ..)| *id);
        Ok(known)
    }
}

//! Consents as people gave them, reported by a client or by the platform itself, and what should still be asked.

use super::{People, commit};
use crate::domain::consent::{ConsentAnswer, ConsentBalance, ConsentTemplate};
use crate::domain::ids::PersonId;
use crate::domain::notification::ChannelCode;
use crate::store::{StoreError, consents};

/// A template that needs consent, and where a person stands with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentStanding {
    /// The template.
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
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl People {
    /// Books what a person answered, template by template, and returns where they stand on that channel.
    ///
    /// # Errors
    /// [`ReportError`].
    pub async fn report_consents(
        &self,
        person: PersonId,
        channel: &ChannelCode,
        answers: &[(String, ConsentAnswer)],
    ) -> Result<Vec<ConsentStanding>, ReportError> {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for (id, answer) in answers {
            match self.template(channel, id) {
                Some(template) => known.push((template, *answer)),
                None => unknown.push(id.clone()),
            }
        }
        if !unknown.is_empty() {
            return Err(ReportError::UnknownTemplates(unknown));
        }
        // In one order, so that two reports of one person cannot wait for each other.
        known.sort_by(|(one, _), (other, _)| one.template.cmp(&other.template));
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        for (template, answer) in known {
            let before = consents::hold_balance(&mut tx, person, channel, &template.template, now).await?;
            let after = before.after(answer, template.kind, now);
            consents::set_balance(&mut tx, person, channel, &template.template, after).await?;
        }
        commit(tx).await?;
        Ok(self.list_consents(person).await?)
    }

    /// Every template that needs consent, and where a person stands with it.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn list_consents(&self, person: PersonId) -> Result<Vec<ConsentStanding>, StoreError> {
        let balances = consents::of_person(&mut *self.store.connection().await?, person).await?;
        let standing = |template: &ConsentTemplate| {
            let key = (template.channel.clone(), template.template.clone());
            ConsentStanding { template: template.clone(), balance: balances.get(&key).copied().unwrap_or_default() }
        };
        Ok(self.templates.iter().map(standing).collect())
    }

    fn template(&self, channel: &ChannelCode, id: &str) -> Option<&ConsentTemplate> {
        self.templates.iter().find(|template| template.channel == *channel && template.template == id)
    }
}

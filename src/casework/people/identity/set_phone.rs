//! A person sets their phone number, and proves by a one-time code that it is theirs.

use super::Identity;
use super::join::{Claimed, IfTaken, Proved, TakenError};
use crate::casework::people::commit;
use crate::casework::people::login_codes::{CodeError, PresentedCode};
use crate::domain::kernel::ids::PersonId;
use crate::store::record::Record;
use crate::store::{StoreError, login_codes, people};

#[derive(Debug, thiserror::Error)]
pub enum SetPhoneError {
    #[error(transparent)]
    Code(#[from] CodeError),
    /// The code stays valid, so that the client can repeat the request with another [`IfTaken`].
    #[error(transparent)]
    Taken(#[from] TakenError),
}

impl From<StoreError> for SetPhoneError {
    fn from(error: StoreError) -> Self {
        Self::Code(CodeError::Store(error))
    }
}

impl SetPhoneError {
    fn raced(&self) -> bool {
        matches!(self, Self::Code(CodeError::Store(error)) | Self::Taken(TakenError::Store(error)) if people::raced(error))
    }
}

impl Identity<'_> {
    pub async fn set_phone(
        self,
        person: PersonId,
        presented: &PresentedCode<'_>,
        if_taken: IfTaken,
    ) -> Result<(), SetPhoneError> {
        match self.try_set_phone(person, presented, if_taken).await {
            Err(error) if error.raced() => self.try_set_phone(person, presented, if_taken).await,
            other => other,
        }
    }

    async fn try_set_phone(
        &self,
        person: PersonId,
        presented: &PresentedCode<'_>,
        if_taken: IfTaken,
    ) -> Result<(), SetPhoneError> {
        let keys = self.0.store.keys();
        let phone = presented.phone;
        let mut record = Record::default();
        let mut tx = self.0.store.begin().await?;
        let code = match self.0.login_codes().check(&mut tx, presented).await? {
            Ok(code) => code,
            Err(refused) => {
                commit(tx).await?;
                return Err(refused.into());
            }
        };
        match self.claim(&mut tx, &mut record, person, Proved::Phone(phone), if_taken).await {
            Ok(Claimed::ToMove) => people::release_phone(&mut tx, keys, phone).await?,
            Ok(Claimed::Free | Claimed::Own) => {}
            Err(refused @ (TakenError::Taken | TakenError::Differ)) => {
                commit(tx).await?;
                return Err(refused.into());
            }
            Err(error) => return Err(error.into()),
        }
        login_codes::use_up(&mut tx, code, self.0.clock.now()).await?;
        people::set_phone(&mut tx, keys, person, phone).await?;
        Ok(self.commit_claim(tx, &record).await?)
    }
}

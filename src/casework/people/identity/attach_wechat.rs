//! A signed-in person attaches their WeChat account. They can then sign in with it, and get messages there.

use super::Identity;
use super::join::{Claimed, IfTaken, Proved, TakenError};
use crate::casework::people::sessions::by_wechat::WechatCodeError;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::private::Private;
use crate::store::people::{self, WechatAccount};
use crate::store::record::Record;

#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    #[error(transparent)]
    Code(#[from] WechatCodeError),
    #[error(transparent)]
    Taken(#[from] TakenError),
}

impl Identity<'_> {
    /// Attaches the WeChat account that a code of `wx.login` proves.
    pub async fn attach_wechat(
        self,
        person: PersonId,
        code: &Private<String>,
        if_taken: IfTaken,
    ) -> Result<(), AttachError> {
        let account = self.0.sessions().wechat_account(code).await?;
        match self.try_attach(person, &account, if_taken).await {
            Err(TakenError::Store(error)) if people::raced(&error) => {
                Ok(self.try_attach(person, &account, if_taken).await?)
            }
            other => Ok(other?),
        }
    }

    async fn try_attach(&self, person: PersonId, account: &WechatAccount, if_taken: IfTaken) -> Result<(), TakenError> {
        let keys = self.0.store.keys();
        let mut record = Record::default();
        let mut tx = self.0.store.begin().await?;
        match self.claim(&mut tx, &mut record, person, Proved::Wechat(account), if_taken).await? {
            Claimed::Free => people::add_wechat(&mut tx, keys, person, account, self.0.clock.now()).await?,
            Claimed::Own => people::wechat_is_back(&mut tx, keys, account).await?,
            Claimed::ToMove => people::move_wechat(&mut tx, keys, person, account).await?,
        }
        Ok(self.commit_claim(tx, &record).await?)
    }
}

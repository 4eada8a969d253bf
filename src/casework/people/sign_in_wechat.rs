//! A resident signs in with a code of `wx.login`. Their first sign-in makes them a person here.

use super::People;
use super::signed_in::SignedIn;
use crate::domain::kernel::clock::fresh;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::people::person::Person;
use crate::gateway::login::wechat::LoginFault;
use crate::store::people::{self, WechatAccount};
use crate::store::{StoreError, Tx};

/// Why a code of WeChat's proved nothing.
#[derive(Debug, thiserror::Error)]
pub enum WechatCodeError {
    /// The code is wrong, used or expired: call `wx.login` again.
    #[error("WeChat does not take the code")]
    CodeRefused,
    /// WeChat blocks the account as a risk.
    #[error("WeChat blocks the account")]
    Blocked,
    /// WeChat cannot answer now, or not well; a new code is needed in any case.
    #[error(transparent)]
    Gateway(LoginFault),
    /// Nobody signs in by WeChat in this installation.
    #[error("there is no sign-in by WeChat here")]
    NotOffered,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum WechatSignInError {
    #[error(transparent)]
    Code(#[from] WechatCodeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl People {
    /// Signs in the person of a WeChat code.
    ///
    /// # Errors
    /// [`WechatSignInError`].
    pub async fn sign_in_wechat(
        &self,
        code: &Private<String>,
        language: Language,
    ) -> Result<SignedIn<Person>, WechatSignInError> {
        let account = self.wechat_account(code).await?;
        let mut tx = self.store.begin().await?;
        let person = match self.person_of_wechat(&mut tx, &account, language).await {
            Err(error) if people::raced(&error) => {
                // Another request just made them a person.
                tx = self.store.begin().await?;
                self.person_of_wechat(&mut tx, &account, language).await?
            }
            other => other?,
        };
        Ok(self.open_session(tx, person).await?)
    }

    /// The WeChat account that a code proves.
    pub(super) async fn wechat_account(&self, code: &Private<String>) -> Result<WechatAccount, WechatCodeError> {
        let login = self.login.as_ref().ok_or(WechatCodeError::NotOffered)?;
        match login.session(code).await {
            Ok(identity) => Ok(WechatAccount { appid: identity.appid, openid: identity.openid }),
            Err(LoginFault::CodeRejected) => Err(WechatCodeError::CodeRefused),
            Err(LoginFault::Blocked) => Err(WechatCodeError::Blocked),
            Err(fault) => Err(WechatCodeError::Gateway(fault)),
        }
    }

    async fn person_of_wechat(
        &self,
        tx: &mut Tx<'_>,
        account: &WechatAccount,
        language: Language,
    ) -> Result<Person, StoreError> {
        let keys = self.store.keys();
        if let Some(person) = people::find_by_wechat(tx, keys, account).await? {
            people::wechat_is_back(tx, keys, account).await?;
            return Ok(person);
        }
        let now = self.clock.now();
        let person = Person::new(fresh(PersonId::from_uuid), None, language, now);
        people::insert(tx, keys, &person).await?;
        people::add_wechat(tx, keys, person.id, account, now).await?;
        Ok(person)
    }
}

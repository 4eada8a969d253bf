//! A resident signs in with a code that WeChat's `wx.login` gave to the client. The first sign-in creates the person.

use super::Sessions;
use super::open::SignedIn;
use crate::domain::kernel::clock::fresh;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::people::person::Person;
use crate::gateway::login::LoginFault;
use crate::store::people::{self, WechatAccount};
use crate::store::{StoreError, Tx};

#[derive(Debug, thiserror::Error)]
pub enum WechatCodeError {
    /// The code is wrong, used or expired. The client must call `wx.login` again.
    #[error("WeChat does not take the code")]
    CodeRefused,
    /// WeChat blocks the account as a risk.
    #[error("WeChat blocks the account")]
    Blocked,
    /// WeChat gives no usable answer. The client must get a new code from `wx.login`.
    #[error(transparent)]
    Gateway(LoginFault),
    #[error("there is no sign-in by WeChat here")]
    NotOffered,
}

#[derive(Debug, thiserror::Error)]
pub enum WechatSignInError {
    #[error(transparent)]
    Code(#[from] WechatCodeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions<'_> {
    pub async fn by_wechat(
        self,
        code: &Private<String>,
        language: Language,
    ) -> Result<SignedIn<Person>, WechatSignInError> {
        let account = self.wechat_account(code).await?;
        let mut tx = self.0.store.begin().await?;
        let person = match self.person_of_wechat(&mut tx, &account, language).await {
            Err(error) if people::raced(&error) => {
                // Another request created the person at the same moment.
                tx = self.0.store.begin().await?;
                self.person_of_wechat(&mut tx, &account, language).await?
            }
            other => other?,
        };
        Ok(self.open(tx, person).await?)
    }

    /// Asks WeChat for the account that a code proves.
    pub(in crate::casework::people) async fn wechat_account(
        self,
        code: &Private<String>,
    ) -> Result<WechatAccount, WechatCodeError> {
        let login = self.0.login.as_ref().ok_or(WechatCodeError::NotOffered)?;
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
        let keys = self.0.store.keys();
        if let Some(person) = people::find_by_wechat(tx, keys, account).await? {
            people::wechat_is_back(tx, keys, account).await?;
            return Ok(person);
        }
        let now = self.0.clock.now();
        let person = Person::new(fresh(PersonId::from_uuid), None, language, now);
        people::insert(tx, keys, &person).await?;
        people::add_wechat(tx, keys, person.id, account, now).await?;
        Ok(person)
    }
}

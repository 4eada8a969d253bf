//! Sessions of officers: sign-in, refresh, sign-out.

use poem::Request;
use poem_openapi::{Object, OpenApi};

use super::own_account::OfficerBody;
use super::place::place_of;
use super::tag::StaffTag;
use crate::api::edge::{Anyone, Body, Code, Done, IncompleteOfficer, Problem, SignInAttempt, example};
use crate::api::shared::sessions::{Opened, Refresh, Refreshed};
use crate::casework::people::People;
use crate::casework::people::sessions::by_password::{OfficerSignInError, PasswordSignIn};
use crate::casework::people::sessions::open::SignedIn;
use crate::domain::kernel::private::Private;
use crate::domain::people::staff::{Officer, StaffRules};

pub struct StaffSessions(pub People);

#[OpenApi(prefix_path = "/staff/v1", tag = "StaffTag::Sessions")]
impl StaffSessions {
    /// 密码登录 · Sign in with a password
    ///
    /// After five failures in a row, the next try from the same network must wait: 30 seconds, then twice as long each
    /// time, at most 15 minutes. Other networks do not wait. The response does not show whether there is an account. If the
    /// account has a second factor, a right password alone is answered with `second_factor_required`: repeat the request
    /// with a `code`.
    #[oai(path = "/sessions", method = "post", operation_id = "sign_in")]
    async fn sign_in(
        &self,
        request: &Request,
        _attempt: SignInAttempt,
        body: Body<Credentials>,
    ) -> Result<Opened<Session>, Problem> {
        let Credentials { username, password, code } = body.into_inner();
        let sign_in = PasswordSignIn {
            username,
            password: Private::new(password),
            code: code.map(Private::new),
            place: place_of(request),
        };
        let signed_in = self.0.sessions().by_password(sign_in).await?;
        Ok(Opened::of(Session::of(signed_in, &self.0.staff_rules)))
    }

    /// 刷新登录 · Refresh the session
    ///
    /// Exchanges a refresh token for the next pair of tokens. A refresh token works once: store the new one.
    #[oai(path = "/sessions/refresh", method = "post", operation_id = "refresh_session")]
    async fn refresh(&self, _anyone: Anyone, body: Body<Refresh>) -> Result<Refreshed<Session>, Problem> {
        let signed_in = self.0.sessions().refresh_officer(&body.into_inner().into()).await?;
        Ok(Refreshed::of(Session::of(signed_in, &self.0.staff_rules)))
    }

    /// 退出登录 · Sign out
    ///
    /// The refresh token is refused from now on, and the access token after at most a second.
    #[oai(path = "/sessions/current", method = "delete", operation_id = "sign_out")]
    async fn sign_out(&self, IncompleteOfficer(officer): IncompleteOfficer) -> Result<Done, Problem> {
        self.0.sessions().end(officer.session).await?;
        Ok(Done::NoContent)
    }
}

/// 登录凭据。 A user name and a password.
#[derive(Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none, example)]
struct Credentials {
    /// 用户名
    #[oai(validator(min_length = 1, max_length = 40))]
    username: String,
    /// 密码
    #[oai(validator(min_length = 1, max_length = 200))]
    password: String,
    /// 动态验证码, if the account has a second factor: six digits of the app, or a recovery code.
    #[oai(validator(max_length = 40))]
    code: Option<String>,
}

example!(Credentials {
    username: "wang.fang".to_owned(),
    password: "correct horse battery".to_owned(),
    code: Some("042617".to_owned())
});

/// 登录会话。 The tokens of an officer.
#[derive(Object)]
#[oai(rename = "StaffSession", example)]
struct Session {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// Seconds until the access token expires.
    expires_in: u64,
    /// Works once: exchange it for the next pair of tokens.
    refresh_token: String,
    officer: OfficerBody,
}

impl Session {
    fn of(signed_in: SignedIn<Officer>, rules: &StaffRules) -> Self {
        Self {
            officer: OfficerBody::of(&signed_in.who, rules),
            access_token: signed_in.access_token.into_exposed(),
            token_type: "Bearer".to_owned(),
            expires_in: signed_in.expires_in.as_secs(),
            refresh_token: signed_in.refresh_token.expose().to_owned(),
        }
    }
}

example!(Session {
    access_token: "eyJhbGciOiJFUzI1NiJ9.…".to_owned(),
    token_type: "Bearer".to_owned(),
    expires_in: 900,
    refresh_token: Refresh::example().refresh_token,
    officer: OfficerBody::example(),
});

impl From<OfficerSignInError> for Problem {
    fn from(error: OfficerSignInError) -> Self {
        match error {
            OfficerSignInError::Refused => Self::new(Code::SignInFailed).detail(
                "用户名或密码不正确，或账号已停用，或该账号暂时只能从常用网络登录",
                "User name or password is wrong, or the account is disabled, or it is for now open only to networks that it was used from",
            ),
            OfficerSignInError::CodeNeeded => Self::new(Code::SecondFactorRequired),
            OfficerSignInError::CodeWrong => Self::new(Code::SecondFactorWrong),
            OfficerSignInError::TooMany(wait) => Self::new(Code::TooManySignIns).retry_after(wait),
            OfficerSignInError::Password(error) => Self::internal(error),
            OfficerSignInError::Store(error) => error.into(),
        }
    }
}

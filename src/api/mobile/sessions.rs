//! Sessions of people: sign-in, refresh, sign-out.

use poem_openapi::{ApiResponse, Object, OpenApi};

use super::person::PersonBody;
use super::tag::MobileTag;
use crate::api::edge::parameters::phone::read_phone;
use crate::api::edge::{
    Anyone, Body, Brings, Code, Done, Person, Problem, ProblemOf, SignInAttempt, current_request, example,
};
use crate::api::shared::sessions::{Opened, Refresh, Refreshed};
use crate::casework::people::People;
use crate::casework::people::login_codes::{CodeError, PresentedCode, RequestCodeError};
use crate::casework::people::sessions::by_wechat::{WechatCodeError, WechatSignInError};
use crate::casework::people::sessions::open::SignedIn;
use crate::casework::people::sessions::refresh::RefreshError;
use crate::domain::kernel::private::Private;
use crate::domain::people::person;

pub struct MobileSessions(pub People);

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Sessions")]
impl MobileSessions {
    /// 微信登录 · Sign in with WeChat
    ///
    /// Send a code from `wx.login`. The first sign-in creates an account.
    #[oai(path = "/sessions/wechat", method = "post", operation_id = "sign_in_wechat")]
    async fn wechat(
        &self,
        _attempt: SignInAttempt,
        body: Body<WechatSignIn>,
    ) -> Result<Opened<Session>, ProblemOf<WechatCodeError>> {
        let code = Private::new(body.into_inner().code);
        Ok(Opened::of(self.0.sessions().by_wechat(&code, current_request().language).await?))
    }

    /// 获取验证码 · Request a sign-in code
    ///
    /// Sends a one-time code to a phone. The code is also sent if no account has the number, so the response does not
    /// show whether there is an account.
    #[oai(path = "/login-codes", method = "post", operation_id = "request_login_code")]
    async fn code(&self, _attempt: SignInAttempt, body: Body<CodeRequest>) -> Result<CodeRequested, Problem> {
        let phone = read_phone(&body.phone, "/phone")?;
        let current = current_request();
        self.0.login_codes().request(&phone, current.address, Some(&current.traceparent)).await?;
        Ok(CodeRequested::Accepted)
    }

    /// 验证码登录 · Sign in with a code
    ///
    /// Send a code that was received by SMS. The first sign-in creates an account.
    #[oai(path = "/sessions/sms", method = "post", operation_id = "sign_in_sms")]
    async fn sms(&self, _attempt: SignInAttempt, body: Body<PhoneProof>) -> Result<Opened<Session>, Problem> {
        let PhoneProof { phone, code } = body.into_inner();
        let phone = read_phone(&phone, "/phone")?;
        let (code, current) = (Private::new(code), current_request());
        let presented = PresentedCode { phone: &phone, code: &code, from: current.address };
        Ok(Opened::of(self.0.sessions().by_sms(&presented, current.language).await?))
    }

    /// 刷新登录 · Refresh the session
    ///
    /// Exchanges a refresh token for the next pair of tokens. A refresh token works once: store the new one.
    #[oai(path = "/sessions/refresh", method = "post", operation_id = "refresh_session")]
    async fn refresh(&self, _anyone: Anyone, body: Body<Refresh>) -> Result<Refreshed<Session>, Problem> {
        Ok(Refreshed::of(self.0.sessions().refresh(&body.into_inner().into()).await?))
    }

    /// 退出登录 · Sign out
    ///
    /// The refresh token is refused from now on, and the access token within two seconds.
    #[oai(path = "/sessions/current", method = "delete", operation_id = "sign_out")]
    async fn sign_out(&self, person: Person) -> Result<Done, Problem> {
        self.0.sessions().end(person.session).await?;
        Ok(Done::NoContent)
    }

    /// 退出所有设备 · Sign out everywhere
    ///
    /// All refresh tokens of the person are refused from now on, and the access tokens within two seconds.
    #[oai(path = "/sessions", method = "delete", operation_id = "sign_out_everywhere")]
    async fn sign_out_everywhere(&self, person: Person) -> Result<Done, Problem> {
        self.0.sessions().end_all(person.id.uuid()).await?;
        Ok(Done::NoContent)
    }
}

/// 微信登录。 A sign-in code from WeChat.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct WechatSignIn {
    /// The code from `wx.login`: valid for five minutes and one use.
    #[oai(validator(min_length = 1, max_length = 200))]
    code: String,
}

/// 获取验证码。 The phone number that gets a code.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct CodeRequest {
    /// 手机号
    #[oai(validator(max_length = 30))]
    phone: String,
}

/// 验证码登录。 A phone number, and the code that was sent to it.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct PhoneProof {
    /// 手机号
    #[oai(validator(max_length = 30))]
    phone: String,
    /// 验证码: six digits, valid for ten minutes and five tries.
    #[oai(validator(pattern = "^[0-9]{6}$"))]
    code: String,
}

example!(WechatSignIn { code: "0a3Xyz000abcDEF".to_owned() });

example!(CodeRequest { phone: "13800138000".to_owned() });

example!(PhoneProof { phone: "13800138000".to_owned(), code: "042617".to_owned() });

/// 登录会话。 The tokens of a person.
#[derive(Object)]
#[oai(example)]
struct Session {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// Seconds until the access token expires.
    expires_in: u64,
    /// Works once: exchange it for the next pair of tokens.
    refresh_token: String,
    person: PersonBody,
}

impl From<SignedIn<person::Person>> for Session {
    fn from(signed_in: SignedIn<person::Person>) -> Self {
        Self {
            person: PersonBody::from(&signed_in.who),
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
    person: PersonBody::example(),
});

#[derive(ApiResponse)]
enum CodeRequested {
    /// 已受理 · The code will be sent
    #[oai(status = 202)]
    Accepted,
}

impl Brings for WechatCodeError {
    const CODES: &'static [Code] = &[Code::SignInBlocked, Code::NotOffered, Code::GatewayFailed];
}

impl From<WechatCodeError> for Problem {
    fn from(error: WechatCodeError) -> Self {
        match error {
            WechatCodeError::CodeRefused => Self::new(Code::SignInFailed).detail(
                "微信登录码无效或已使用，请重新获取",
                "The WeChat code is not valid or was used before; get a new one",
            ),
            WechatCodeError::Blocked => Self::new(Code::SignInBlocked),
            WechatCodeError::NotOffered => Self::new(Code::NotOffered),
            WechatCodeError::Gateway(fault) => Self::new(Code::GatewayFailed).cause(fault),
        }
    }
}

impl From<WechatSignInError> for Problem {
    fn from(error: WechatSignInError) -> Self {
        match error {
            WechatSignInError::Code(error) => error.into(),
            WechatSignInError::Store(error) => error.into(),
        }
    }
}

impl From<RequestCodeError> for Problem {
    fn from(error: RequestCodeError) -> Self {
        match error {
            RequestCodeError::TooMany(wait) => Self::new(Code::TooManyLoginCodes).retry_after(wait),
            RequestCodeError::Store(error) => error.into(),
        }
    }
}

impl From<CodeError> for Problem {
    fn from(error: CodeError) -> Self {
        match error {
            CodeError::Wrong => Self::new(Code::LoginCodeWrong),
            CodeError::Exhausted => Self::new(Code::LoginCodeExhausted),
            CodeError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid => Self::new(Code::RefreshTokenInvalid),
            RefreshError::Copied => Self::new(Code::RefreshTokenReused),
            RefreshError::Store(error) => error.into(),
        }
    }
}

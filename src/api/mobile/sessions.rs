//! Signing in, staying signed in, and signing out.

use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::person::PersonBody;
use super::tag::Tag;
use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::answers::problem_of::{Brings, ProblemOf};
use crate::api::edge::middleware::request_id::current_request;
use crate::api::edge::parameters::bearer::Person;
use crate::api::edge::parameters::body::Body;
use crate::api::edge::parameters::phone::read_phone;
use crate::casework::people::People;
use crate::casework::people::login_codes::CodeError;
use crate::casework::people::login_codes::RequestCodeError;
use crate::casework::people::sessions::by_wechat::{WechatCodeError, WechatSignInError};
use crate::casework::people::sessions::open::SignedIn;
use crate::casework::people::sessions::refresh::RefreshError;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Bilingual;
use crate::domain::people::session::RefreshToken;

/// The operations.
pub struct Sessions(pub People);

#[OpenApi(prefix_path = "/v1", tag = "Tag::Sessions")]
impl Sessions {
    /// Signs in with a code of `wx.login`; the first time makes an account.
    #[oai(path = "/sessions/wechat", method = "post", operation_id = "sign_in_wechat")]
    async fn wechat(&self, body: Body<WechatSignIn>) -> Result<Opened, ProblemOf<WechatCodeError>> {
        let code = Private::new(body.into_inner().code);
        Ok(Opened::of(self.0.sessions().by_wechat(&code, current_request().language).await?))
    }

    /// Sends a one-time code to a phone. The answer does not tell whether the number is known.
    #[oai(path = "/login-codes", method = "post", operation_id = "request_login_code")]
    async fn code(&self, body: Body<CodeRequest>) -> Result<CodeRequested, Problem> {
        let phone = read_phone(&body.phone, "/phone")?;
        self.0.login_codes().request(&phone, Some(&current_request().traceparent)).await?;
        Ok(CodeRequested::Accepted)
    }

    /// Signs in with a code that came by SMS; the first time makes an account.
    #[oai(path = "/sessions/sms", method = "post", operation_id = "sign_in_sms")]
    async fn sms(&self, body: Body<PhoneProof>) -> Result<Opened, Problem> {
        let PhoneProof { phone, code } = body.into_inner();
        let phone = read_phone(&phone, "/phone")?;
        Ok(Opened::of(self.0.sessions().by_sms(&phone, &Private::new(code), current_request().language).await?))
    }

    /// Exchanges a refresh token for the next pair of tokens. Each is used once; keep the new one.
    #[oai(path = "/sessions/refresh", method = "post", operation_id = "refresh_session")]
    async fn refresh(&self, body: Body<Refresh>) -> Result<Refreshed, Problem> {
        let token = RefreshToken::presented(Private::new(body.into_inner().refresh_token));
        Ok(Refreshed::of(self.0.sessions().refresh(&token).await?))
    }

    /// Signs out here.
    #[oai(path = "/sessions/current", method = "delete", operation_id = "sign_out")]
    async fn sign_out(&self, person: Person) -> Result<SignedOut, Problem> {
        self.0.sessions().end(person.session).await?;
        Ok(SignedOut::NoContent)
    }

    /// Signs out everywhere.
    #[oai(path = "/sessions", method = "delete", operation_id = "sign_out_everywhere")]
    async fn sign_out_everywhere(&self, person: Person) -> Result<SignedOut, Problem> {
        self.0.sessions().end_all(person.id.uuid()).await?;
        Ok(SignedOut::NoContent)
    }
}

/// A code of WeChat.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct WechatSignIn {
    /// What `wx.login` gave: good for five minutes and one use.
    #[oai(validator(min_length = 1, max_length = 200))]
    code: String,
}

/// A number that a code is sent to.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct CodeRequest {
    /// 手机号
    #[oai(validator(max_length = 30))]
    phone: String,
}

/// A number and the code that was sent to it.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct PhoneProof {
    /// 手机号
    #[oai(validator(max_length = 30))]
    phone: String,
    /// 验证码: six digits, good for ten minutes and five tries.
    #[oai(validator(pattern = "^[0-9]{6}$"))]
    code: String,
}

/// A refresh token.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub struct Refresh {
    /// The latest refresh token.
    #[oai(validator(min_length = 1, max_length = 200))]
    pub refresh_token: String,
}

impl Example for WechatSignIn {
    fn example() -> Self {
        Self { code: "0a3Xyz000abcDEF".to_owned() }
    }
}

impl Example for CodeRequest {
    fn example() -> Self {
        Self { phone: "13800138000".to_owned() }
    }
}

impl Example for PhoneProof {
    fn example() -> Self {
        Self { phone: "13800138000".to_owned(), code: "042617".to_owned() }
    }
}

impl Example for Refresh {
    fn example() -> Self {
        Self { refresh_token: "q1Zb0m8TzJ3nYc5vXk2wLr7sUe9dHf4gPa6iOt1jQnM".to_owned() }
    }
}

/// A person's tokens.
#[derive(Object)]
#[oai(example)]
struct Session {
    /// Goes into `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// Seconds until the access token runs out.
    expires_in: u64,
    /// Gets the next pair, once.
    refresh_token: String,
    /// Who signed in.
    person: PersonBody,
}

impl From<SignedIn<crate::domain::people::person::Person>> for Session {
    fn from(signed_in: SignedIn<crate::domain::people::person::Person>) -> Self {
        Self {
            person: PersonBody::from(&signed_in.who),
            access_token: signed_in.access_token.into_exposed(),
            token_type: "Bearer".to_owned(),
            expires_in: signed_in.expires_in.as_secs(),
            refresh_token: signed_in.refresh_token.expose().to_owned(),
        }
    }
}

impl Example for Session {
    fn example() -> Self {
        Self {
            access_token: "eyJhbGciOiJFUzI1NiJ9.…".to_owned(),
            token_type: "Bearer".to_owned(),
            expires_in: 900,
            refresh_token: Refresh::example().refresh_token,
            person: PersonBody::example(),
        }
    }
}

/// Tokens are kept by nobody on the way (RFC 6749 §5.1).
const NO_STORE: &str = "no-store";

#[derive(ApiResponse)]
enum Opened {
    /// Signed in.
    #[oai(status = 201)]
    Created(Json<Session>, #[oai(header = "Cache-Control")] String),
}

impl Opened {
    fn of(signed_in: SignedIn<crate::domain::people::person::Person>) -> Self {
        Self::Created(Json(signed_in.into()), NO_STORE.to_owned())
    }
}

#[derive(ApiResponse)]
enum Refreshed {
    /// Still signed in.
    #[oai(status = 200)]
    Ok(Json<Session>, #[oai(header = "Cache-Control")] String),
}

impl Refreshed {
    fn of(signed_in: SignedIn<crate::domain::people::person::Person>) -> Self {
        Self::Ok(Json(signed_in.into()), NO_STORE.to_owned())
    }
}

#[derive(ApiResponse)]
enum CodeRequested {
    /// A code is on its way, unless the number does not exist.
    #[oai(status = 202)]
    Accepted,
}

#[derive(ApiResponse)]
enum SignedOut {
    /// Signed out: the refresh token is refused from now on, the access token runs out by itself.
    #[oai(status = 204)]
    NoContent,
}

impl Brings for WechatCodeError {
    const CODES: &'static [Code] = &[Code::SignInBlocked, Code::NotOffered, Code::GatewayFailed];
}

impl From<WechatCodeError> for Problem {
    fn from(error: WechatCodeError) -> Self {
        match error {
            WechatCodeError::CodeRefused => Self::new(Code::SignInFailed).detail(Bilingual::new(
                "微信登录码无效或已使用，请重新获取",
                "The WeChat code is not valid or was used before; fetch a fresh one",
            )),
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

//! Access tokens for back-office systems (RFC 6749 §4.4 with RFC 7523). The `code` of an error response is the error
//! code of RFC 6749 §5.2: `invalid_client`, …

use poem_openapi::payload::{Form, Json};
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Deserialize;

use super::tag::IntegrationTag;
use crate::api::edge::{Code, Problem, SignInAttempt, example};
use crate::auth::client_assertion::ASSERTION_TYPE;
use crate::casework::people::People;
use crate::casework::people::sessions::by_assertion::{ClientToken, ClientTokenError};

const GRANT_TYPE: &str = "client_credentials";

pub struct Token(pub People);

#[OpenApi(prefix_path = "/integration/v1", tag = "IntegrationTag::Token")]
impl Token {
    /// 获取访问令牌 · Get an access token
    ///
    /// Exchanges a signed assertion (`private_key_jwt`, ES256 or RS256) for an access token.
    #[oai(path = "/token", method = "post", operation_id = "get_token")]
    async fn get(&self, _attempt: SignInAttempt, form: Form<TokenRequest>) -> Result<TokenAnswer, Problem> {
        form.check()?;
        let scope = form.scope.as_deref().filter(|scope| !scope.is_empty());
        let token = self.0.sessions().by_assertion(&form.client_assertion, scope).await?;
        Ok(TokenAnswer::Ok(Json(token.into()), "no-store".to_owned()))
    }
}

/// 令牌请求。 A request for a token.
#[derive(Object, Deserialize)]
#[oai(example, skip_serializing_if_is_none)]
struct TokenRequest {
    /// `client_credentials`
    #[serde(default)]
    grant_type: String,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`
    #[serde(default)]
    client_assertion_type: String,
    /// A JWT: `iss` and `sub` are the client's id, `aud` is the address of this operation, `exp` is at most 5 minutes
    /// from now, `jti` is new.
    #[serde(default)]
    client_assertion: String,
    /// The requested scopes, separated by spaces. Default: all scopes of the client.
    scope: Option<String>,
}

impl TokenRequest {
    fn check(&self) -> Result<(), Problem> {
        match (self.grant_type.as_str(), self.client_assertion_type.as_str(), self.client_assertion.as_str()) {
            ("", ..) => Err(unfit("grant_type")),
            (GRANT_TYPE, ASSERTION_TYPE, "") => Err(unfit("client_assertion")),
            (GRANT_TYPE, ASSERTION_TYPE, _) => Ok(()),
            (GRANT_TYPE, ..) => Err(unfit("client_assertion_type")),
            _ => Err(Code::UnsupportedGrantType.into()),
        }
    }
}

fn unfit(parameter: &str) -> Problem {
    Problem::new(Code::InvalidRequest).detail(
        format!("缺少参数 {parameter}，或其值不正确"),
        format!("The parameter {parameter} is missing or not valid"),
    )
}

example!(TokenRequest {
    grant_type: GRANT_TYPE.to_owned(),
    client_assertion_type: ASSERTION_TYPE.to_owned(),
    client_assertion: "eyJhbGciOiJFUzI1NiJ9.…".to_owned(),
    scope: Some("results:write".to_owned()),
});

/// 访问令牌。 An access token.
#[derive(Object)]
#[oai(example)]
struct TokenBody {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// Seconds until the token expires.
    expires_in: u64,
    /// The granted scopes: those of the requested scopes that the client has.
    scope: String,
}

impl From<ClientToken> for TokenBody {
    fn from(token: ClientToken) -> Self {
        Self {
            access_token: token.access_token.into_exposed(),
            token_type: "Bearer".to_owned(),
            expires_in: token.expires_in.as_secs(),
            scope: token.scopes.to_string(),
        }
    }
}

example!(TokenBody {
    access_token: "eyJhbGciOiJFUzI1NiJ9.…".to_owned(),
    token_type: "Bearer".to_owned(),
    expires_in: 900,
    scope: "results:write".to_owned(),
});

#[derive(ApiResponse)]
enum TokenAnswer {
    /// 成功 · The token
    #[oai(status = 200)]
    Ok(Json<TokenBody>, #[oai(header = "Cache-Control")] String),
}

impl From<ClientTokenError> for Problem {
    fn from(error: ClientTokenError) -> Self {
        match error {
            // The reason is logged, but not sent: it would help an attacker.
            ClientTokenError::UnknownClient | ClientTokenError::Assertion(_) | ClientTokenError::Replayed => {
                Self::new(Code::InvalidClient).cause(error)
            }
            ClientTokenError::NoScope => Self::new(Code::InvalidScope),
            ClientTokenError::Store(error) => error.into(),
        }
    }
}

//! The second factor of an officer: an authenticator app and recovery codes.

use poem::Request;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::own_account::{refused_proof, wrong_code};
use super::place::place_of;
use super::tag::StaffTag;
use crate::api::edge::{Body, Brings, Code, IncompleteOfficer, Problem, ProblemOf, SignInAttempt, example};
use crate::casework::people::People;
use crate::casework::people::own_account::OwnAccount;
use crate::casework::people::second_factor::{Enrolment, Proof, SecondFactor, SecondFactorError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::private::Private;
use crate::domain::people::session::SignInPlace;

pub struct SecondFactorApi(pub People);

impl SecondFactorApi {
    const fn own(&self, IncompleteOfficer(officer): &IncompleteOfficer) -> OwnAccount<'_> {
        self.0.own_account(officer.id, officer.session)
    }
}

#[OpenApi(prefix_path = "/staff/v1", tag = "StaffTag::Sessions")]
impl SecondFactorApi {
    /// 查看第二因素 · Show the second factor
    #[oai(path = "/me/second-factor", method = "get", operation_id = "get_second_factor")]
    async fn get(&self, officer: IncompleteOfficer) -> Result<Json<SecondFactorBody>, Problem> {
        let SecondFactor { since, recovery_codes_left } = self.own(&officer).second_factor().await?;
        Ok(Json(SecondFactorBody { since, recovery_codes_left }))
    }

    /// 绑定动态验证器 · Enrol an authenticator app
    ///
    /// Show `uri` as a QR code, and let the officer scan it with an app for one-time codes (RFC 6238). The app counts when
    /// one of its codes is confirmed. If the account has an app already, a code of it is needed, and it stays valid until
    /// then.
    #[oai(path = "/me/second-factor", method = "post", operation_id = "enrol_second_factor")]
    async fn enrol(
        &self,
        request: &Request,
        _attempt: SignInAttempt,
        officer: IncompleteOfficer,
        body: Body<OwnProof>,
    ) -> Result<Enrolled, Problem> {
        let place = place_of(request);
        let Enrolment { secret, uri } = self.own(&officer).enrol(body.into_inner().proof(&place)).await?;
        let body = EnrolmentBody { secret: secret.into_exposed(), uri: uri.into_exposed() };
        Ok(Enrolled::Created(Json(body), NO_STORE.to_owned()))
    }

    /// 确认动态验证器 · Confirm the app
    ///
    /// From now on, a sign-in needs a code. Answers ten recovery codes, which are never shown again: let the officer print
    /// them.
    #[oai(path = "/me/second-factor/confirmation", method = "post", operation_id = "confirm_second_factor")]
    async fn confirm(
        &self,
        _attempt: SignInAttempt,
        officer: IncompleteOfficer,
        body: Body<AppCode>,
    ) -> Result<NewRecoveryCodes, ProblemOf<SecondFactorError>> {
        let code = Private::new(body.into_inner().code);
        Ok(NewRecoveryCodes::of(self.own(&officer).confirm_enrolment(&code).await?))
    }

    /// 更换恢复码 · Renew the recovery codes
    ///
    /// The ten new codes replace all older ones.
    #[oai(path = "/me/recovery-codes", method = "post", operation_id = "renew_recovery_codes")]
    async fn renew(
        &self,
        request: &Request,
        _attempt: SignInAttempt,
        officer: IncompleteOfficer,
        body: Body<OwnProof>,
    ) -> Result<NewRecoveryCodes, Problem> {
        let place = place_of(request);
        let codes = self.own(&officer).renew_recovery_codes(body.into_inner().proof(&place)).await?;
        Ok(NewRecoveryCodes::of(codes))
    }
}

/// Caches must not keep secrets.
const NO_STORE: &str = "no-store";

/// 本人验证。 The officer's password, and a code if the account has a second factor.
#[derive(Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none, example)]
struct OwnProof {
    /// 密码
    #[oai(validator(min_length = 1, max_length = 200))]
    password: String,
    /// 动态验证码, if the account has a second factor: of the app, or a recovery code.
    #[oai(validator(max_length = 40))]
    code: Option<String>,
}

impl OwnProof {
    fn proof(self, place: &SignInPlace) -> Proof<'_> {
        Proof { password: Private::new(self.password), code: self.code.map(Private::new), place }
    }
}

example!(OwnProof { password: "correct horse battery".to_owned(), code: None });

/// 动态验证码。 A code of the app that is being enrolled.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct AppCode {
    /// 六位动态验证码
    #[oai(validator(pattern = "^[0-9]{6}$"))]
    code: String,
}

example!(AppCode { code: "042617".to_owned() });

/// 第二因素。 The second factor of an account.
#[derive(Object)]
#[oai(rename = "SecondFactor", skip_serializing_if_is_none, example)]
struct SecondFactorBody {
    /// 绑定时间. Absent if the account has no second factor.
    since: Option<Instant>,
    /// 剩余恢复码数量
    recovery_codes_left: i64,
}

example!(SecondFactorBody { since: Some(Instant::default()), recovery_codes_left: 10 });

/// 待确认的动态验证器。 What an authenticator app needs.
#[derive(Object)]
#[oai(rename = "SecondFactorEnrolment", example)]
struct EnrolmentBody {
    /// The secret in base32, for an app that cannot scan.
    secret: String,
    /// The `otpauth` URI, to be shown as a QR code.
    uri: String,
}

example!(EnrolmentBody {
    secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned(),
    uri: "otpauth://totp/Songda:wang.fang?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Songda&algorithm=SHA1&digits=6&period=30".to_owned(),
});

/// 恢复码。 Codes for a sign-in without the app. Each works once.
#[derive(Object)]
#[oai(example)]
struct RecoveryCodes {
    codes: Vec<String>,
}

example!(RecoveryCodes { codes: vec!["abcd-efgh-ijkl-mnop".to_owned()] });

#[derive(ApiResponse)]
enum Enrolled {
    /// 待确认 · The app must confirm
    #[oai(status = 201)]
    Created(Json<EnrolmentBody>, #[oai(header = "Cache-Control")] String),
}

#[derive(ApiResponse)]
enum NewRecoveryCodes {
    /// 新恢复码 · New recovery codes
    #[oai(status = 201)]
    Created(Json<RecoveryCodes>, #[oai(header = "Cache-Control")] String),
}

impl NewRecoveryCodes {
    fn of(codes: Vec<Private<String>>) -> Self {
        let codes = codes.into_iter().map(Private::into_exposed).collect();
        Self::Created(Json(RecoveryCodes { codes }), NO_STORE.to_owned())
    }
}

impl Brings for SecondFactorError {
    const CODES: &'static [Code] = &[Code::Conflict];
}

impl From<SecondFactorError> for Problem {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::Closed => Code::InvalidToken.into(),
            SecondFactorError::Proof(error) => refused_proof(error),
            SecondFactorError::CodeWrong => Self::invalid([wrong_code()]),
            SecondFactorError::NothingOffered => Self::new(Code::Conflict)
                .detail("请先获取绑定二维码", "Begin the enrolment first: POST /staff/v1/me/second-factor"),
            SecondFactorError::Missing => Self::new(Code::SecondFactorMissing),
            SecondFactorError::Store(error) => error.into(),
        }
    }
}

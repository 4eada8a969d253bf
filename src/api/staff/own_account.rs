//! The own account of an officer: password and sign-ins.

use poem::Request;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::place::place_of;
use super::tag::StaffTag;
use crate::api::edge::{Body, Code, Done, EXAMPLE, FieldError, IncompleteOfficer, Problem, SignInAttempt, example};
use crate::casework::people::People;
use crate::casework::people::own_account::{ChangePasswordError, OwnAccount};
use crate::casework::people::sessions::by_password::OfficerSignInError;
use crate::casework::read_models::OpenSession;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{OfficerId, SessionId};
use crate::domain::kernel::private::Private;
use crate::domain::people::password::{FEWEST_CHARACTERS, MOST_CHARACTERS, WeakPassword};
use crate::domain::people::staff::{Officer, Role, SignInStep, StaffRules};

pub struct OwnAccountApi(pub People);

impl OwnAccountApi {
    const fn own(&self, IncompleteOfficer(officer): &IncompleteOfficer) -> OwnAccount<'_> {
        self.0.own_account(officer.id, officer.session)
    }
}

#[OpenApi(prefix_path = "/staff/v1", tag = "StaffTag::Sessions")]
impl OwnAccountApi {
    /// 查看本人 · Show the signed-in officer
    #[oai(path = "/me", method = "get", operation_id = "get_me")]
    async fn me(&self, officer: IncompleteOfficer) -> Result<Json<OfficerBody>, Problem> {
        let officer = self.0.officers().find(officer.0.id).await?.ok_or(Code::InvalidToken)?;
        Ok(Json(OfficerBody::of(&officer, &self.0.staff_rules)))
    }

    /// 修改密码 · Change the password
    ///
    /// A new password has 12 to 128 characters, and is not a common one. The officer's other sessions end. A wrong current
    /// password counts like a failed sign-in.
    #[oai(path = "/me/password", method = "put", operation_id = "change_password")]
    async fn change_password(
        &self,
        request: &Request,
        _attempt: SignInAttempt,
        officer: IncompleteOfficer,
        body: Body<PasswordChange>,
    ) -> Result<Done, Problem> {
        let PasswordChange { current_password, code, new_password } = body.into_inner();
        let (current, new) = (Private::new(current_password), Private::new(new_password));
        self.own(&officer).change_password(current, code.map(Private::new), new, &place_of(request)).await?;
        Ok(Done::NoContent)
    }

    /// 查看登录会话 · List the sign-ins
    ///
    /// The officer's sessions that have not ended, latest first.
    #[oai(path = "/me/sessions", method = "get", operation_id = "list_sessions")]
    async fn sessions(&self, officer: IncompleteOfficer) -> Result<Json<OwnSessions>, Problem> {
        let sessions = self.own(&officer).sessions().await?;
        let data = sessions.into_iter().map(|session| OwnSession::of(session, officer.0.session)).collect();
        Ok(Json(OwnSessions { data }))
    }

    /// 退出其他会话 · End all other sign-ins
    ///
    /// All of the officer's sessions end, except the one that makes this request.
    #[oai(path = "/me/sessions/others", method = "delete", operation_id = "end_other_sessions")]
    async fn end_others(&self, officer: IncompleteOfficer) -> Result<Done, Problem> {
        self.own(&officer).end_other_sessions().await?;
        Ok(Done::NoContent)
    }

    /// 退出某一会话 · End a sign-in
    ///
    /// Its refresh token is refused from now on, and its access token after at most a second.
    #[oai(path = "/me/sessions/:id", method = "delete", operation_id = "end_session")]
    async fn end(&self, officer: IncompleteOfficer, id: Path<SessionId>) -> Result<Done, Problem> {
        Done::if_found(self.own(&officer).end_session(id.0).await?)
    }
}

/// 修改密码。 The current password and a new one.
#[derive(Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none, example)]
struct PasswordChange {
    /// 当前密码
    #[oai(validator(min_length = 1, max_length = 200))]
    current_password: String,
    /// 动态验证码, if the account has a second factor: of the app, or a recovery code.
    #[oai(validator(max_length = 40))]
    code: Option<String>,
    /// 新密码: 12 to 128 characters.
    #[oai(validator(min_length = 1, max_length = 200))]
    new_password: String,
}

example!(PasswordChange {
    current_password: "correct horse battery".to_owned(),
    code: None,
    new_password: "three white cats on the roof".to_owned(),
});

/// 登录会话列表。 The sign-ins of an officer.
#[derive(Object)]
#[oai(example)]
struct OwnSessions {
    data: Vec<OwnSession>,
}

example!(OwnSessions { data: vec![OwnSession::example()] });

/// 登录会话。 A sign-in of an officer.
#[derive(Object)]
#[oai(skip_serializing_if_is_none, example)]
struct OwnSession {
    id: SessionId,
    /// True for the session that makes this request.
    current: bool,
    /// 登录时间 The time of the sign-in.
    created_at: Instant,
    /// 最近使用 When the client signed in, or last refreshed the session.
    seen_at: Instant,
    /// The session ends at the latest then.
    expires_at: Instant,
    /// 网络 The network from which the officer signed in, as CIDR; `local` if it was none.
    network: Option<String>,
    /// 客户端 The client, as it named itself at the sign-in.
    client: Option<String>,
}

impl OwnSession {
    fn of(session: OpenSession, current: SessionId) -> Self {
        let OpenSession { id, created_at, expires_at, seen_at, network, client } = session;
        Self { id, current: id == current, created_at, seen_at, expires_at, network, client }
    }
}

example!(OwnSession {
    id: SessionId::from_uuid(EXAMPLE),
    current: true,
    created_at: Instant::default(),
    seen_at: Instant::default(),
    expires_at: Instant::default(),
    network: Some("192.0.2.7/32".to_owned()),
    client: Some("Mozilla/5.0".to_owned()),
});

/// 审批人员。 An officer.
#[derive(Object)]
#[oai(rename = "Officer", skip_serializing_if_is_none, example)]
pub struct OfficerBody {
    id: OfficerId,
    /// 用户名
    username: String,
    /// 姓名
    name: String,
    /// The code of the officer's agency.
    agency: String,
    role: Role,
    /// What the officer must do before anything else. Until then, other operations answer 403.
    next_step: Option<SignInStep>,
    /// True if a sign-in needs a code beside the password.
    has_second_factor: bool,
}

impl OfficerBody {
    pub fn of(officer: &Officer, rules: &StaffRules) -> Self {
        Self {
            id: officer.id,
            username: officer.username.to_string(),
            name: officer.name.clone(),
            agency: officer.agency.to_string(),
            role: officer.role,
            next_step: officer.next_step(rules),
            has_second_factor: officer.has_second_factor,
        }
    }
}

example!(OfficerBody {
    id: OfficerId::from_uuid(EXAMPLE),
    username: "wang.fang".to_owned(),
    name: "王芳".to_owned(),
    agency: "administrative-approval".to_owned(),
    role: Role::Officer,
    next_step: None,
    has_second_factor: true,
});

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::Closed => Code::InvalidToken.into(),
            ChangePasswordError::Current(error) => refused_proof(error),
            ChangePasswordError::Weak(weak) => Self::invalid([weak_password(weak)]),
            ChangePasswordError::Same => Self::invalid([FieldError::new(
                "/new_password",
                "unchanged",
                "新密码不能与当前密码相同",
                "The new password must differ from the current one",
            )]),
            ChangePasswordError::Password(error) => Self::internal(error),
            ChangePasswordError::Store(error) => error.into(),
        }
    }
}

/// The problem of a proof within a session. It is no 401: the session goes on.
pub fn refused_proof(error: OfficerSignInError) -> Problem {
    match error {
        OfficerSignInError::Refused => Problem::new(Code::PasswordWrong),
        OfficerSignInError::CodeNeeded => Problem::invalid([FieldError::new(
            "/code",
            "required",
            "请输入动态验证码",
            "A code of the authenticator app is needed",
        )]),
        OfficerSignInError::CodeWrong => Problem::invalid([wrong_code()]),
        other => other.into(),
    }
}

pub fn wrong_code() -> FieldError {
    FieldError::new(
        "/code",
        "wrong",
        "动态验证码错误或已使用",
        "The code of the authenticator app is wrong, or was used",
    )
}

fn weak_password(weak: WeakPassword) -> FieldError {
    match weak {
        WeakPassword::Length => FieldError::new(
            "/new_password",
            "length",
            format!("密码须为 {FEWEST_CHARACTERS} 至 {MOST_CHARACTERS} 个字符"),
            format!("A password has {FEWEST_CHARACTERS} to {MOST_CHARACTERS} characters"),
        ),
        WeakPassword::Common => FieldError::new(
            "/new_password",
            "common",
            "密码过于常见或包含用户名，请换一个",
            "The password is too common, or repeats the user name; choose another one",
        ),
    }
}

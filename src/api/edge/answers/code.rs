//! The table of problem codes, which name the errors of the API. Clients rely on a code and its status, so neither ever
//! changes. Titles may be reworded.

use std::fmt;

use poem::http::StatusCode;

use crate::domain::kernel::text::{Bilingual, Language};

macro_rules! problem_codes {
    ($($name:ident = $status:literal $code:literal $zh:literal $en:literal;)*) => {
        /// The kind of problem, for clients to branch on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $en] $name,)*
        }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            const fn row(self) -> (u16, &'static str, &'static str, &'static str) {
                match self {
                    $(Self::$name => ($status, $code, $zh, $en),)*
                }
            }
        }
    };
}

problem_codes! {
    // Problems with the form of the request.
    MalformedJson = 400 "malformed_json" "请求体不是有效的 JSON" "The body is not valid JSON";
    MalformedRequest = 400 "malformed_request" "请求格式不正确" "The request is malformed";
    InvalidParameter = 400 "invalid_parameter" "请求参数不正确" "A query parameter or header is not valid";
    InvalidCursor = 400 "invalid_cursor" "翻页游标无效，请从第一页重新开始" "The cursor is not valid; start again from the first page";
    IdempotencyKeyMissing = 400 "idempotency_key_missing" "缺少 Idempotency-Key 请求头" "The Idempotency-Key header is missing";
    InvalidRequest = 400 "invalid_request" "缺少参数或参数不正确" "A parameter is missing or is not valid";
    InvalidScope = 400 "invalid_scope" "没有所申请的任何权限范围" "None of the requested scopes is granted";
    UnsupportedGrantType = 400 "unsupported_grant_type" "不支持该授权类型" "This grant type is not supported";
    // Problems with the caller's identity or rights.
    Unauthenticated = 401 "unauthenticated" "请先登录" "Sign in first";
    InvalidToken = 401 "invalid_token" "登录凭证无效或已过期" "The access token is not valid, or has expired";
    SignInFailed = 401 "sign_in_failed" "登录失败" "The sign-in failed";
    SecondFactorRequired = 401 "second_factor_required" "请输入动态验证码" "A code of the authenticator app is needed";
    SecondFactorWrong = 401 "second_factor_wrong" "动态验证码错误或已使用" "The code of the authenticator app is wrong, or was used";
    LoginCodeWrong = 401 "login_code_wrong" "验证码错误或已过期" "The code is wrong or has expired";
    LoginCodeExhausted = 401 "login_code_exhausted" "验证码错误次数过多，请重新获取" "Too many wrong codes; request a new one";
    RefreshTokenInvalid = 401 "refresh_token_invalid" "登录已失效，请重新登录" "The refresh token is not valid; sign in again";
    RefreshTokenReused = 401 "refresh_token_reused" "登录凭证被重复使用，为安全起见请重新登录" "The refresh token was used before; the session was ended for safety";
    InvalidClient = 401 "invalid_client" "客户端身份验证失败" "The client cannot be authenticated";
    SignInBlocked = 403 "sign_in_blocked" "该微信账号被平台限制登录" "WeChat blocks this account";
    Forbidden = 403 "forbidden" "没有权限" "You may not do this";
    PasswordChangeRequired = 403 "password_change_required" "请先修改密码" "Change your password first";
    SecondFactorMissing = 403 "second_factor_missing" "请先绑定动态验证器" "Enrol an authenticator app first";
    PasswordWrong = 403 "password_wrong" "当前密码不正确" "The current password is wrong";
    IdentityNotVerified = 403 "identity_not_verified" "请先完成实名认证" "Verify your identity first";
    // Problems with the resource, or with the content of the request.
    NotFound = 404 "not_found" "没有找到" "Not found";
    NotOffered = 404 "not_offered" "本系统未开通此功能" "This installation does not offer this function";
    MethodNotAllowed = 405 "method_not_allowed" "此地址不支持该请求方法" "This address does not support that method";
    Conflict = 409 "conflict" "与当前状态冲突" "The request conflicts with the current state";
    PhoneTaken = 409 "phone_taken" "该手机号属于另一账号：可合并账号，或仅换绑此号" "This number belongs to another account: merge the accounts, or move only the number";
    WechatTaken = 409 "wechat_taken" "该微信属于另一账号：可合并账号，或仅换绑微信" "This WeChat account belongs to another account: merge the accounts, or move only WeChat";
    AccountsDiffer = 409 "accounts_differ" "两个账号由不同的人实名认证，不能合并" "The accounts were verified as different people and cannot be merged";
    IdentityTaken = 409 "identity_taken" "该身份证号已由另一账号认证：请在此验证其手机号或微信并合并" "Another account was verified with this resident ID: prove its phone or WeChat account here, and merge the accounts";
    IdentityFixed = 409 "identity_fixed" "已用其他身份证号完成实名认证" "You were verified with another resident ID before";
    AddressBookFull = 409 "address_book_full" "地址簿已满" "The address book is full";
    RequestInProgress = 409 "request_in_progress" "相同的请求正在处理中" "The same request is being processed";
    CaseWrongState = 409 "case_wrong_state" "办件当前状态不允许此操作" "The state of the case does not allow this";
    SupplementNoticedBefore = 409 "supplement_noticed_before" "补正内容只能一次性告知" "A supplement notice was given before; the law allows only one";
    SupplementNoticeTooLate = 409 "supplement_notice_too_late" "收到申请材料已逾五个工作日，自收到之日起即为受理，不能再告知补正" "No notice was given within five working days, so the case counts as accepted from the day of its receipt";
    ParcelWrongState = 409 "parcel_wrong_state" "寄递当前状态不允许此操作" "The state of the parcel does not allow this";
    JobNotDead = 409 "job_not_dead" "只有已放弃的任务可以重放" "Only a dead job can be replayed";
    ResultConflict = 409 "result_conflict" "该编号已回传其他内容（事项、申请人、决定或送达）" "Another item, applicant, decision or delivery was reported under this reference";
    ResultRepeated = 409 "result_repeated" "同一批次中编号重复" "The reference appears twice in this batch";
    TooManyDrafts = 409 "too_many_drafts" "草稿过多，请先提交或删除" "Too many drafts; submit or delete some";
    TooManyOpenCases = 409 "too_many_open_cases" "您在此事项上未办结的办件过多，请等待办结" "You have too many open cases of this item; wait until some are decided";
    TooManyUploads = 409 "too_many_uploads" "未提交的文件过多，请先提交或删除" "Too many files are not submitted yet; submit or delete some";
    UploadHandedIn = 409 "upload_handed_in" "该文件已随办件提交" "The file was submitted with a case";
    UploadBeingChecked = 409 "upload_being_checked" "文件检查中，请稍后再试" "The file is being checked; try again in a moment";
    UploadRefused = 409 "upload_refused" "文件未通过检查" "The file did not pass its check";
    DraftSubmitted = 409 "draft_submitted" "该草稿已提交" "The draft was already submitted";
    VersionStale = 412 "version_stale" "内容已被他人修改，请刷新后重试" "The resource has changed since you read it; read it again";
    BodyTooLarge = 413 "body_too_large" "请求体过大" "The body is too large";
    AddressTooLong = 414 "address_too_long" "请求地址过长" "The address is too long";
    UnsupportedMediaType = 415 "unsupported_media_type" "不支持该内容类型" "This content type is not supported";
    RangeNotSatisfiable = 416 "range_not_satisfiable" "所请求的范围超出文件" "The file has none of the requested bytes";
    InvalidBody = 422 "invalid_body" "填写的内容有误" "The body is not valid";
    ItemNotPublished = 422 "item_not_published" "该事项不在目录中" "The item is not in the catalogue";
    ItemNotOnThePhone = 422 "item_not_on_the_phone" "该事项不能在手机上办理" "This item cannot be handled on the phone";
    DeliveryNotOffered = 422 "delivery_not_offered" "该事项不提供此送达方式" "This item does not offer this way of delivery";
    IdempotencyKeyReused = 422 "idempotency_key_reused" "该 Idempotency-Key 已用于另一请求" "This Idempotency-Key was used for another request";
    IdentityNotConfirmed = 422 "identity_not_confirmed" "姓名与身份证号不一致" "Name and resident ID do not match";
    VersionRequired = 428 "version_required" "缺少 If-Match 请求头" "The If-Match header is missing";
    TooManyRequests = 429 "too_many_requests" "请求过于频繁，请稍后再试" "Too many requests; try again later";
    TooManyLoginCodes = 429 "too_many_login_codes" "验证码获取过于频繁，请稍后再试" "Too many codes were requested; try again later";
    TooManyIdentityTries = 429 "too_many_identity_tries" "实名认证失败次数过多，请稍后再试" "Too many failed identity checks; try again later";
    TooManySignIns = 429 "too_many_sign_ins" "登录失败次数过多，请稍后再试" "Too many failed sign-ins; try again later";
    HeadersTooLarge = 431 "headers_too_large" "请求头过大" "The headers are too large";
    // Failures of the server, or of a service that it depends on.
    Internal = 500 "internal" "服务器内部错误" "Internal error";
    GatewayFailed = 502 "gateway_failed" "外部服务返回异常" "An external service failed";
    CalendarUnknown = 503 "calendar_unknown" "该年度工作日历尚未公布" "The working days of that year are not announced yet";
    Unavailable = 503 "unavailable" "服务暂时不可用，请稍后再试" "The service is temporarily unavailable; try again later";
}

impl Code {
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.row().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The code as it appears in JSON: `not_found`.
    pub const fn as_str(self) -> &'static str {
        self.row().1
    }

    pub const fn title(self, language: Language) -> &'static str {
        match language {
            Language::Chinese => self.row().2,
            Language::English => self.row().3,
        }
    }

    pub fn titles(self) -> Bilingual {
        Bilingual::new(self.row().2, self.row().3)
    }

    /// Returns the `type` of the problem (RFC 9457), which is a relative URL. A GET of this URL returns the code, its
    /// status and its titles.
    pub fn uri(self) -> String {
        format!("/problems/{}", self.as_str())
    }

    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }

    /// Returns the code for an error of the web framework that has this status.
    pub fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            409 => Self::Conflict,
            412 => Self::VersionStale,
            413 => Self::BodyTooLarge,
            414 => Self::AddressTooLong,
            415 => Self::UnsupportedMediaType,
            416 => Self::RangeNotSatisfiable,
            422 => Self::InvalidBody,
            428 => Self::VersionRequired,
            429 => Self::TooManyRequests,
            431 => Self::HeadersTooLarge,
            502 => Self::GatewayFailed,
            503 => Self::Unavailable,
            400..500 => Self::MalformedRequest,
            _ => Self::Internal,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_appears_once_with_an_error_status_and_both_titles() {
        for (at, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::find(code.as_str()), Some(*code), "{code} appears twice");
            assert!(code.status().is_client_error() || code.status().is_server_error(), "line {at}");
            assert!(!code.title(Language::Chinese).is_ascii() && code.title(Language::English).is_ascii(), "{code}");
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code}");
        }
    }
}

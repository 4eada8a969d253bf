//! The signed-in person: their identity, phone, WeChat account and language.

use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::person::PersonBody;
use super::tag::MobileTag;
use crate::api::edge::parameters::phone::read_phone;
use crate::api::edge::{
    Body, Brings, Code, FieldError, Person, Problem, ProblemOf, SignInAttempt, current_request, example,
};
use crate::casework::people::People;
use crate::casework::people::identity::attach_wechat::AttachError;
use crate::casework::people::identity::join::{IfTaken, TakenError};
use crate::casework::people::identity::set_phone::SetPhoneError;
use crate::casework::people::identity::verify::VerifyError;
use crate::casework::people::login_codes::PresentedCode;
use crate::casework::people::sessions::by_wechat::WechatCodeError;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::people::identity::ResidentIdFault;

pub struct Me(pub People);

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Me")]
impl Me {
    /// 查看本人 · Show the signed-in person
    #[oai(path = "/me", method = "get", operation_id = "get_me")]
    async fn get(&self, person: Person) -> Result<Json<PersonBody>, Problem> {
        self.answer(person.id).await
    }

    /// 实名认证 · Verify the identity
    ///
    /// A register confirms that name and resident ID belong together. A person must be verified to submit an
    /// application.
    ///
    /// The person then owns the results that other systems reported for this resident ID. After five checks without a
    /// match in an hour, or twenty in a day, further checks of the person are refused (`too_many_identity_tries`).
    #[oai(path = "/me/identity", method = "put", operation_id = "verify_identity")]
    async fn verify(
        &self,
        person: Person,
        _attempt: SignInAttempt,
        body: Body<IdentityBody>,
    ) -> Result<Json<PersonBody>, ProblemOf<VerifyError>> {
        let IdentityBody { name, resident_id } = body.into_inner();
        let verified = self.0.identity().verify(person.id, &Private::new(name), &Private::new(resident_id)).await?;
        Ok(Json(PersonBody::from(&verified)))
    }

    /// 绑定手机号 · Set the phone number
    ///
    /// Verifies the number with a code from `POST /v1/login-codes`.
    ///
    /// The person then owns the results that other systems reported for this number. If the number belongs to another
    /// account that has signed in before, the response is `phone_taken`, and the code remains valid: ask the person,
    /// and send the choice in `if_taken`.
    #[oai(path = "/me/phone", method = "put", operation_id = "set_phone")]
    async fn set_phone(
        &self,
        person: Person,
        _attempt: SignInAttempt,
        body: Body<NewPhone>,
    ) -> Result<Json<PersonBody>, Problem> {
        let NewPhone { phone, code, if_taken } = body.into_inner();
        let phone = read_phone(&phone, "/phone")?;
        let code = Private::new(code);
        let presented = PresentedCode { phone: &phone, code: &code, from: current_request().address };
        self.0.identity().set_phone(person.id, &presented, if_taken).await?;
        self.answer(person.id).await
    }

    /// 绑定微信 · Attach a WeChat account
    ///
    /// Send a code from `wx.login`. The person can then sign in with the WeChat account, and receives messages there.
    ///
    /// A person who already has an account signs in by SMS in the mini-program, and then attaches WeChat. If the WeChat
    /// account has signed in here before, the response is `wechat_taken`: ask the person, and send the choice in
    /// `if_taken` with a new code.
    #[oai(path = "/me/wechat", method = "put", operation_id = "attach_wechat")]
    async fn attach_wechat(
        &self,
        person: Person,
        _attempt: SignInAttempt,
        body: Body<NewWechat>,
    ) -> Result<Json<PersonBody>, ProblemOf<WechatCodeError>> {
        let NewWechat { code, if_taken } = body.into_inner();
        self.0.identity().attach_wechat(person.id, &Private::new(code), if_taken).await?;
        Ok(self.answer(person.id).await?)
    }

    /// 选择语言 · Set the language
    ///
    /// Sets the language of messages to the person.
    #[oai(path = "/me/language", method = "put", operation_id = "set_language")]
    async fn set_language(&self, person: Person, body: Body<LanguageBody>) -> Result<Json<PersonBody>, Problem> {
        self.0.identity().set_language(person.id, body.language).await?;
        self.answer(person.id).await
    }
}

impl Me {
    async fn answer(&self, id: PersonId) -> Result<Json<PersonBody>, Problem> {
        let person = self.0.identity().find(id).await?.ok_or(Code::InvalidToken)?;
        Ok(Json(PersonBody::from(&person)))
    }
}

/// 实名信息。 A name and a resident ID.
#[derive(Object)]
#[oai(rename = "Identity", deny_unknown_fields, example)]
struct IdentityBody {
    /// 姓名, as on the identity card.
    #[oai(validator(min_length = 1, max_length = 50))]
    name: String,
    /// 公民身份号码: 18 characters (GB 11643).
    #[oai(validator(max_length = 18))]
    resident_id: String,
}

/// 新手机号。 A phone number, and the code that was sent to it.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct NewPhone {
    /// 手机号
    #[oai(validator(max_length = 30))]
    phone: String,
    /// 验证码: six digits, valid for ten minutes and five tries.
    #[oai(validator(pattern = "^[0-9]{6}$"))]
    code: String,
    /// What to do if the number belongs to another account.
    #[oai(default)]
    if_taken: IfTaken,
}

/// 微信账号。 A WeChat account.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct NewWechat {
    /// The code from `wx.login`: valid for five minutes and one use.
    #[oai(validator(min_length = 1, max_length = 200))]
    code: String,
    /// What to do if the WeChat account belongs to another account here.
    #[oai(default)]
    if_taken: IfTaken,
}

/// 语言选择。 A language.
#[derive(Object)]
#[oai(rename = "LanguageChoice", deny_unknown_fields, example)]
struct LanguageBody {
    language: Language,
}

example!(IdentityBody { name: "王小明".to_owned(), resident_id: "320422198506150024".to_owned() });

example!(NewPhone { phone: "13800138000".to_owned(), code: "042617".to_owned(), if_taken: IfTaken::Refuse });

example!(NewWechat { code: "0a3Xyz000abcDEF".to_owned(), if_taken: IfTaken::Refuse });

example!(LanguageBody { language: Language::English });

impl From<SetPhoneError> for Problem {
    fn from(error: SetPhoneError) -> Self {
        match error {
            SetPhoneError::Code(error) => error.into(),
            SetPhoneError::Taken(error) => taken(error, Code::PhoneTaken),
        }
    }
}

impl From<AttachError> for Problem {
    fn from(error: AttachError) -> Self {
        match error {
            AttachError::Code(error) => error.into(),
            AttachError::Taken(error) => taken(error, Code::WechatTaken),
        }
    }
}

/// Creates the problem for a phone number or a WeChat account that belongs to another account. The title of `code`
/// tells the person what they can do.
fn taken(error: TakenError, code: Code) -> Problem {
    match error {
        TakenError::Taken => Problem::new(code),
        TakenError::Differ => Problem::new(Code::AccountsDiffer),
        TakenError::Store(error) => error.into(),
    }
}

impl Brings for VerifyError {
    const CODES: &'static [Code] = &[Code::NotOffered, Code::GatewayFailed];
}

impl From<VerifyError> for Problem {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::NotFound => Self::new(Code::InvalidToken),
            VerifyError::Name => Self::invalid([FieldError::new(
                "/name",
                "not_a_name",
                "请填写身份证上的姓名",
                "It must be the name on the identity card",
            )]),
            VerifyError::ResidentId(fault) => not_a_resident_id(fault),
            VerifyError::NotConfirmed => Self::new(Code::IdentityNotConfirmed),
            VerifyError::TooMany(wait) => Self::new(Code::TooManyIdentityTries).retry_after(wait),
            VerifyError::VerifiedAsAnother => Self::new(Code::IdentityFixed),
            VerifyError::Taken => Self::new(Code::IdentityTaken),
            VerifyError::Gateway(_) => Self::new(Code::GatewayFailed).cause(error),
            VerifyError::NotOffered => Self::new(Code::NotOffered),
            VerifyError::Store(error) => error.into(),
        }
    }
}

fn not_a_resident_id(fault: ResidentIdFault) -> Problem {
    let (code, zh, en) = match fault {
        ResidentIdFault::Form => {
            ("not_a_resident_id", "应为 18 位公民身份号码", "It must have 17 digits and then a digit or X")
        }
        ResidentIdFault::FirstGeneration => {
            ("first_generation", "15 位身份证号已停用", "15-digit numbers are no longer valid")
        }
        ResidentIdFault::BirthDate => ("birth_date", "出生日期不正确", "The date of birth in it is not valid"),
        ResidentIdFault::CheckDigit => {
            ("check_digit", "校验位不正确，请核对", "The check character does not match; check the number")
        }
    };
    Problem::invalid([FieldError::new("/resident_id", code, zh, en)])
}

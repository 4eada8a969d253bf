//! The person who is signed in: who they are, and how they are written to.

use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};

use super::person::{LanguageTag, PersonBody};
use super::tag::Tag;
use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::{FieldError, Problem};
use crate::api::edge::answers::problem_of::{Brings, ProblemOf};
use crate::api::edge::parameters::bearer::Person;
use crate::api::edge::parameters::body::Body;
use crate::api::edge::parameters::phone::read_phone;
use crate::casework::people::People;
use crate::casework::people::identity::attach_wechat::AttachError;
use crate::casework::people::identity::join::{IfTaken, TakenError};
use crate::casework::people::identity::set_phone::SetPhoneError;
use crate::casework::people::identity::verify::VerifyError;
use crate::casework::people::sessions::by_wechat::WechatCodeError;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Bilingual;
use crate::domain::people::identity::ResidentIdFault;

/// The operations.
pub struct Me(pub People);

#[OpenApi(prefix_path = "/v1", tag = "Tag::Me")]
impl Me {
    /// Shows who is signed in.
    #[oai(path = "/me", method = "get", operation_id = "get_me")]
    async fn get(&self, person: Person) -> Result<MeAnswer, Problem> {
        self.answer(person.id).await
    }

    /// Proves who the person is: name and resident ID are confirmed by a register. Submitting needs it.
    ///
    /// Results that other systems reported for this resident ID are the person's from now on. Five comparisons in an hour,
    /// or twenty in a day, that come out wrong are enough (`too_many_identity_tries`).
    #[oai(path = "/me/identity", method = "put", operation_id = "verify_identity")]
    async fn verify(&self, person: Person, body: Body<IdentityBody>) -> Result<MeAnswer, ProblemOf<VerifyError>> {
        let IdentityBody { name, resident_id } = body.into_inner();
        let verified = self.0.identity().verify(person.id, &Private::new(name), &Private::new(resident_id)).await?;
        Ok(MeAnswer::Ok(Json(PersonBody::from(&verified))))
    }

    /// Proves that a phone is the person's, with a code from `POST /v1/login-codes`.
    ///
    /// Results that other systems reported for this phone are the person's from now on. If it belongs to another account
    /// that was signed in to before, the answer is `phone_taken`, and the code counts on: ask the person, and say so in
    /// `if_taken`.
    #[oai(path = "/me/phone", method = "put", operation_id = "set_phone")]
    async fn set_phone(&self, person: Person, body: Body<NewPhone>) -> Result<MeAnswer, Problem> {
        let NewPhone { phone, code, if_taken } = body.into_inner();
        let phone = read_phone(&phone, "/phone")?;
        self.0.identity().set_phone(person.id, &phone, &Private::new(code), if_taken.into()).await?;
        self.answer(person.id).await
    }

    /// Attaches a WeChat account, with a code of `wx.login`: it then signs the person in, and reaches them.
    ///
    /// A mini-program whose user has an account already signs in to that by SMS, and then attaches WeChat to it. If the WeChat
    /// account signed in here before, the answer is `wechat_taken`: ask the person, and say so in `if_taken` with a fresh code.
    #[oai(path = "/me/wechat", method = "put", operation_id = "attach_wechat")]
    async fn attach_wechat(
        &self,
        person: Person,
        body: Body<NewWechat>,
    ) -> Result<MeAnswer, ProblemOf<WechatCodeError>> {
        let NewWechat { code, if_taken } = body.into_inner();
        self.0.identity().attach_wechat(person.id, &Private::new(code), if_taken.into()).await?;
        Ok(self.answer(person.id).await?)
    }

    /// Chooses the language that the person is written to in.
    #[oai(path = "/me/language", method = "put", operation_id = "set_language")]
    async fn set_language(&self, person: Person, body: Body<LanguageBody>) -> Result<MeAnswer, Problem> {
        self.0.identity().set_language(person.id, body.language.into()).await?;
        self.answer(person.id).await
    }
}

impl Me {
    async fn answer(&self, id: PersonId) -> Result<MeAnswer, Problem> {
        let person = self.0.identity().find(id).await?.ok_or(Code::InvalidToken)?;
        Ok(MeAnswer::Ok(Json(PersonBody::from(&person))))
    }
}

/// A name and a number.
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

/// A number, and the code that was sent to it.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct NewPhone {
    /// 手机号
    #[oai(validator(max_length = 30))]
    phone: String,
    /// 验证码: six digits, good for ten minutes and five tries.
    #[oai(validator(pattern = "^[0-9]{6}$"))]
    code: String,
    /// What to do if the number is another account's.
    #[oai(default)]
    if_taken: IfTakenWord,
}

/// A WeChat account.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
struct NewWechat {
    /// What `wx.login` gave: good for five minutes and one use.
    #[oai(validator(min_length = 1, max_length = 200))]
    code: String,
    /// What to do if the account is another one's here.
    #[oai(default)]
    if_taken: IfTakenWord,
}

/// What to do if what was proved belongs to another account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Enum)]
#[oai(rename = "IfTaken", rename_all = "snake_case", remote = "IfTaken")]
enum IfTakenWord {
    /// Nothing: answer that it is taken.
    #[default]
    Refuse,
    /// 合并账号: make both one. All that the other has moves here, and its sign-ins end. It cannot be undone. Two that were
    /// verified as different people are never joined.
    Join,
    /// 换绑: take this alone from the other account, which goes on without it; for a number that was given out again.
    Move,
}

/// A language.
#[derive(Object)]
#[oai(rename = "LanguageChoice", deny_unknown_fields, example)]
struct LanguageBody {
    /// The language.
    language: LanguageTag,
}

impl Example for IdentityBody {
    fn example() -> Self {
        Self { name: "王小明".to_owned(), resident_id: "320422198506150024".to_owned() }
    }
}

impl Example for NewPhone {
    fn example() -> Self {
        Self { phone: "13800138000".to_owned(), code: "042617".to_owned(), if_taken: IfTakenWord::Refuse }
    }
}

impl Example for NewWechat {
    fn example() -> Self {
        Self { code: "0a3Xyz000abcDEF".to_owned(), if_taken: IfTakenWord::Refuse }
    }
}

impl Example for LanguageBody {
    fn example() -> Self {
        Self { language: LanguageTag::English }
    }
}

#[derive(ApiResponse)]
enum MeAnswer {
    /// The person as they are now.
    #[oai(status = 200)]
    Ok(Json<PersonBody>),
}

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

/// What the person can do about it stands in the title of the code.
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
            VerifyError::Name => not_a_name(),
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

fn not_a_name() -> Problem {
    let message = Bilingual::new("请填写身份证上的姓名", "It must be the name on the identity card");
    Problem::new(Code::InvalidBody).errors(vec![FieldError::new("/name", "not_a_name", message)])
}

fn not_a_resident_id(fault: ResidentIdFault) -> Problem {
    let (code, zh, en) = match fault {
        ResidentIdFault::Form => {
            ("not_a_resident_id", "应为 18 位公民身份号码", "It must have 17 digits and a digit or X")
        }
        ResidentIdFault::FirstGeneration => {
            ("first_generation", "15 位身份证号已停用", "15-digit numbers are out of use")
        }
        ResidentIdFault::BirthDate => ("birth_date", "出生日期不正确", "Its date of birth is not valid"),
        ResidentIdFault::CheckDigit => {
            ("check_digit", "校验位不正确，请核对", "Its last character does not fit; check it")
        }
    };
    let error = FieldError::new("/resident_id", code, Bilingual::new(zh, en));
    Problem::new(Code::InvalidBody).errors(vec![error])
}

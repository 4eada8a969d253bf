//! How JSON and the OpenAPI documents show enums of other layers: as one word per variant. Clients rely on the words,
//! so a word never changes.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde_json::Value;

use crate::api::edge::parameters::plain_type::plain_type;
use crate::casework::people::identity::join::IfTaken;
use crate::domain::application::upload::{FileFault, FileKind};
use crate::domain::delivery::parcel::{ParcelState, ScanMeaning};
use crate::domain::item::due::{DayUnit, Missed};
use crate::domain::item::{CaseKind, DeliveryWay, Fact, ItemType, Level, MaterialForm, Mode, ResultKind, Subject};
use crate::domain::kernel::text::Language;
use crate::domain::notice::consent::ConsentAnswer;
use crate::domain::notice::device::{Platform, PushPermission};
use crate::domain::notice::notification::Consent;
use crate::domain::people::staff::{Role, SignInStep};
use crate::domain::work::job::JobState;

/// Implements poem-openapi's traits for an enum. Each entry has the enum's name and description in the OpenAPI
/// documents, and its words.
macro_rules! wire_words {
    ($($of:ident as $name:literal, $about:literal { $($variant:ident = $word:literal,)+ })+) => {$(
        impl Type for $of {
            plain_type!();

            fn name() -> Cow<'static, str> {
                $name.into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Reference($name.to_owned())
            }

            fn register(registry: &mut Registry) {
                registry.create_schema::<Self, _>($name.to_owned(), |_| MetaSchema {
                    description: Some($about),
                    enum_items: vec![$($word.into(),)+],
                    ..MetaSchema::new("string")
                });
            }
        }

        impl ParseFromParameter for $of {
            fn parse_from_parameter(word: &str) -> ParseResult<Self> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(ParseError::custom("unknown word")),
                }
            }
        }

        impl ParseFromJSON for $of {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                match value {
                    Some(Value::String(word)) => Self::parse_from_parameter(&word),
                    other => Err(ParseError::expected_type(other.unwrap_or_default())),
                }
            }
        }

        impl ToJSON for $of {
            fn to_json(&self) -> Option<Value> {
                let word = match self {
                    $(Self::$variant => $word,)+
                };
                Some(word.into())
            }
        }
    )+};
}

wire_words! {
    // Enums of cases
    Missed as "Missed", "逾期。 The period that a decision exceeded." {
        Promise = "promise", Law = "law",
    }
    FileKind as "ContentType", "文件类型。 The media type of a file." {
        Jpeg = "image/jpeg", Png = "image/png", Webp = "image/webp", Pdf = "application/pdf",
    }
    FileFault as "UploadFault", "文件问题。 What is wrong with a file." {
        Incomplete = "incomplete", Unreadable = "unreadable", TooManyPixels = "too_many_pixels",
        PdfLocked = "pdf_locked", PdfScript = "pdf_script", PdfAction = "pdf_action", PdfMedia = "pdf_media",
        PdfAttachment = "pdf_attachment", PdfTooComplex = "pdf_too_complex", Malware = "malware",
    }

    // Enums of parcels
    ParcelState as "ParcelState", "寄递状态。 The state of a parcel." {
        Pending = "pending", Ordered = "ordered", PickedUp = "picked_up", InTransit = "in_transit",
        OutForDelivery = "out_for_delivery", ReadyForPickup = "ready_for_pickup", Exception = "exception",
        Delivered = "delivered", Returning = "returning", Returned = "returned", Cancelled = "cancelled",
        AddressRefused = "address_refused",
    }
    ScanMeaning as "ScanState", "轨迹含义。 The meaning of a scan. \
        `unchanged` does not change the state of the parcel." {
        PickedUp = "picked_up", InTransit = "in_transit", OutForDelivery = "out_for_delivery",
        ReadyForPickup = "ready_for_pickup", Exception = "exception", Delivered = "delivered", Returning = "returning",
        Returned = "returned", Cancelled = "cancelled", Unchanged = "unchanged",
    }

    // Enums of people, officers and jobs
    Language as "Language", "语言。 A language of Songda." {
        Chinese = "zh-CN", English = "en",
    }
    IfTaken as "IfTaken", "冲突处理。 What to do if the phone or WeChat account belongs to another account. \
        `refuse`: change nothing, and answer that it is taken. \
        `join` (合并账号): merge the other account into this one. Everything that it has moves here, and its sessions end. \
        This cannot be undone. Accounts that were verified as different people are never merged. \
        `move` (换绑): move only the phone or WeChat account, and leave the other account without it, for example because \
        the number was assigned again." {
        Refuse = "refuse", Join = "join", Move = "move",
    }
    SignInStep as "SignInStep", "审批人员登录后须先完成的步骤。 What an officer must do before anything else." {
        ChangePassword = "change_password", EnrolSecondFactor = "enrol_second_factor",
    }
    Role as "Role", "角色。 The role of an officer: an `operator` handles jobs and gateways, and sees no cases." {
        Officer = "officer", Supervisor = "supervisor", Operator = "operator",
    }
    JobState as "JobState", "任务状态。 The state of a job. \
        A `pending` job waits or runs. A `dead` one has failed for good, until an operator replays it." {
        Pending = "pending", Done = "done", Dead = "dead",
    }

    // Enums of devices and consents
    Platform as "Platform", "客户端类型。 The kind of client." {
        WechatMini = "wechat_mini", H5 = "h5", Ios = "ios", Android = "android", Harmony = "harmony",
    }
    PushPermission as "PushPermission", "通知权限。 Whether the phone shows messages. \
        `unknown`: the person was not asked yet." {
        Granted = "granted", Denied = "denied", Unknown = "unknown",
    }
    ConsentAnswer as "ConsentAnswer", "授权结果。 An answer. \
        `ban`: the platform has banned the template. \
        `filter`: the platform hid the template behind another of the same title." {
        Accept = "accept", Reject = "reject", Ban = "ban", Filter = "filter",
    }
    Consent as "ConsentKind", "订阅类型。 How long one accept lasts. \
        `one_time` (一次性订阅): for one message. `long_term` (长期订阅): until it is withdrawn." {
        NotNeeded = "not_needed", OneTime = "one_time", LongTerm = "long_term",
    }

    // Enums of the catalogue
    Mode as "Mode", "办理方式。 A way of handling an item without a visit to the agency." {
        Online = "online", Mobile = "mobile", SelfService = "self_service", Remote = "remote",
    }
    DeliveryWay as "DeliveryWay", "送达方式。 A way in which a result reaches the applicant." {
        MobilePush = "mobile_push", ELicence = "e_licence", Courier = "courier", Agent = "agent", Window = "window",
        SelfPrint = "self_print",
    }
    Subject as "Subject", "服务对象。 The applicants that an item is for." {
        NaturalPerson = "natural_person", LegalPerson = "legal_person", Both = "both",
    }
    CaseKind as "CaseKind", "办件类型。 Decided at once, or within a promised period." {
        Immediate = "immediate", Promised = "promised",
    }
    ItemType as "ItemType", "事项类型。 The kind of administrative act." {
        Permit = "permit", Benefit = "benefit", Confirmation = "confirmation", Award = "award",
        Adjudication = "adjudication", OtherPower = "other_power", PublicService = "public_service",
    }
    Level as "Level", "行使层级。 The level of the deciding agency." {
        County = "county", Town = "town", Village = "village",
    }
    MaterialForm as "MaterialForm", "材料形式。 The form in which a material is handed in." {
        ELicence = "e_licence", OnlineForm = "online_form", OnlineCheck = "online_check", Scan = "scan", Paper = "paper",
    }
    ResultKind as "ResultKind", "审批结果类型。 The kind of document that an item ends with." {
        Certificate = "certificate", Document = "document", Approval = "approval",
    }
    Fact as "Fact", "待确认的内容。 A fact that a guide should contain and that is not confirmed yet." {
        LegalBasis = "legal_basis", Conditions = "conditions", ResultSample = "result_sample", FeeStatute = "fee_statute",
        OnlinePayment = "online_payment", ConsultPhone = "consult_phone", ComplaintPhone = "complaint_phone",
        Halls = "halls",
    }
    DayUnit as "PeriodUnit", "时限单位。 The unit of a period." {
        Workday = "workday", Day = "day",
    }
}

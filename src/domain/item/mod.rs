//! Items (事项): the services that residents can apply for. An item is data, published in versions. A case keeps the item
//! version for which it was opened. References such as "A.6" mean the code tables in annex A of GB/T 39046-2020, and
//! numbers such as "(01)" are codes in these tables.

pub mod calendar;
pub mod due;

use serde::{Deserialize, Serialize};

use super::form::Form;
use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::item::due::TimeLimit;
use crate::domain::kernel::shown::codes;
use crate::domain::kernel::text::Bilingual;

codes! {
    /// The code of an item (事项编码): `JT-0001`.
    ItemCode;
    /// The code of an agency (实施主体): `human-resources`.
    AgencyCode;
}

/// A way to handle an item without a visit to its agency's window. An item has any number of modes. No mode implies
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// 全流程网上办
    Online,
    /// 移动办: on the phone. These items have a form.
    Mobile,
    /// 自助办: at a terminal.
    SelfService,
    /// 异地办: from elsewhere.
    Remote,
}

/// A way in which a result reaches its applicant (送达方式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryWay {
    /// 移动端推送
    MobilePush,
    /// 电子证照
    ELicence,
    /// 快递送达
    Courier,
    /// 代办送达
    Agent,
    /// 窗口领取
    Window,
    /// 自助打印
    SelfPrint,
}

/// The kind of applicant that an item is for (服务对象).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// 自然人
    NaturalPerson,
    /// 法人和其他组织
    LegalPerson,
    /// 两者皆可
    Both,
}

impl Subject {
    /// True if an applicant of this kind may apply.
    pub fn admits(self, who: Self) -> bool {
        self == Self::Both || who == Self::Both || self == who
    }
}

/// How soon an item is completed (办件类型, A.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// 即办件: at once.
    Immediate,
    /// 承诺件: within a promised period.
    Promised,
}

/// The kind of administrative act (事项类型, A.1). Only acts that an applicant starts are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemType {
    /// 行政许可 (01)
    Permit,
    /// 行政给付 (05)
    Benefit,
    /// 行政确认 (07)
    Confirmation,
    /// 行政奖励 (08)
    Award,
    /// 行政裁决 (09)
    Adjudication,
    /// 其他行政权力 (10)
    OtherPower,
    /// 公共服务 (20)
    PublicService,
}

/// The administrative level that handles an item (行使层级, A.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 县级 (4)
    County,
    /// 镇(乡、街道)级 (5)
    Town,
    /// 村(社区)级 (6)
    Village,
}

/// The form in which a material is submitted (材料形式).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaterialForm {
    /// 电子证照: the administration already has the licence in electronic form; an upload is possible but never required.
    ELicence,
    /// 在线表单: the item's form itself.
    OnlineForm,
    /// 在线核验: an online check.
    OnlineCheck,
    /// 电子扫描件: a photo or a PDF.
    Scan,
    /// 纸质原件: paper, by post or at the window.
    Paper,
}

/// A document that the applicant submits (材料).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// Its key in a draft's `materials`; unique within an item.
    pub key: String,
    pub name: Bilingual,
    pub form: MaterialForm,
    /// True if an application without this material is incomplete.
    pub required: bool,
}

impl Material {
    /// True if an application cannot be submitted without a file for it.
    pub fn needs_upload(&self) -> bool {
        self.required && self.form == MaterialForm::Scan
    }
}

/// A charge. Permits are free unless a law or an administrative regulation says otherwise (行政许可法 art. 58).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// The amount, in fen (1/100 yuan).
    pub fen: u32,
    /// The unit that the amount is charged for. Amount and unit together are the rate (收费标准).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per: Option<Bilingual>,
    /// 收费项目
    pub name: Bilingual,
    /// 收费依据: the document that sets the fee.
    pub basis: String,
    /// For a permit: the law or administrative regulation that allows the fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statute: Option<String>,
    /// 是否支持网上支付
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_payment: Option<bool>,
}

/// The kind of document that an item ends with (审批结果类型).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultKind {
    /// 出证办结: a licence or certificate.
    Certificate,
    /// 出文办结: a document.
    Document,
    /// 审批办结: an approval.
    Approval,
}

/// A frequent question and its answer (常见问题).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faq {
    pub question: Bilingual,
    pub answer: Bilingual,
}

/// A fact that the public guide of an item must state. If the fact is not known yet, the guide says so instead of
/// guessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// 设定依据
    LegalBasis,
    /// 受理条件
    Conditions,
    /// 结果样本
    ResultSample,
    /// The law that allows a permit's fee.
    FeeStatute,
    /// 是否支持网上支付
    OnlinePayment,
    /// 咨询电话, of the agency.
    ConsultPhone,
    /// 投诉电话, of the agency.
    ComplaintPhone,
    /// 办理地点, of the agency.
    Halls,
}

/// A complete item: the public guide and the rules that a case follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    pub code: ItemCode,
    /// The name; unique among all items.
    pub name: Bilingual,
    #[serde(rename = "type")]
    pub kind: ItemType,
    pub agency: AgencyCode,
    /// The agency that guides and supervises the work of `agency` (业务指导部门); often both are the same.
    pub guiding_agency: AgencyCode,
    pub level: Level,
    pub subject: Subject,
    pub case_kind: CaseKind,
    /// 承诺办结时限
    pub promised: TimeLimit,
    /// 法定办结时限, if the law sets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal: Option<TimeLimit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Fee>,
    /// 设定依据: the law on which the item is based, if it is known for certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    /// 受理条件
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Bilingual>,
    pub materials: Vec<Material>,
    /// 审批结果名称
    pub result: Bilingual,
    /// 审批结果类型, if known from the result's name or from the agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_kind: Option<ResultKind>,
    /// 结果样本: the address of a sample picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_sample: Option<String>,
    pub delivery: Vec<DeliveryWay>,
    /// The carriers that may carry the result, the preferred one first. The law reserves official documents to the post
    /// (邮政法 art. 55), so the post is the only carrier unless the item says otherwise.
    pub carriers: Vec<CarrierCode>,
    pub modes: Vec<Mode>,
    /// True if the 镇(街道)为民服务中心 (town service centre) accepts applications.
    pub town_hall: bool,
    /// True if the 村(社区)便民服务中心 (village service centre) accepts applications.
    pub village_hall: bool,
    /// 到办事现场次数: how often the applicant must come in person.
    pub visits: u32,
    /// 必须现场办理原因说明: why a visit is still required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit_reason: Option<Bilingual>,
    /// 支持申报材料邮寄: true if applicants may send the materials by post.
    pub by_post: bool,
    /// 主题分类: codes of the catalogue's topics.
    pub topics: Vec<String>,
    /// 办理环节: the steps of the procedure, in order.
    pub stages: Vec<Bilingual>,
    /// 常见问题
    pub faqs: Vec<Faq>,
    /// The facts that the guide must state and that are not known yet.
    pub unconfirmed: Vec<Fact>,
    /// True if the item's name reveals something that a locked screen must not show, such as health, disability, aid or
    /// a penalty.
    pub sensitive: bool,
    /// The form of an application, if applicants can apply on the phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
}

impl Item {
    pub fn has(&self, mode: Mode) -> bool {
        self.modes.contains(&mode)
    }

    pub fn delivers(&self, way: DeliveryWay) -> bool {
        self.delivery.contains(&way)
    }

    /// True if the result can be delivered electronically, without a document on paper.
    pub fn delivers_electronically(&self) -> bool {
        self.delivers(DeliveryWay::MobilePush) || self.delivers(DeliveryWay::ELicence)
    }

    /// Returns the carrier of the result: the first of the item's carriers that the installation has. The item sets the
    /// order, because the law leaves little choice (邮政法 art. 55).
    pub fn carrier_among(&self, installed: &[CarrierCode]) -> Option<&CarrierCode> {
        self.carriers.iter().find(|carrier| installed.contains(carrier))
    }

    /// The name to show on a locked screen: a general one if the item's own name is sensitive.
    pub fn discreet_name(&self) -> Bilingual {
        if self.sensitive { Bilingual::new("政务服务事项", "Public service item") } else { self.name.clone() }
    }
}

/// One published version of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemVersion {
    pub item: Item,
    /// The number of this version of the item, from 1.
    pub version: i32,
}

//! Items, agencies and topics, for residents.

use chrono::{DateTime, Utc};
use poem_openapi::types::Any;
use poem_openapi::{Enum, Object};
use serde_json::Value;

use super::form_view::FormView;
use crate::api::shared::bilingual::Bilingual;
use crate::catalog::{self, Snapshot};
use crate::domain::item::due::{DayUnit, TimeLimit};
use crate::domain::item::{
    self as model, AgencyCode, CaseKind, DeliveryWay, Fact, ItemType, ItemVersion, Level, MaterialForm, Mode,
    ResultKind, Subject,
};

/// 送达选择。 A way of delivery: a value for `delivery.way` of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum DeliveryOffer {
    Electronic,
    Courier,
    Counter,
}

/// 时限。 The time limit for deciding a case. 0 days means at once.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Period {
    pub days: u32,
    pub unit: DayUnit,
}

impl From<TimeLimit> for Period {
    fn from(limit: TimeLimit) -> Self {
        Self { days: limit.days, unit: limit.unit }
    }
}

/// 部门。 An agency.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(example)]
pub struct Agency {
    /// The agency's code, for the parameter `agency` of `GET /v1/items`.
    pub code: String,
    pub name: Bilingual,
}

impl Agency {
    fn of(code: &AgencyCode, snapshot: &Snapshot) -> Self {
        let nameless = || Bilingual { zh: code.to_string(), en: code.to_string() };
        let name = snapshot.agency(code).map_or_else(nameless, |agency| (&agency.name).into());
        Self { code: code.to_string(), name }
    }
}

/// 主题。 A topic that items are filed under.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(example)]
pub struct Topic {
    /// The topic's code, for the parameter `topic` of `GET /v1/items`.
    pub code: String,
    /// The kind of applicant that the topic is for.
    pub subject: Subject,
    pub name: Bilingual,
}

impl From<&catalog::Topic> for Topic {
    fn from(topic: &catalog::Topic) -> Self {
        Self { code: topic.code.clone(), subject: topic.subject, name: (&topic.name).into() }
    }
}

/// 事项摘要。 An item in a list.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(example)]
pub struct ItemSummary {
    #[oai(validator(max_length = 50))]
    pub code: String,
    /// The number of the item's version that is in force.
    pub version: i32,
    pub name: Bilingual,
    #[oai(rename = "type")]
    pub kind: ItemType,
    /// The agency that decides the cases.
    pub agency: Agency,
    pub level: Level,
    pub subject: Subject,
    pub case_kind: CaseKind,
    /// 承诺办结时限: the time limit that the agency promises.
    pub promised: Period,
    /// The fee in fen (1/100 yuan).
    pub fee_fen: u32,
    pub modes: Vec<Mode>,
    /// 主题分类: codes of topics.
    pub topics: Vec<String>,
}

impl ItemSummary {
    pub fn of(version: &ItemVersion, snapshot: &Snapshot) -> Self {
        let item = &version.item;
        Self {
            code: item.code.to_string(),
            version: version.version,
            name: (&item.name).into(),
            kind: item.kind,
            agency: Agency::of(&item.agency, snapshot),
            level: item.level,
            subject: item.subject,
            case_kind: item.case_kind,
            promised: item.promised.into(),
            fee_fen: item.fee.as_ref().map_or(0, |fee| fee.fen),
            modes: item.modes.to_vec(),
            topics: item.topics.clone(),
        }
    }
}

/// 材料。 A document to hand in.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Material {
    /// The material's key in `materials` of a draft.
    pub key: String,
    pub name: Bilingual,
    pub form: MaterialForm,
    /// True if an application without this document is incomplete.
    pub required: bool,
    /// True if a draft can be submitted only with at least one upload for this material.
    pub needs_upload: bool,
}

impl From<&model::Material> for Material {
    fn from(material: &model::Material) -> Self {
        Self {
            key: material.key.clone(),
            name: (&material.name).into(),
            form: material.form,
            required: material.required,
            needs_upload: material.needs_upload(),
        }
    }
}

/// 收费。 A charge.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Fee {
    /// The amount in fen (1/100 yuan).
    pub fen: u32,
    pub name: Bilingual,
    /// 收费标准: the unit for which the amount is charged, for example one certificate.
    pub per: Option<Bilingual>,
    /// The document that sets the fee.
    pub basis: String,
    /// For a permit: the law or administrative regulation that allows a fee.
    pub statute: Option<String>,
    /// 是否支持网上支付: true if applicants can pay online.
    pub online_payment: Option<bool>,
}

impl From<&model::Fee> for Fee {
    fn from(fee: &model::Fee) -> Self {
        Self {
            fen: fee.fen,
            name: (&fee.name).into(),
            per: fee.per.as_ref().map(Into::into),
            basis: fee.basis.clone(),
            statute: fee.statute.clone(),
            online_payment: fee.online_payment,
        }
    }
}

/// 常见问题。 A frequent question.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Faq {
    pub question: Bilingual,
    pub answer: Bilingual,
}

/// 办事指南。 An item in full.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct ItemGuide {
    #[oai(flatten)]
    pub summary: ItemSummary,
    /// 业务指导部门: the agency that guides and supervises the work on this item.
    pub guiding_agency: Agency,
    /// 设定依据: the legal basis of the item.
    pub legal_basis: Option<String>,
    /// 受理条件: the conditions under which an application is accepted.
    pub conditions: Option<Bilingual>,
    /// 法定办结时限: the time limit that the law sets.
    pub legal: Option<Period>,
    /// The fee; absent if the item is free.
    pub fee: Option<Fee>,
    pub materials: Vec<Material>,
    /// 审批结果: the name of the document or decision that a grant results in.
    pub result: Bilingual,
    /// 审批结果类型: the kind of the result, if it is known.
    pub result_kind: Option<ResultKind>,
    /// 结果样本: the URL of a picture of a sample result.
    pub result_sample: Option<String>,
    pub delivery: Vec<DeliveryWay>,
    /// The ways of delivery that an applicant can choose.
    pub delivery_choices: Vec<DeliveryOffer>,
    /// True if a 镇(街道)为民服务中心 accepts applications.
    pub town_hall: bool,
    /// True if a 村(社区)便民服务中心 accepts applications.
    pub village_hall: bool,
    /// 到办事现场次数: how many times the applicant must come in person.
    pub visits: u32,
    /// The reason why the applicant must come in person.
    pub visit_reason: Option<Bilingual>,
    /// 支持申报材料邮寄: true if applicants can send the application by post.
    pub by_post: bool,
    /// 办理地点: codes of the halls where the agency handles the item.
    pub halls: Vec<String>,
    /// 咨询电话: the phone number for questions, with area code.
    pub consult_phone: Option<String>,
    /// 投诉电话: the phone number for complaints, with area code.
    pub complaint_phone: Option<String>,
    /// 办理环节: the steps of the procedure, in order.
    pub stages: Vec<Bilingual>,
    /// 常见问题
    pub faqs: Vec<Faq>,
    /// Facts that this guide should contain and that are not confirmed yet.
    pub unconfirmed: Vec<Fact>,
    /// The form of an application; absent if the item cannot be handled on the phone.
    pub form: Option<FormView>,
    /// The form as a JSON Schema (2020-12). Its `x-…` members, for example `x-order`, tell a client how to draw the
    /// form.
    pub form_schema: Option<Any<Value>>,
}

impl ItemGuide {
    pub fn of(version: &ItemVersion, snapshot: &Snapshot) -> Self {
        let item = &version.item;
        let agency = snapshot.agency(&item.agency);
        let faq = |faq: &model::Faq| Faq { question: (&faq.question).into(), answer: (&faq.answer).into() };
        let unconfirmed = item.unconfirmed.iter().chain(agency.into_iter().flat_map(|agency| &agency.unconfirmed));
        Self {
            summary: ItemSummary::of(version, snapshot),
            guiding_agency: Agency::of(&item.guiding_agency, snapshot),
            legal_basis: item.legal_basis.clone(),
            conditions: item.conditions.as_ref().map(Into::into),
            legal: item.legal.map(Into::into),
            fee: item.fee.as_ref().map(Into::into),
            materials: item.materials.iter().map(Into::into).collect(),
            result: (&item.result).into(),
            result_kind: item.result_kind,
            result_sample: item.result_sample.clone(),
            delivery: item.delivery.to_vec(),
            delivery_choices: choices(item),
            town_hall: item.town_hall,
            village_hall: item.village_hall,
            visits: item.visits,
            visit_reason: item.visit_reason.as_ref().map(Into::into),
            by_post: item.by_post,
            halls: agency.map(|agency| agency.halls.clone()).unwrap_or_default(),
            consult_phone: agency.and_then(|agency| agency.consult_phone.clone()),
            complaint_phone: agency.and_then(|agency| agency.complaint_phone.clone()),
            stages: item.stages.iter().map(Into::into).collect(),
            faqs: item.faqs.iter().map(faq).collect(),
            unconfirmed: unconfirmed.copied().collect(),
            form: item.form.as_ref().map(Into::into),
            form_schema: item.form.as_ref().map(|form| Any(form.json_schema())),
        }
    }
}

/// Returns the ways of delivery that an applicant can choose for an item.
fn choices(item: &model::Item) -> Vec<DeliveryOffer> {
    let offered = [
        (DeliveryOffer::Electronic, item.delivers_electronically()),
        (DeliveryOffer::Courier, item.delivers(DeliveryWay::Courier)),
        (DeliveryOffer::Counter, item.delivers(DeliveryWay::Window)),
    ];
    offered.into_iter().filter_map(|(choice, offered)| offered.then_some(choice)).collect()
}

/// 目录概况。 The revision and counts of the published catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct CatalogueView {
    /// The number of the publication. Each publication gets the next number.
    pub revision: i64,
    pub published_at: DateTime<Utc>,
    pub counts: CountsView,
}

/// 各类事项数。 The number of items per mode.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "CatalogueCounts")]
pub struct CountsView {
    /// 全流程网上办: items that can be handled online from start to end.
    pub online: usize,
    /// 移动办: items that can be handled on the phone.
    pub mobile: usize,
    /// 自助办: items that can be handled at a self-service machine.
    pub self_service: usize,
    /// 异地办: items that can be handled from another place.
    pub remote: usize,
    /// 为民服务事项: items for which a town hall (为民服务中心) accepts applications.
    pub town_hall: usize,
    pub total: usize,
}

impl CatalogueView {
    pub fn of(snapshot: &Snapshot) -> Self {
        let catalog::Counts { online, mobile, self_service, remote, town_hall, total } = snapshot.counts();
        Self {
            revision: snapshot.revision().number,
            published_at: snapshot.revision().published_at,
            counts: CountsView { online, mobile, self_service, remote, town_hall, total },
        }
    }
}

/// 部门列表。 All agencies.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(example)]
pub struct AgencyList {
    pub data: Vec<Agency>,
}

impl AgencyList {
    pub fn of(snapshot: &Snapshot) -> Self {
        Self { data: snapshot.parts().agencies.iter().map(|agency| Agency::of(&agency.code, snapshot)).collect() }
    }
}

/// 主题列表。 All topics.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(example)]
pub struct TopicList {
    pub data: Vec<Topic>,
}

impl TopicList {
    pub fn of(snapshot: &Snapshot) -> Self {
        Self { data: snapshot.parts().topics.iter().map(Into::into).collect() }
    }
}

//! Examples of the catalogue's types, for the OpenAPI documents.

use super::place_view::{City, Hall, HallList, Province, Region, RegionTree};
use super::view::{Agency, AgencyList, DeliveryOffer, ItemGuide, ItemSummary, Material, Period, Topic, TopicList};
use crate::api::edge::example;
use crate::api::shared::bilingual::Bilingual;
use crate::domain::item::due::DayUnit;
use crate::domain::item::{CaseKind, DeliveryWay, Fact, ItemType, Level, MaterialForm, Mode, Subject};

fn both(zh: &str, en: &str) -> Bilingual {
    Bilingual { zh: zh.to_owned(), en: en.to_owned() }
}

example!(Agency {
    code: "public-security".to_owned(),
    name: both("市公安局金坛分局", "Public Security Bureau, Jintan Branch"),
});

example!(AgencyList { data: vec![Agency::example()] });

example!(Topic {
    code: "certificates".to_owned(),
    subject: Subject::NaturalPerson,
    name: both("证件办理", "Identity papers"),
});

example!(TopicList { data: vec![Topic::example()] });

example!(ItemSummary {
    code: "JT-0044".to_owned(),
    version: 1,
    name: both("无犯罪记录证明", "Certificate of no criminal record"),
    kind: ItemType::PublicService,
    agency: Agency::example(),
    level: Level::County,
    subject: Subject::NaturalPerson,
    case_kind: CaseKind::Promised,
    promised: Period { days: 3, unit: DayUnit::Workday },
    fee_fen: 0,
    modes: vec![Mode::Online, Mode::Mobile, Mode::Remote],
    topics: vec![Topic::example().code],
});

example!(ItemGuide {
    summary: ItemSummary::example(),
    guiding_agency: Agency::example(),
    legal_basis: Some("公安机关办理犯罪记录查询工作规定".to_owned()),
    conditions: Some(both("户籍地或者居住地在本区", "Registered or living in this district")),
    legal: None,
    fee: None,
    materials: vec![Material {
        key: "application_form".to_owned(),
        name: both("申请表", "Application form"),
        form: MaterialForm::OnlineForm,
        required: true,
        needs_upload: false,
    }],
    result: both("无犯罪记录证明", "Certificate of no criminal record"),
    result_kind: None,
    result_sample: None,
    delivery: vec![DeliveryWay::MobilePush, DeliveryWay::Courier],
    delivery_choices: vec![DeliveryOffer::Electronic, DeliveryOffer::Courier],
    town_hall: false,
    village_hall: false,
    visits: 0,
    visit_reason: None,
    by_post: false,
    halls: vec![],
    consult_phone: None,
    complaint_phone: Some("0519-12345".to_owned()),
    stages: vec![],
    faqs: vec![],
    unconfirmed: vec![Fact::ConsultPhone, Fact::Halls],
    form: None,
    form_schema: None,
});

fn region(code: &str, name: &str) -> Region {
    Region { code: code.to_owned(), name: name.to_owned() }
}

example!(RegionTree {
    provinces: vec![Province {
        code: "320000".to_owned(),
        name: "江苏省".to_owned(),
        cities: vec![City {
            code: "320400".to_owned(),
            name: "常州市".to_owned(),
            counties: vec![region("320413", "金坛区")],
        }],
    }],
    towns: vec![region("320413001", "西城街道")],
});

example!(HallList {
    data: vec![Hall {
        code: "jintan".to_owned(),
        level: Level::County,
        region: "320413".to_owned(),
        name: both("金坛区政务服务中心", "Jintan District Government Service Centre"),
        address: Some("西城街道清风路1号".to_owned()),
        postcode: Some("213200".to_owned()),
        phone: Some("0519-12345".to_owned()),
    }],
});

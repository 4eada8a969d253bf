//! A result that another system reports, alone or as a row of a batch. Each row is parsed separately, so that an
//! invalid row does not affect the others.

use std::borrow::Cow;

use chrono::{NaiveDate, TimeDelta};
use poem_openapi::Object;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::Value;

use crate::api::edge::parameters::plain_type::plain_type;
use crate::api::edge::parameters::shape;
use crate::api::edge::{FieldError, example};
use crate::api::shared::address_faults::field_error;
use crate::api::shared::case_view::{WayWord, misplaced};
use crate::api::shared::ruling::{OutcomeWord, ResultDocumentBody, ruling};
use crate::casework::people::Regions;
use crate::casework::people::addresses::{AddressEntry, read_address};
use crate::casework::read_models::KnownAs;
use crate::casework::results::{NewDelivery, NewResult};
use crate::domain::delivery::address::PostalAddress;
use crate::domain::item::ItemCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::private::Private;
use crate::domain::people::identity::{MobilePhone, ResidentId};

/// The pattern of a reference, which is the other system's own id of a result.
const REFERENCE: &str = "^[A-Za-z0-9._:-]{1,100}$";

/// True if a text matches [`REFERENCE`]. This check is faster than the regular expression.
pub(super) fn is_reference(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
}

/// 办理结果。 A decision that another system made.
#[derive(Debug, Object)]
#[oai(rename = "NewResult", deny_unknown_fields, example, skip_serializing_if_is_none)]
pub(super) struct NewResultBody {
    /// 事项编码
    #[oai(validator(max_length = 50))]
    item_code: String,
    applicant: NewApplicant,
    /// 准予或不予
    outcome: OutcomeWord,
    /// The reasons of the decision: required for a denial.
    #[oai(default, validator(max_length = 2000))]
    reasons: String,
    /// The result of a grant: required for a grant, and not allowed otherwise.
    result: Option<ResultDocumentBody>,
    decided_at: Instant,
    delivery: NewDeliveryBody,
}

/// 申请人。 The applicant, as known to the other system.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
struct NewApplicant {
    /// 手机号: the notification goes to this number.
    phone: String,
    /// 姓名. It is neither stored nor compared, because people verify their names themselves.
    #[oai(validator(max_length = 100))]
    name: Option<String>,
    /// 公民身份号码: identifies the owner of the result. Only a person who verifies this number here, now or later, can read
    /// the result, even if another person has the phone number by then. Without it, the owner of the phone number can
    /// read the result. Send it, because phone numbers are assigned again. Only a keyed hash of this number is stored.
    resident_id: Option<String>,
}

/// 送达方式。 How the result is delivered.
#[derive(Debug, Object)]
#[oai(rename = "NewDelivery", deny_unknown_fields, skip_serializing_if_is_none)]
struct NewDeliveryBody {
    way: WayWord,
    /// Required for `courier`, and not allowed otherwise.
    recipient: Option<Recipient>,
    /// The hall's code: required for `counter`, and not allowed otherwise.
    #[oai(validator(max_length = 60))]
    hall: Option<String>,
}

/// 收件信息。 The recipient and the address.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
struct Recipient {
    /// 收件人
    #[oai(validator(max_length = 50))]
    name: String,
    /// 手机号
    #[oai(validator(max_length = 30))]
    phone: String,
    /// 区县: the six-digit GB/T 2260 code.
    #[oai(validator(pattern = "^[0-9]{6}$"))]
    region: String,
    /// 详细地址
    #[oai(validator(max_length = 200))]
    detail: String,
    /// 邮政编码
    #[oai(validator(pattern = "^([0-9]{6})?$"))]
    postcode: Option<String>,
}

impl NewResultBody {
    /// Validates the body. Returns the result, or all faults.
    pub(super) fn read(
        self,
        reference: String,
        regions: &Regions,
        today: NaiveDate,
    ) -> Result<NewResult, Vec<FieldError>> {
        let applicant = self.applicant.read(today);
        let ruling = ruling(self.outcome, self.reasons, self.result);
        let delivery = self.delivery.read(regions);
        match (applicant, ruling, delivery) {
            (Ok(applicant), Ok(ruling), Ok(delivery)) => Ok(NewResult {
                reference,
                item: ItemCode::new(self.item_code),
                applicant,
                ruling,
                decided_at: self.decided_at,
                delivery,
            }),
            (applicant, ruling, delivery) => {
                Err([applicant.err(), ruling.err(), delivery.err()].into_iter().flatten().flatten().collect())
            }
        }
    }
}

impl NewApplicant {
    fn read(&self, today: NaiveDate) -> Result<KnownAs, Vec<FieldError>> {
        let phone = MobilePhone::parse(&self.phone).map_err(|_| {
            FieldError::new(
                "/applicant/phone",
                "not_a_phone",
                "不是大陆手机号",
                "It must be a mobile number of mainland China",
            )
        });
        let resident_id = self.resident_id.as_deref().map(|text| ResidentId::parse(text, today)).transpose();
        let resident_id = resident_id.map_err(|_| {
            FieldError::new(
                "/applicant/resident_id",
                "not_a_resident_id",
                "不是有效的公民身份号码",
                "It is not a valid resident ID",
            )
        });
        match (phone, resident_id) {
            (Ok(phone), Ok(resident_id)) => Ok(KnownAs { phone, resident_id }),
            (phone, resident_id) => Err([phone.err(), resident_id.err()].into_iter().flatten().collect()),
        }
    }
}

impl NewDeliveryBody {
    fn read(self, regions: &Regions) -> Result<NewDelivery, Vec<FieldError>> {
        match (self.way, self.recipient, self.hall) {
            (WayWord::Electronic, None, None) => Ok(NewDelivery::Electronic),
            (WayWord::Courier, Some(recipient), None) => Ok(NewDelivery::Courier(recipient.read(regions)?)),
            (WayWord::Counter, None, Some(hall)) => Ok(NewDelivery::Counter(hall)),
            (way, recipient, hall) => {
                let recipient = misplaced("/delivery/recipient", recipient.is_some(), way == WayWord::Courier);
                let hall = misplaced("/delivery/hall", hall.is_some(), way == WayWord::Counter);
                Err(recipient.into_iter().chain(hall).collect())
            }
        }
    }
}

impl Recipient {
    fn read(self, regions: &Regions) -> Result<PostalAddress, Vec<FieldError>> {
        let entry = AddressEntry {
            name: Private::new(self.name),
            phone: Private::new(self.phone),
            region: self.region,
            detail: Private::new(self.detail),
            postcode: self.postcode,
            is_default: false,
        };
        let faults =
            |faults: Vec<_>| faults.into_iter().map(|fault| field_error("/delivery/recipient", fault)).collect();
        read_address(&entry, regions).map_err(faults)
    }
}

example!(NewResultBody {
    item_code: "JT-0045".to_owned(),
    applicant: NewApplicant { phone: "13800138000".to_owned(), name: None, resident_id: None },
    outcome: OutcomeWord::Grant,
    reasons: String::new(),
    result: Some(ResultDocumentBody::example()),
    decided_at: Instant::UNIX_EPOCH + TimeDelta::hours(492_434), // 2026-03-06
    delivery: NewDeliveryBody {
        way: WayWord::Courier,
        recipient: Some(Recipient {
            name: "王小明".to_owned(),
            phone: "13800138000".to_owned(),
            region: "320413".to_owned(),
            detail: "西城街道清风路1号".to_owned(),
            postcode: None,
        }),
        hall: None,
    },
});

/// A row of a batch before it is parsed: the JSON of a [`NewResultBody`], with the reference as the member `ref`.
#[derive(Debug, Clone)]
pub(super) struct ResultRow(pub(super) Value);

impl ResultRow {
    /// Returns the row's reference for the verdict, even if the row is invalid.
    pub(super) fn reference(&self) -> Option<String> {
        self.0.get("ref").and_then(Value::as_str).map(str::to_owned)
    }

    /// Validates the row. Returns the result, or all faults.
    pub(super) fn read(self, regions: &Regions, today: NaiveDate) -> Result<NewResult, Vec<FieldError>> {
        let faults = shape::faults::<Self>(&self.0);
        if !faults.is_empty() {
            return Err(faults);
        }
        match self.parse() {
            Some((reference, body)) => body.read(reference, regions, today),
            None => Err(vec![FieldError::new("", "invalid", "内容不符合要求", "The content is not valid")]),
        }
    }

    fn parse(&self) -> Option<(String, NewResultBody)> {
        let mut members = self.0.as_object()?.clone();
        let Some(Value::String(reference)) = members.remove("ref") else { return None };
        Some((reference, NewResultBody::parse_from_json(Some(Value::Object(members))).ok()?))
    }
}

impl Type for ResultRow {
    plain_type!();

    fn name() -> Cow<'static, str> {
        "ResultRow".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(Self::name().into_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(Self::name().into_owned(), |registry| {
            NewResultBody::register(registry);
            let mut schema = registry.create_fake_schema::<NewResultBody>();
            let reference = MetaSchema {
                description: Some("The other system's own reference, which identifies the case."),
                pattern: Some(REFERENCE.to_owned()),
                example: Some("2026-0042".into()),
                ..MetaSchema::new("string")
            };
            schema.properties.insert(0, ("ref", MetaSchemaRef::Inline(Box::new(reference))));
            schema.required.insert(0, "ref");
            schema.description = Some("办理结果及编号。 A result with its reference.");
            if let Some(Value::Object(example)) = &mut schema.example {
                example.insert("ref".to_owned(), "2026-0042".into());
            }
            schema
        });
    }
}

impl ParseFromJSON for ResultRow {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        value.map(Self).ok_or_else(ParseError::expected_input)
    }
}

impl ToJSON for ResultRow {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use poem_openapi::types::Example;
    use serde_json::json;

    use super::*;
    use crate::domain::delivery::address::RegionNames;

    fn read(change: impl FnOnce(&mut Value)) -> Result<NewResult, Vec<String>> {
        let regions: Regions = Arc::new(|code| {
            (code == "320413").then(|| RegionNames {
                province: "江苏省".to_owned(),
                city: "常州市".to_owned(),
                county: "金坛区".to_owned(),
            })
        });
        let mut row = NewResultBody::example().to_json().unwrap();
        row["ref"] = json!("2026-0042");
        change(&mut row);
        let today = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        let read = ResultRow(row).read(&regions, today);
        read.map_err(|faults| faults.into_iter().map(|fault| fault.pointer).collect())
    }

    #[test]
    fn a_valid_row_is_read() {
        let result = read(|_| ()).unwrap();
        assert_eq!(result.reference, "2026-0042");
        assert!(matches!(result.delivery, NewDelivery::Courier(address) if address.county == "金坛区"));
    }

    #[test]
    fn every_fault_is_reported_with_its_pointer() {
        let faults = |change: fn(&mut Value)| read(change).unwrap_err();
        assert_eq!(faults(|row| row["applicant"]["phone"] = json!("12345")), ["/applicant/phone"]);
        assert_eq!(faults(|row| row["applicant"]["resident_id"] = json!("1")), ["/applicant/resident_id"]);
        assert_eq!(faults(|row| row["delivery"]["recipient"]["region"] = json!("1")), ["/delivery/recipient/region"]);
        assert_eq!(faults(|row| row["ref"] = json!("a b")), ["/ref"]);
        assert_eq!(faults(|row| row["outcome"] = json!("deny")), ["/reasons", "/result"]);
        assert_eq!(faults(|row| row["delivery"] = json!({"way": "counter"})), ["/delivery/hall"]);
        assert_eq!(faults(|row| *row = json!("junk")), [""]);
        assert_eq!(faults(|row| row["decided_at"] = json!("yesterday")), ["/decided_at"]);
        assert_eq!(faults(|row| row["more"] = json!(1)), ["/more"]);
        assert_eq!(
            faults(|row| {
                row["ref"] = Value::Null;
                row["outcome"] = json!("maybe");
            }),
            ["/outcome", "/ref"]
        );
    }

    #[test]
    fn the_pattern_and_the_check_agree() {
        let pattern = regex::Regex::new(REFERENCE).unwrap();
        for text in ["2026-0042", "a", "", "a b", "编号", "a/b", &"x".repeat(100), &"x".repeat(101)] {
            assert_eq!(is_reference(text), pattern.is_match(text), "{text}");
        }
    }

    #[test]
    fn faults_of_all_parts_are_reported_together() {
        let faults = read(|row| {
            row["applicant"]["phone"] = json!("1");
            row.as_object_mut().unwrap().remove("result");
            row["delivery"] = json!({"way": "electronic", "hall": "jt"});
        });
        assert_eq!(faults.unwrap_err(), ["/applicant/phone", "/result", "/delivery/hall"]);
    }
}

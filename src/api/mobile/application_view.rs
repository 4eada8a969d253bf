//! The parts of an application in bodies of the mobile API: form, materials, delivery, and faults.

use std::collections::BTreeMap;

use poem_openapi::Object;
use poem_openapi::types::Any;
use serde_json::{Map, Value};

use crate::api::edge::{EXAMPLE, FieldError, Problem, example};
use crate::api::shared::case_view::{WayWord, misplaced};
use crate::domain::application::{Application, DeliveryChoice, HandedIn};
use crate::domain::form::Fault;
use crate::domain::kernel::ids::{AddressId, UploadId};
use crate::domain::kernel::private::Private;

/// The applicant's entries in an item's form: one member per section of the form.
pub type FormBody = BTreeMap<String, Any<Value>>;

/// 材料。 The uploaded files for one material.
#[derive(Debug, Clone, Object)]
#[oai(rename = "HandedIn", deny_unknown_fields)]
pub struct HandedInBody {
    /// The `key` of the material in the item's guide.
    #[oai(validator(max_length = 100))]
    pub key: String,
    /// The ids of the uploaded files, in the applicant's order.
    #[oai(validator(max_items = 20))]
    pub uploads: Vec<UploadId>,
}

/// 送达方式。 The chosen way of delivery.
#[derive(Debug, Clone, Object)]
#[oai(rename = "WantedDelivery", deny_unknown_fields, skip_serializing_if_is_none)]
pub struct DeliveryChoiceBody {
    pub way: WayWord,
    /// An entry of the address book: required for `courier`.
    pub address: Option<AddressId>,
    /// The hall's code: required for `counter`.
    #[oai(validator(max_length = 100))]
    pub hall: Option<String>,
}

pub fn application(form: FormBody, materials: Vec<HandedInBody>) -> Application {
    let form: Map<String, Value> = form.into_iter().map(|(section, answers)| (section, answers.0)).collect();
    let handed_in = |HandedInBody { key, uploads }| HandedIn { key, uploads };
    Application {
        form: Private::new(Value::Object(form)),
        materials: materials.into_iter().map(handed_in).collect(),
        ..Application::default()
    }
}

pub fn form_body(application: &Application) -> FormBody {
    let sections = application.form.expose().as_object();
    sections.into_iter().flatten().map(|(section, answers)| (section.clone(), Any(answers.clone()))).collect()
}

pub fn materials_body(application: &Application) -> Vec<HandedInBody> {
    let body = |it: &HandedIn| HandedInBody { key: it.key.clone(), uploads: it.uploads.clone() };
    application.materials.iter().map(body).collect()
}

impl TryFrom<DeliveryChoiceBody> for DeliveryChoice {
    type Error = Problem;

    fn try_from(DeliveryChoiceBody { way, address, hall }: DeliveryChoiceBody) -> Result<Self, Problem> {
        match (way, address, hall) {
            (WayWord::Electronic, None, None) => Ok(Self::Electronic),
            (WayWord::Courier, Some(address), None) => Ok(Self::Courier { address }),
            (WayWord::Counter, None, Some(hall)) => Ok(Self::Counter { hall }),
            (way, address, hall) => {
                let address = misplaced("/delivery/address", address.is_some(), way == WayWord::Courier);
                let hall = misplaced("/delivery/hall", hall.is_some(), way == WayWord::Counter);
                Err(Problem::invalid(address.into_iter().chain(hall)))
            }
        }
    }
}

impl From<&DeliveryChoice> for DeliveryChoiceBody {
    fn from(choice: &DeliveryChoice) -> Self {
        let (way, address, hall) = match choice {
            DeliveryChoice::Electronic => (WayWord::Electronic, None, None),
            DeliveryChoice::Courier { address } => (WayWord::Courier, Some(*address), None),
            DeliveryChoice::Counter { hall } => (WayWord::Counter, None, Some(hall.clone())),
        };
        Self { way, address, hall }
    }
}

impl From<Fault> for FieldError {
    fn from(Fault { pointer, code, message }: Fault) -> Self {
        Self { pointer, code: code.into(), message }
    }
}

/// Creates the 422 problem of an application with faults.
pub fn faulty(faults: Vec<Fault>) -> Problem {
    Problem::invalid(faults.into_iter().map(FieldError::from))
}

pub fn form_example() -> FormBody {
    BTreeMap::from([("applicant".to_owned(), Any(serde_json::json!({"name": "王小明", "phone": "13800138000"})))])
}

example!(HandedInBody { key: "identity-card".to_owned(), uploads: vec![UploadId::from_uuid(EXAMPLE)] });

example!(DeliveryChoiceBody { way: WayWord::Courier, address: Some(AddressId::from_uuid(EXAMPLE)), hall: None });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::edge::current::Current;
    use crate::domain::kernel::text::Language;

    #[test]
    fn a_way_of_delivery_has_its_own_members_only() {
        let address = Some(AddressId::from_uuid(EXAMPLE));
        let hall = || Some("320413".to_owned());
        let read = |way, address, hall| DeliveryChoice::try_from(DeliveryChoiceBody { way, address, hall });
        let good = |way, address, hall| read(way, address, hall).is_ok();
        let faults = |way, address, hall| {
            let body = read(way, address, hall).unwrap_err().body(&Current::of_test(Language::English));
            body.errors.into_iter().map(|fault| (fault.pointer, fault.code)).collect::<Vec<_>>()
        };
        assert!(good(WayWord::Electronic, None, None));
        assert!(good(WayWord::Courier, address, None));
        assert!(good(WayWord::Counter, None, hall()));
        assert!(!good(WayWord::Electronic, address, None));
        assert!(!good(WayWord::Electronic, None, hall()));
        assert!(!good(WayWord::Courier, None, None));
        assert!(!good(WayWord::Courier, address, hall()));
        assert!(!good(WayWord::Counter, address, hall()));
        assert!(!good(WayWord::Counter, None, None));
        let place = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
        let both = [place("/delivery/address", "required"), place("/delivery/hall", "not_allowed")];
        assert_eq!(faults(WayWord::Courier, None, hall()), both, "all faults at once");
    }
}

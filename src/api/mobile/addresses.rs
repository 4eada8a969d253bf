//! The address book (地址簿). Its owner sees it in full.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::tag::Tag;
use crate::api::edge::answers::Added;
use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::parameters::bearer::Person;
use crate::api::edge::parameters::body::Body;
use crate::api::edge::parameters::idempotency::{Answered, OptionalKey};
use crate::api::edge::parameters::wire_ids::EXAMPLE;
use crate::api::shared::address_faults::field_error;
use crate::casework::people::People;
use crate::casework::people::addresses::{AddressEntry, AddressError};
use crate::domain::delivery::address::SavedAddress;
use crate::domain::kernel::ids::AddressId;
use crate::domain::kernel::private::Private;

/// The operations.
pub struct Addresses(pub People);

#[OpenApi(prefix_path = "/v1", tag = "Tag::Addresses")]
impl Addresses {
    /// Lists the person's addresses, the default first.
    #[oai(path = "/addresses", method = "get", operation_id = "list_addresses")]
    async fn list(&self, person: Person) -> Result<AddressesAnswer, Problem> {
        let saved = self.0.addresses().list(person.id).await?;
        Ok(AddressesAnswer::Ok(Json(AddressList { data: saved.iter().map(AddressBody::from).collect() })))
    }

    /// Adds an address; the first one is the default.
    #[oai(path = "/addresses", method = "post", operation_id = "add_address")]
    async fn add(
        &self,
        person: Person,
        idempotency_key: OptionalKey,
        body: Body<NewAddress>,
    ) -> Result<Answered<Added<AddressBody>>, Problem> {
        let once = idempotency_key.once(person.id, "add_address", body.raw());
        let added = |saved: &SavedAddress| Added {
            body: AddressBody::from(saved),
            location: format!("/v1/addresses/{}", saved.id),
        };
        let entry = body.into_inner().into();
        Ok(self.0.addresses().add(person.id, &entry, once.as_ref(), |saved| added(saved).into()).await?.into())
    }

    /// Shows an address.
    #[oai(path = "/addresses/:id", method = "get", operation_id = "get_address")]
    async fn get(&self, person: Person, id: Path<AddressId>) -> Result<AddressAnswer, Problem> {
        Ok(AddressAnswer::Ok(Json((&self.0.addresses().find(person.id, id.0).await?).into())))
    }

    /// Replaces an address. Parcels that were promised keep the old one.
    #[oai(path = "/addresses/:id", method = "put", operation_id = "put_address")]
    async fn put(&self, person: Person, id: Path<AddressId>, body: Body<NewAddress>) -> Result<AddressAnswer, Problem> {
        let saved = self.0.addresses().change(person.id, id.0, &body.into_inner().into()).await?;
        Ok(AddressAnswer::Ok(Json((&saved).into())))
    }

    /// Removes an address.
    #[oai(path = "/addresses/:id", method = "delete", operation_id = "delete_address")]
    async fn delete(&self, person: Person, id: Path<AddressId>) -> Result<AddressRemoved, Problem> {
        self.0.addresses().remove(person.id, id.0).await?;
        Ok(AddressRemoved::NoContent)
    }
}

/// An address as typed.
#[derive(Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
struct NewAddress {
    /// 收件人
    #[oai(validator(max_length = 50))]
    name: String,
    /// 手机号
    #[oai(validator(max_length = 30))]
    phone: String,
    /// 区县: the six-digit GB/T 2260 code, one of `GET /v1/regions`.
    #[oai(validator(pattern = "^[0-9]{6}$"))]
    region: String,
    /// 详细地址: street, building, room.
    #[oai(validator(max_length = 200))]
    detail: String,
    /// 邮政编码
    #[oai(validator(pattern = "^([0-9]{6})?$"))]
    postcode: Option<String>,
    /// Whether it is offered first from now on.
    #[oai(default)]
    is_default: bool,
}

impl From<NewAddress> for AddressEntry {
    fn from(new: NewAddress) -> Self {
        Self {
            name: Private::new(new.name),
            phone: Private::new(new.phone),
            region: new.region,
            detail: Private::new(new.detail),
            postcode: new.postcode,
            is_default: new.is_default,
        }
    }
}

impl Example for NewAddress {
    fn example() -> Self {
        Self {
            name: "王小明".to_owned(),
            phone: "13800138000".to_owned(),
            region: "320413".to_owned(),
            detail: "西城街道清风路1号".to_owned(),
            postcode: Some("213200".to_owned()),
            is_default: true,
        }
    }
}

/// An address.
#[derive(Object)]
#[oai(rename = "Address", example, skip_serializing_if_is_none)]
struct AddressBody {
    /// Its id.
    id: AddressId,
    /// 收件人
    name: String,
    /// 手机号
    phone: String,
    /// 区县: its GB/T 2260 code.
    region: String,
    /// 省
    province: String,
    /// 市
    city: String,
    /// 区县
    county: String,
    /// 详细地址
    detail: String,
    /// 邮政编码
    postcode: Option<String>,
    /// Whether it is offered first.
    is_default: bool,
}

impl From<&SavedAddress> for AddressBody {
    fn from(saved: &SavedAddress) -> Self {
        let address = saved.address.clone();
        Self {
            id: saved.id,
            name: address.name.into_exposed(),
            phone: address.phone.into_exposed(),
            region: address.region,
            province: address.province,
            city: address.city,
            county: address.county,
            detail: address.detail.into_exposed(),
            postcode: address.postcode,
            is_default: saved.is_default,
        }
    }
}

impl Example for AddressBody {
    fn example() -> Self {
        let NewAddress { name, phone, region, detail, postcode, is_default } = NewAddress::example();
        let (province, city, county) = ("江苏省".to_owned(), "常州市".to_owned(), "金坛区".to_owned());
        let id = AddressId::from_uuid(EXAMPLE);
        Self { id, name, phone, region, province, city, county, detail, postcode, is_default }
    }
}

/// All addresses of a person.
#[derive(Object)]
struct AddressList {
    data: Vec<AddressBody>,
}

#[derive(ApiResponse)]
enum AddressesAnswer {
    /// The address book.
    #[oai(status = 200)]
    Ok(Json<AddressList>),
}

#[derive(ApiResponse)]
enum AddressAnswer {
    /// The address.
    #[oai(status = 200)]
    Ok(Json<AddressBody>),
}

#[derive(ApiResponse)]
enum AddressRemoved {
    /// Removed.
    #[oai(status = 204)]
    NoContent,
}

impl From<AddressError> for Problem {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::Invalid(faults) => {
                Self::new(Code::InvalidBody).errors(faults.into_iter().map(|fault| field_error("", fault)).collect())
            }
            AddressError::Full => Self::new(Code::AddressBookFull),
            AddressError::NotFound => Self::new(Code::NotFound),
            AddressError::Idempotency(error) => error.into(),
            AddressError::Store(error) => error.into(),
        }
    }
}

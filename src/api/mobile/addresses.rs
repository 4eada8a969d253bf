//! Operations on a person's address book (地址簿). Its entries are not masked.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};

use super::tag::MobileTag;
use crate::api::edge::{Added, Answered, Body, Code, Done, EXAMPLE, OptionalKey, Person, Problem, example};
use crate::api::shared::address_faults::field_error;
use crate::casework::people::People;
use crate::casework::people::addresses::{AddressEntry, AddressError};
use crate::domain::delivery::address::SavedAddress;
use crate::domain::kernel::ids::AddressId;
use crate::domain::kernel::private::Private;

pub struct Addresses(pub People);

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Addresses")]
impl Addresses {
    /// 地址列表 · List addresses
    ///
    /// The default address comes first.
    #[oai(path = "/addresses", method = "get", operation_id = "list_addresses")]
    async fn list(&self, person: Person) -> Result<Json<AddressList>, Problem> {
        let saved = self.0.addresses().list(person.id).await?;
        Ok(Json(AddressList { data: saved.iter().map(AddressBody::from).collect() }))
    }

    /// 新增地址 · Add an address
    ///
    /// Adds an address to the address book. The first address becomes the default.
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

    /// 查看地址 · Show an address
    #[oai(path = "/addresses/:id", method = "get", operation_id = "get_address")]
    async fn get(&self, person: Person, id: Path<AddressId>) -> Result<Json<AddressBody>, Problem> {
        Ok(Json((&self.0.addresses().find(person.id, id.0).await?).into()))
    }

    /// 修改地址 · Replace an address
    ///
    /// Cases that were submitted earlier, and their parcels, keep the old address.
    #[oai(path = "/addresses/:id", method = "put", operation_id = "put_address")]
    async fn put(
        &self,
        person: Person,
        id: Path<AddressId>,
        body: Body<NewAddress>,
    ) -> Result<Json<AddressBody>, Problem> {
        let saved = self.0.addresses().change(person.id, id.0, &body.into_inner().into()).await?;
        Ok(Json((&saved).into()))
    }

    /// 删除地址 · Delete an address
    #[oai(path = "/addresses/:id", method = "delete", operation_id = "delete_address")]
    async fn delete(&self, person: Person, id: Path<AddressId>) -> Result<Done, Problem> {
        self.0.addresses().remove(person.id, id.0).await?;
        Ok(Done::NoContent)
    }
}

/// 新地址。 An address, as the person typed it.
#[derive(Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
struct NewAddress {
    /// 收件人
    #[oai(validator(max_length = 50))]
    name: String,
    /// 手机号
    #[oai(validator(max_length = 30))]
    phone: String,
    /// 区县: the six-digit GB/T 2260 code, from `GET /v1/regions`.
    #[oai(validator(pattern = "^[0-9]{6}$"))]
    region: String,
    /// 详细地址: street, building, room.
    #[oai(validator(max_length = 200))]
    detail: String,
    /// 邮政编码
    #[oai(validator(pattern = "^([0-9]{6})?$"))]
    postcode: Option<String>,
    /// True to make it the default address.
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

example!(NewAddress {
    name: "王小明".to_owned(),
    phone: "13800138000".to_owned(),
    region: "320413".to_owned(),
    detail: "西城街道清风路1号".to_owned(),
    postcode: Some("213200".to_owned()),
    is_default: true,
});

/// 地址。 An address.
#[derive(Object)]
#[oai(rename = "Address", example, skip_serializing_if_is_none)]
struct AddressBody {
    id: AddressId,
    /// 收件人
    name: String,
    /// 手机号
    phone: String,
    /// 区县: the GB/T 2260 code.
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
    /// True for the default address.
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
        Self {
            id: AddressId::from_uuid(EXAMPLE),
            name,
            phone,
            region,
            province: "江苏省".to_owned(),
            city: "常州市".to_owned(),
            county: "金坛区".to_owned(),
            detail,
            postcode,
            is_default,
        }
    }
}

/// 地址簿。 All addresses of a person.
#[derive(Object)]
struct AddressList {
    data: Vec<AddressBody>,
}

impl From<AddressError> for Problem {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::Invalid(faults) => Self::invalid(faults.into_iter().map(|fault| field_error("", fault))),
            AddressError::Full => Self::new(Code::AddressBookFull),
            AddressError::NotFound => Self::new(Code::NotFound),
            AddressError::Idempotency(error) => error.into(),
            AddressError::Store(error) => error.into(),
        }
    }
}

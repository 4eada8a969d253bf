//! Regions and halls, for residents.

use poem_openapi::Object;

use crate::api::shared::bilingual::Bilingual;
use crate::catalog::{self, Snapshot};
use crate::domain::item::Level;

/// 行政区划。 The divisions of GB/T 2260 down to counties, and the towns of this district.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(example)]
pub struct RegionTree {
    /// 省级
    pub provinces: Vec<Province>,
    /// 本区乡级: the towns of this district, with nine-digit codes.
    pub towns: Vec<Region>,
}

/// 省级
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Province {
    /// The six-digit code.
    pub code: String,
    /// 名称
    pub name: String,
    /// 地级
    pub cities: Vec<City>,
}

/// 地级
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct City {
    /// The six-digit code.
    pub code: String,
    /// 名称
    pub name: String,
    /// 县级: the counties. The code of a county is a valid `region` of an address.
    pub counties: Vec<Region>,
}

/// 一个区划。 One division.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Region {
    /// The code: six digits for a county, nine for a town.
    pub code: String,
    /// 名称
    pub name: String,
}

impl RegionTree {
    pub fn of(snapshot: &Snapshot) -> Self {
        let table = snapshot.regions().table();
        let region = |code: &str, name: &str| Region { code: code.to_owned(), name: name.to_owned() };
        let city = |city: &catalog::City| City {
            code: city.code.clone(),
            name: city.name.clone(),
            counties: city.counties().map(|(code, name)| region(code, name)).collect(),
        };
        let province = |province: &catalog::Province| Province {
            code: province.code.clone(),
            name: province.name.clone(),
            cities: province.cities.iter().map(city).collect(),
        };
        Self {
            provinces: table.provinces.iter().map(province).collect(),
            towns: table.towns.iter().map(|town| region(&town.code, &town.name)).collect(),
        }
    }
}

/// 大厅列表。 All halls.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(example)]
pub struct HallList {
    pub data: Vec<Hall>,
}

/// 大厅。 A hall, where results can be collected at the counter.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Hall {
    /// The code for `delivery.hall` of a draft.
    pub code: String,
    pub level: Level,
    /// The division that the hall serves, as a code.
    pub region: String,
    pub name: Bilingual,
    pub address: Option<String>,
    pub postcode: Option<String>,
    /// The phone number, with area code.
    pub phone: Option<String>,
}

impl HallList {
    pub fn of(snapshot: &Snapshot) -> Self {
        let hall = |hall: &catalog::Hall| Hall {
            code: hall.code.clone(),
            level: hall.level,
            region: hall.region.clone(),
            name: (&hall.name).into(),
            address: hall.address.clone(),
            postcode: hall.postcode.clone(),
            phone: hall.phone.clone(),
        };
        Self { data: snapshot.parts().halls.iter().map(hall).collect() }
    }
}

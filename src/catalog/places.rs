//! Where things are: administrative divisions (行政区划, GB/T 2260), halls (大厅) and agencies (实施主体).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::fault::Faults;
use crate::domain::form::RegionLevel;
use crate::domain::item::{AgencyCode, Level};
use crate::domain::text::Bilingual;

/// The divisions, as a tree from the provinces down to counties; and the towns of the district.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionTable {
    /// 省级
    pub provinces: Vec<Province>,
    /// 乡级 of the district itself, at nine digits.
    pub towns: Vec<Town>,
}

/// 省、自治区、直辖市、特别行政区
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Province {
    /// Two digits and four zeros.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its cities.
    pub cities: Vec<City>,
}

/// 地级市、自治州、盟, or what stands in their place
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct City {
    /// Four digits and two zeros.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its counties, each written `320413 金坛区`.
    pub counties: Vec<String>,
}

impl City {
    /// Its counties: code and name.
    pub fn counties(&self) -> impl Iterator<Item = (&str, &str)> {
        self.counties.iter().filter_map(|county| county.split_once(' '))
    }
}

/// 镇、街道, or a zone of town rank
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Town {
    /// Nine digits.
    pub code: String,
    /// Its name.
    pub name: String,
}

/// A county and what it lies in: the names that an address bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct County {
    /// 省
    pub province: String,
    /// 市
    pub city: String,
    /// 区县
    pub county: String,
}

/// The divisions, ready to be asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "RegionTable", into = "RegionTable")]
pub struct Regions {
    table: RegionTable,
    counties: HashMap<String, County>,
}

impl From<Regions> for RegionTable {
    fn from(regions: Regions) -> Self {
        regions.table
    }
}

impl From<RegionTable> for Regions {
    fn from(table: RegionTable) -> Self {
        let mut counties = HashMap::new();
        for province in &table.provinces {
            for city in &province.cities {
                for (code, name) in city.counties() {
                    let names =
                        County { province: province.name.clone(), city: city.name.clone(), county: name.to_owned() };
                    counties.insert(code.to_owned(), names);
                }
            }
        }
        Self { table, counties }
    }
}

impl Regions {
    /// The table that it was made of.
    #[must_use]
    pub const fn table(&self) -> &RegionTable {
        &self.table
    }

    /// A county by its six digits, with the names above it.
    #[must_use]
    pub fn county(&self, code: &str) -> Option<&County> {
        self.counties.get(code)
    }

    /// Whether a code names a division of a level.
    #[must_use]
    pub fn knows(&self, code: &str, level: RegionLevel) -> bool {
        let provinces = &self.table.provinces;
        match level {
            RegionLevel::Province => provinces.iter().any(|province| province.code == code),
            RegionLevel::City => provinces.iter().flat_map(|province| &province.cities).any(|city| city.code == code),
            RegionLevel::County => self.counties.contains_key(code),
            RegionLevel::Town => self.table.towns.iter().any(|town| town.code == code),
        }
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let digits = |code: &str, count: usize| code.len() == count && code.bytes().all(|b| b.is_ascii_digit());
        let mut written = 0;
        for province in &self.table.provinces {
            if !digits(&province.code, 6) || !province.code.ends_with("0000") {
                faults.add(&province.code, "the code of a province is two digits and four zeros");
            }
            for county in province.cities.iter().flat_map(|city| &city.counties) {
                written += 1;
                let code = county.split_once(' ').map(|(code, _)| code).unwrap_or_default();
                if !digits(code, 6) || code.get(..2) != province.code.get(..2) {
                    faults.add(county, "write a county as six digits of its province, a space, and its name");
                }
            }
        }
        if written != self.counties.len() {
            faults.add("provinces", "some county is written twice");
        }
        for town in &self.table.towns {
            let county = town.code.get(..6).unwrap_or_default();
            if !digits(&town.code, 9) || !self.counties.contains_key(county) {
                faults.add(&town.code, "the code of a town is nine digits, of which the first six name its county");
            }
        }
    }
}

/// An agency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    /// What items, officers and cases call it.
    pub code: AgencyCode,
    /// Its name.
    pub name: Bilingual,
}

/// A hall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hall {
    /// What a delivery at the counter calls it.
    pub code: String,
    /// Of the district, a town or a village.
    pub level: Level,
    /// The division that it serves.
    pub region: String,
    /// Its name: the division's name and the level's suffix.
    pub name: Bilingual,
    /// Where it is, where that is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Postcode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// Phone, with area code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Hall {
    pub(super) fn check(&self, regions: &Regions, faults: &mut Faults) {
        let suffix = match self.level {
            Level::County => "政务服务中心",
            Level::Town => "为民服务中心",
            Level::Village => "便民服务中心",
        };
        if !self.name.zh.ends_with(suffix) {
            faults.add(&self.code, &format!("a hall of this level is called …{suffix}"));
        }
        let known = match self.level {
            Level::County => regions.knows(&self.region, RegionLevel::County),
            Level::Town => regions.knows(&self.region, RegionLevel::Town),
            Level::Village => regions.knows(self.region.get(..9).unwrap_or_default(), RegionLevel::Town),
        };
        if !known {
            faults.add(&self.code, "its region is not in regions.toml");
        }
    }
}

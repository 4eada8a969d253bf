//! Places: administrative divisions (行政区划, GB/T 2260), halls (大厅) and agencies (实施主体).

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::fault::Faults;
use super::topics::Topic;
use super::unconfirmed;
use crate::domain::delivery::address::RegionNames;
use crate::domain::delivery::landline::is_office_phone;
use crate::domain::form::RegionLevel;
use crate::domain::item::{AgencyCode, Fact, Level};
use crate::domain::kernel::text::Bilingual;

/// The advice for a phone number that cannot be dialled from another area.
const PHONE_ADVICE: &str = "write it with its area code: 0519-82821234, 0519-12345";

/// The divisions as a tree from provinces down to counties, and the towns of the district whose authority uses Songda.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionTable {
    /// The divisions of province rank (省级).
    pub provinces: Vec<Province>,
    /// The towns (乡级) of the authority's district.
    pub towns: Vec<Town>,
}

/// A province (省), autonomous region (自治区), municipality (直辖市) or special administrative region (特别行政区).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Province {
    /// Two digits and four zeros.
    pub code: String,
    pub name: String,
    pub cities: Vec<City>,
}

/// A prefecture-level city (地级市), autonomous prefecture (自治州), league (盟), or another unit of the same rank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct City {
    /// Four digits and two zeros.
    pub code: String,
    pub name: String,
    /// Counties, each written `320413 金坛区`.
    pub counties: Vec<String>,
}

impl City {
    /// Code and name of each county.
    pub fn counties(&self) -> impl Iterator<Item = (&str, &str)> {
        self.counties.iter().filter_map(|county| county.split_once(' '))
    }
}

/// A town (镇), a subdistrict (街道), or a zone of the same rank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Town {
    /// Nine digits.
    pub code: String,
    pub name: String,
}

/// The divisions, indexed by the codes of the counties.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "RegionTable", into = "RegionTable")]
pub struct Regions {
    table: RegionTable,
    counties: HashMap<String, RegionNames>,
}

impl From<Regions> for RegionTable {
    fn from(regions: Regions) -> Self {
        regions.table
    }
}

impl From<RegionTable> for Regions {
    fn from(table: RegionTable) -> Self {
        let mut counties = HashMap::new();
        for Province { name: province, cities, .. } in &table.provinces {
            for city in cities {
                let names = |county: &str| RegionNames {
                    province: province.clone(),
                    city: city.name.clone(),
                    county: county.to_owned(),
                };
                counties.extend(city.counties().map(|(code, name)| (code.to_owned(), names(name))));
            }
        }
        Self { table, counties }
    }
}

impl Regions {
    pub const fn table(&self) -> &RegionTable {
        &self.table
    }

    /// Returns the names of a county and of the city and province that contain it, by the county's six-digit code.
    pub fn county(&self, code: &str) -> Option<&RegionNames> {
        self.counties.get(code)
    }

    /// True if the code names a division of this level.
    pub fn knows(&self, code: &str, level: RegionLevel) -> bool {
        self.name(code, level).is_some()
    }

    pub fn name(&self, code: &str, level: RegionLevel) -> Option<&str> {
        let mut provinces = self.table.provinces.iter();
        let mut cities = self.table.provinces.iter().flat_map(|province| &province.cities);
        let mut towns = self.table.towns.iter();
        match level {
            RegionLevel::Province => provinces.find(|province| province.code == code).map(|it| it.name.as_str()),
            RegionLevel::City => cities.find(|city| city.code == code).map(|it| it.name.as_str()),
            RegionLevel::County => self.counties.get(code).map(|it| it.county.as_str()),
            RegionLevel::Town => towns.find(|town| town.code == code).map(|it| it.name.as_str()),
        }
    }

    pub(super) fn check(&self, faults: &mut Faults) {
        let digits = |code: &str, count: usize| code.len() == count && code.bytes().all(|b| b.is_ascii_digit());
        let mut written = 0;
        for province in &self.table.provinces {
            if !digits(&province.code, 6) || !province.code.ends_with("0000") {
                faults.add(&province.code, "the code of a province is two digits and four zeros");
            }
            for city in &province.cities {
                if !digits(&city.code, 6) || city.code.get(..2) != province.code.get(..2) {
                    let advice = "the code of a city is six digits, and the first two are those of its province";
                    faults.add(&city.code, advice);
                }
            }
            for county in province.cities.iter().flat_map(|city| &city.counties) {
                written += 1;
                let code = county.split_once(' ').map(|(code, _)| code).unwrap_or_default();
                if !digits(code, 6) || code.get(..2) != province.code.get(..2) {
                    faults.add(county, "write a county as its six-digit code in the province, a space and its name");
                }
            }
        }
        if written != self.counties.len() {
            faults.add("provinces", "a county is listed twice; remove one");
        }
        for town in &self.table.towns {
            let county = town.code.get(..6).unwrap_or_default();
            if !digits(&town.code, 9) || !self.counties.contains_key(county) {
                let advice = "the code of a town is nine digits, and the first six are the code of its county";
                faults.add(&town.code, advice);
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    pub code: AgencyCode,
    pub name: Bilingual,
    /// The phone number for questions (咨询电话), with area code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consult_phone: Option<String>,
    /// The phone number for complaints (投诉电话), with area code. It differs from `consult_phone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complaint_phone: Option<String>,
    /// The places of handling (办理地点): codes of the halls where the agency's items are handled.
    #[serde(default)]
    pub halls: Vec<String>,
    /// Codes of the default topics of the items that the agency guides. An item may list its own topics instead.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Facts about the agency that are not known yet, although the guides of its items must state them.
    #[serde(default)]
    pub unconfirmed: Vec<Fact>,
}

impl Agency {
    const fn tells(&self, fact: Fact) -> bool {
        match fact {
            Fact::ConsultPhone => self.consult_phone.is_some(),
            Fact::ComplaintPhone => self.complaint_phone.is_some(),
            Fact::Halls => !self.halls.is_empty(),
            _ => false,
        }
    }

    /// Checks the agency. If `halls` or `topics` is `None`, its file could not be read, and references into it are not
    /// checked.
    pub(super) fn check(&self, halls: Option<&[Hall]>, topics: Option<&[Topic]>, faults: &mut Faults) {
        let place = |field: &str| format!("{}.{field}", self.code);
        for (field, phone) in [("consult_phone", &self.consult_phone), ("complaint_phone", &self.complaint_phone)] {
            if phone.as_deref().is_some_and(|phone| !is_office_phone(phone)) {
                faults.add(&place(field), PHONE_ADVICE);
            }
        }
        if self.consult_phone.is_some() && self.consult_phone == self.complaint_phone {
            faults.add(&place("complaint_phone"), "must differ from consult_phone");
        }
        let knows_hall = |code: &String| halls.is_none_or(|halls| halls.iter().any(|hall| hall.code == *code));
        for code in self.halls.iter().filter(|code| !knows_hall(code)) {
            faults.add(&place("halls"), &format!("{code} is not in halls.toml"));
        }
        let knows_topic = |code: &String| topics.is_none_or(|topics| topics.iter().any(|topic| topic.code == *code));
        for code in self.topics.iter().filter(|code| !knows_topic(code)) {
            faults.add(&place("topics"), &format!("{code} is not in topics.toml"));
        }
        let owes = |fact| matches!(fact, Fact::ConsultPhone | Fact::ComplaintPhone | Fact::Halls);
        unconfirmed::check(&self.unconfirmed, owes, |fact| self.tells(fact), place, faults);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hall {
    /// The code of the hall. A delivery at the counter names the hall by this code.
    pub code: String,
    pub level: Level,
    /// The code of the division that the hall serves.
    pub region: String,
    /// The name of the hall: the name of its division, followed by the suffix of its level.
    pub name: Bilingual,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// The phone number, with area code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Hall {
    /// Checks the hall. If `regions` is `None`, its file could not be read, and the hall's region is not checked.
    pub(super) fn check(&self, regions: Option<&Regions>, faults: &mut Faults) {
        if self.phone.as_deref().is_some_and(|phone| !is_office_phone(phone)) {
            faults.add(&format!("{}.phone", self.code), PHONE_ADVICE);
        }
        let suffix = match self.level {
            Level::County => "政务服务中心",
            Level::Town => "为民服务中心",
            Level::Village => "便民服务中心",
        };
        if !self.name.zh.ends_with(suffix) {
            let advice = format!("the name of a hall of this level must end in {suffix}");
            faults.add(&format!("{}.name", self.code), &advice);
        }
        let Some(regions) = regions else { return };
        let (region, level) = match self.level {
            Level::County => (self.region.as_str(), RegionLevel::County),
            Level::Town => (self.region.as_str(), RegionLevel::Town),
            Level::Village => (self.region.get(..9).unwrap_or_default(), RegionLevel::Town),
        };
        match regions.name(region, level) {
            None => faults.add(&format!("{}.region", self.code), "is not in regions.toml"),
            Some(name) if self.level != Level::Village && self.name.zh != format!("{name}{suffix}") => {
                let advice = format!("the name must be that of its region and the suffix: {name}{suffix}");
                faults.add(&format!("{}.name", self.code), &advice);
            }
            Some(_) => {}
        }
    }
}

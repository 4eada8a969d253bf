//! The API for officers: `/staff/v1`.

pub mod case_uploads;
pub mod cases;
pub mod own_account;
pub mod parcels;
pub mod second_factor;
pub mod sessions;
pub mod tag;

mod application_view;
mod desk;
mod parcel_view;
mod place;

use crate::api::edge::openapi::document::About;
use crate::api::services::Services;

/// The structs with all operations of this API. Its routes and its OpenAPI document are built from them.
pub type Api = (
    sessions::StaffSessions,
    own_account::OwnAccountApi,
    second_factor::SecondFactorApi,
    cases::StaffCases,
    case_uploads::CaseUploads,
    parcels::StaffParcels,
);

pub fn api(services: &Services) -> Api {
    let Services { people, casework, .. } = services;
    (
        sessions::StaffSessions(people.clone()),
        own_account::OwnAccountApi(people.clone()),
        second_factor::SecondFactorApi(people.clone()),
        cases::StaffCases(services.clone()),
        case_uploads::CaseUploads(casework.clone()),
        parcels::StaffParcels(services.clone()),
    )
}

pub const ABOUT: About = About {
    file: "staff",
    title: "审批工作台 · Songda staff API",
    description: "受理、补正、决定与寄递。 Handling cases at an agency: the queue, acceptance, supplement notices, \
                  decisions and parcels. Texts follow `Accept-Language` (zh-CN or en); codes never change.",
};

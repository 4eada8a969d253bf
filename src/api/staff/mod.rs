//! What an officer's desk asks for: `/staff/v1`.

pub mod case_uploads;
pub mod cases;
pub mod parcels;
pub mod sessions;
pub mod tag;

mod application_view;
mod desk;
mod parcel_view;

use super::edge::openapi::About;
use crate::api::edge::parameters::paging::Cursors;
use crate::casework::Casework;
use crate::casework::people::People;

/// The operations: one implementation per group of paths.
pub type Api = (sessions::Sessions, cases::Cases, case_uploads::CaseUploads, parcels::Parcels);

/// Puts the operations together.
#[must_use]
pub fn api(people: &People, casework: &Casework, cursors: &Cursors) -> Api {
    (
        sessions::Sessions(people.clone()),
        cases::Cases { casework: casework.clone(), cursors: cursors.clone() },
        case_uploads::CaseUploads(casework.clone()),
        parcels::Parcels { casework: casework.clone(), cursors: cursors.clone() },
    )
}

/// The document.
pub const ABOUT: About = About {
    file: "staff",
    title: "审批工作台 · Songda staff API",
    description: "受理、补正、决定与寄递。 Handling cases at an agency: the queue, acceptance, supplement notices, \
                  decisions and parcels. Texts follow `Accept-Language` (zh-CN or en); codes never change.",
    open: &["sign_in", "refresh_session"],
};

//! The use cases of applicants: drafts, uploads and cases (办件).

pub mod answer_supplement;
pub mod correct_delivery;
pub mod drafts;
pub mod parcels;
pub mod read;
pub(super) mod submissions;
pub mod submit;
pub mod timeline;
pub mod uploads;
pub mod withdraw;
mod write_submissions;

use crate::casework::Casework;

#[derive(Clone, Copy)]
pub struct Cases<'a>(&'a Casework);

impl Casework {
    pub const fn cases(&self) -> Cases<'_> {
        Cases(self)
    }
}

//! What an applicant does with drafts, uploads and cases.

pub mod answer_supplement;
pub mod correct_delivery;
pub mod drafts;
pub mod parcels;
pub mod read;
pub mod submit;
pub mod timeline;
pub mod uploads;
pub mod withdraw;

use crate::casework::Casework;

/// The cases of applicants (办件).
#[derive(Clone, Copy)]
pub struct Cases<'a>(&'a Casework);

impl Casework {
    #[must_use]
    pub const fn cases(&self) -> Cases<'_> {
        Cases(self)
    }
}

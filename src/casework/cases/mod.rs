//! What an applicant does with drafts, cases and uploads.

pub mod answer_supplement;
pub mod correct_delivery;
pub mod drafts;
pub mod read;
pub mod submit;
pub mod timeline;
pub mod uploads;
pub mod withdraw;

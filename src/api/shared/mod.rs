//! Request bodies, responses and problems that several audiences share.

pub mod address_faults;
pub mod bilingual;
pub mod case_view;
pub mod change_problems;
pub mod file_content;
pub mod preencoded;
pub mod ruling;
pub mod sessions;
pub mod upload_state;

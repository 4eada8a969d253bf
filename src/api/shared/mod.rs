//! What several audiences show in the same form.

pub mod address_faults;
pub mod bilingual;
pub mod case_view;
pub mod change_problems;
pub mod file_content;
pub mod preencoded;
pub mod ruling;

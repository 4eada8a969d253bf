//! The item and the agencies that most tests use.

/// 居住证申领, the application for a residence permit. A resident applies on the phone and uploads files, [`AGENCY`]
/// decides, and the result can be sent by EMS.
pub const ITEM: &str = "JT-0045";
/// The agency that decides [`ITEM`].
pub const AGENCY: &str = "public-security";
/// An agency that has no part in [`ITEM`].
pub const OTHER_AGENCY: &str = "human-resources";
/// The agencies that have an officer in the template database, separated by commas as commands take them.
pub const AGENCIES: &str = "public-security,administrative-approval,human-resources";

//! The groups of operations in the staff document.

use poem_openapi::Tags;

/// A group.
#[derive(Tags)]
pub enum Tag {
    /// 登录与退出 Signing in and out
    Sessions,
    /// 办件 The cases of the agency
    Cases,
    /// 寄递 Their parcels
    Parcels,
}

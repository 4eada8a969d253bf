//! The groups of operations in the integration document.

use poem_openapi::Tags;

/// A group.
#[derive(Tags)]
pub enum Tag {
    /// 访问令牌 Access tokens
    Token,
    /// 办结结果 Decisions of other systems
    Results,
}

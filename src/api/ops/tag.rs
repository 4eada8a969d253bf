//! The groups of operations in the operations document.

use poem_openapi::Tags;

/// A group.
#[derive(Tags)]
pub enum Tag {
    /// 任务 Jobs and their attempts
    Jobs,
    /// 通道 Lanes and what waits in them
    Lanes,
}

//! The groups of operations in the mobile document.

use poem_openapi::Tags;

/// A group.
#[derive(Tags)]
pub enum Tag {
    /// 登录与退出 Signing in and out
    Sessions,
    /// 本人 The person who is signed in
    Me,
    /// 设备 Phones and their push tokens
    Devices,
    /// 消息订阅 Consent to messages
    Consents,
    /// 地址簿 The address book
    Addresses,
    /// 草稿 Applications that are being filled in
    Drafts,
    /// 上传 Files to hand in
    Uploads,
    /// 办件 Cases and their way
    Cases,
    /// 消息 The inbox
    Notifications,
    /// 动态 What changed, as it happens
    Changes,
}

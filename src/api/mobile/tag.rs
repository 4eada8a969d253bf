use poem_openapi::Tags;

#[derive(Tags)]
pub enum MobileTag {
    /// 事项目录 · Items
    Items,
    /// 登录与退出 · Sign-in and sign-out
    Sessions,
    /// 本人 · The signed-in person
    Me,
    /// 设备 · Devices and their push tokens
    Devices,
    /// 消息订阅 · Consents to messages
    Consents,
    /// 地址簿 · The address book
    Addresses,
    /// 草稿 · Drafts
    Drafts,
    /// 上传 · Uploads
    Uploads,
    /// 办件 · Cases and their progress
    Cases,
    /// 消息 · Notifications
    Notifications,
    /// 动态 · Changes as they happen
    Changes,
}

use poem_openapi::Tags;

#[derive(Tags)]
pub enum StaffTag {
    /// 登录与退出 · Sign-in and sign-out
    Sessions,
    /// 办件 · Cases of the agency
    Cases,
    /// 寄递 · Parcels of the cases
    Parcels,
}

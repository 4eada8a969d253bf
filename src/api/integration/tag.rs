use poem_openapi::Tags;

#[derive(Tags)]
pub enum IntegrationTag {
    /// 访问令牌 · Access tokens
    Token,
    /// 办理结果 · Results of other systems
    Results,
}

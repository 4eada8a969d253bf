//! stub until merged
/// stub
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Application {
    /// f
    pub form: serde_json::Value,
}

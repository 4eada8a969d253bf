//! 204: done, with nothing to show.

use poem_openapi::ApiResponse;

#[derive(Debug, ApiResponse)]
pub enum Done {
    /// 成功 · Done
    #[oai(status = 204)]
    NoContent,
}

//! The response 204: the operation succeeded, and there is no body.

use poem_openapi::ApiResponse;

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;

#[derive(Debug, ApiResponse)]
pub enum Done {
    /// 成功 · Done
    #[oai(status = 204)]
    NoContent,
}

impl Done {
    pub fn if_found(found: bool) -> Result<Self, Problem> {
        if found { Ok(Self::NoContent) } else { Err(Code::NotFound.into()) }
    }
}

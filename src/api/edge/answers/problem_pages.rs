//! The JSON pages that explain problem codes, at the URL in the `type` of a problem: `/problems/not_found` for one
//! code, `/problems` for all.

use poem::web::Path;
use poem::{Response, Route, get, handler};
use serde_json::{Value, json};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::fixed::Fixed;
use crate::api::edge::answers::problem::Problem;

fn page(code: Code) -> Value {
    json!({ "type": code.uri(), "code": code.as_str(), "status": code.status().as_u16(), "title": code.titles() })
}

#[handler]
fn one(Path(word): Path<String>) -> Result<Response, Problem> {
    let code = Code::find(&word).ok_or(Code::NotFound)?;
    Ok(Response::builder().content_type("application/json").body(page(code).to_string()))
}

pub fn route() -> Route {
    let all = json!({ "data": Code::ALL.iter().copied().map(page).collect::<Vec<_>>() });
    Route::new().at("/problems", get(Fixed::new("application/json", all.to_string()))).at("/problems/:code", get(one))
}

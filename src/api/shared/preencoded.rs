//! JSON responses that are encoded once, and sent from memory.

use std::marker::PhantomData;

use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::types::{ToJSON, Type};

use crate::api::edge::answers::fixed::Fixed;
use crate::api::edge::answers::resource::{TAG, meta};

/// The JSON encoding of a `T`. Clones share the bytes.
pub struct Preencoded<T> {
    json: Fixed,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Preencoded<T> {
    fn clone(&self) -> Self {
        Self { json: self.json.clone(), of: PhantomData }
    }
}

impl<T> Preencoded<T> {
    /// `json` must be the JSON encoding of a `T`.
    pub fn new(json: impl Into<bytes::Bytes>) -> Self {
        Self { json: Fixed::new("application/json", json), of: PhantomData }
    }
}

impl<T: ToJSON> From<T> for Preencoded<T> {
    fn from(value: T) -> Self {
        Self::new(value.to_json_string())
    }
}

impl<T> IntoResponse for Preencoded<T> {
    fn into_response(self) -> Response {
        self.json.response()
    }
}

impl<T: Type + ToJSON> ApiResponse for Preencoded<T> {
    fn meta() -> MetaResponses {
        meta::<T>(200, "成功 · Success", &[TAG])
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

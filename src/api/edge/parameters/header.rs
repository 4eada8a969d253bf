//! Request headers as parameters of operations.

/// Implements header parameters. Each line of the macro's input names a type, the value of `required` in the OpenAPI
/// documents, the schema, and the function that reads the header. The OpenAPI documents get the name of the header from
/// the name of the argument ([`crate::api::edge::openapi`]).
macro_rules! header_parameters {
    ($($name:ident, required = $required:literal, $schema:expr, $read:expr;)*) => {$(
        impl<'a> poem_openapi::ApiExtractor<'a> for $name {
            const TYPES: &'static [poem_openapi::ApiExtractorType] = &[poem_openapi::ApiExtractorType::Parameter];
            const PARAM_IS_REQUIRED: bool = $required;
            type ParamType = String;
            type ParamRawType = String;

            fn param_in() -> Option<poem_openapi::registry::MetaParamIn> {
                Some(poem_openapi::registry::MetaParamIn::Header)
            }

            fn param_schema_ref() -> Option<poem_openapi::registry::MetaSchemaRef> {
                Some(poem_openapi::registry::MetaSchemaRef::Inline(Box::new($schema)))
            }

            async fn from_request(
                request: &'a poem::Request,
                _: &mut poem::RequestBody,
                _: poem_openapi::ExtractParamOptions<String>,
            ) -> poem::Result<Self> {
                let read: fn(&poem::http::HeaderMap) -> Result<Self, Problem> = $read;
                Ok(read(request.headers())?)
            }
        }
    )*};
}

pub(super) use header_parameters;

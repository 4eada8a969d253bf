//! A file in a form (`multipart/form-data`). While it arrives, it is sealed on the disk ([`Spool`]). poem-openapi's own
//! type would write it there as it is.

use std::borrow::Cow;

use poem::web::Field;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromMultipartField, ParseResult, Type};
use tokio::io::AsyncRead;

use crate::api::edge::parameters::plain_type::plain_type;
use crate::domain::application::upload::plain_name;
use crate::domain::kernel::private::Private;
use crate::files::spool::Spool;

pub struct SpooledFile {
    /// The name that the client sent, without folders.
    pub name: Private<String>,
    pub content: Spool,
}

impl Type for SpooledFile {
    plain_type!();

    fn name() -> Cow<'static, str> {
        "string_binary".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")))
    }
}

impl ParseFromMultipartField for SpooledFile {
    async fn parse_from_multipart(field: Option<Field>) -> ParseResult<Self> {
        let field = field.ok_or_else(ParseError::expected_input)?;
        let name = Private::new(plain_name(field.file_name().unwrap_or_default()));
        let content: Box<dyn AsyncRead + Send + Unpin> = Box::new(Box::pin(field.into_async_read()));
        Ok(Self { name, content: Spool::fill(content).await.map_err(ParseError::custom)? })
    }
}

//! Examples of types for the OpenAPI documents.

/// Implements [`poem_openapi::types::Example`]: `example!(NewCase { draft: DraftId::from_uuid(EXAMPLE) });`.
macro_rules! example {
    ($name:ident { $($members:tt)* }) => {
        impl poem_openapi::types::Example for $name {
            fn example() -> Self {
                Self { $($members)* }
            }
        }
    };
}

pub(in crate::api) use example;

//! Macros that declare types for names, codes and numbers. Each type wraps a text, so that the compiler notices if two
//! kinds are mixed up.

/// Implements `as_str` and `Display` for a type that wraps a text.
macro_rules! shown {
    ($name:ident) => {
        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Declares types for codes that others assign: the catalogue, a gateway, a carrier. `new` accepts any text, and does
/// not check that the code exists.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);
        $crate::domain::kernel::shown::shown!($name);

        impl $name {
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
        }
    )+};
}

pub(in crate::domain) use codes;
pub(in crate::domain) use shown;

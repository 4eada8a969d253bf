//! Names, codes and numbers: each is a type of its own around a text, so that the compiler keeps them apart. All of
//! them are displayed as that text.

/// Implements `as_str` and `Display` for a type around a text.
macro_rules! shown {
    ($name:ident) => {
        impl $name {
            #[must_use]
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

pub(in crate::domain) use shown;

//! Classifies an answer or error of Redis by what it means for the connection.

use redis::{RedisError, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The connection works, even if the answer is an error of another kind.
    None,
    /// No answer came in time.
    Silent,
    /// The connection cannot be used any more: it broke, or its server became a replica.
    Broken,
    /// The node refused the command, because another node has the key or will soon have it, or because the cluster is
    /// down.
    Redirected,
}

impl ErrorClass {
    pub fn of(answer: Result<&[Value], &RedisError>) -> Self {
        let code = match answer {
            Ok(values) => values.iter().find_map(|value| match value {
                Value::ServerError(error) => Some(error.code()),
                _ => None,
            }),
            Err(error) => error.code(),
        };
        match (code, answer) {
            (Some("READONLY" | "MASTERDOWN" | "UNBLOCKED"), _) => Self::Broken,
            (Some("MOVED" | "ASK" | "CLUSTERDOWN" | "TRYAGAIN"), _) => Self::Redirected,
            (None, Err(error)) if error.is_timeout() => Self::Silent,
            (None, Err(error)) if error.is_unrecoverable_error() || error.is_io_error() => Self::Broken,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn only_errors_of_the_connection_have_a_class() {
        let refused = |code: &str| redis::parse_redis_value(format!("-{code} of words\r\n").as_bytes()).unwrap();
        for (code, class) in [
            ("READONLY", ErrorClass::Broken),
            ("MOVED", ErrorClass::Redirected),
            ("CLUSTERDOWN", ErrorClass::Redirected),
            ("NOGROUP", ErrorClass::None),
            ("NOSCRIPT", ErrorClass::None),
            ("OOM", ErrorClass::None),
        ] {
            let answer = [Value::Okay, refused(code)];
            assert_eq!(ErrorClass::of(Ok(&answer)), class, "{code}");
            let error = refused(code).extract_error().unwrap_err();
            assert_eq!(ErrorClass::of(Err(&error)), class, "{code}");
        }
        assert_eq!(ErrorClass::of(Ok(&[Value::Nil])), ErrorClass::None);
        for (kind, class) in [
            (io::ErrorKind::TimedOut, ErrorClass::Silent),
            (io::ErrorKind::ConnectionRefused, ErrorClass::Broken),
            (io::ErrorKind::UnexpectedEof, ErrorClass::Broken),
            (io::ErrorKind::HostUnreachable, ErrorClass::Broken),
        ] {
            assert_eq!(ErrorClass::of(Err(&io::Error::from(kind).into())), class, "{kind:?}");
        }
    }
}

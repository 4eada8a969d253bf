//! What an answer tells of the way on which it came, whatever it says to who asked.

use redis::{RedisError, Value};

/// What is to be learned from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::queue) enum Lesson {
    /// Nothing: a server answered, if only that it will not.
    None,
    /// There was no answer in time.
    Silent,
    /// The connection is of no use any more: it broke, or its server became a replica.
    Broken,
    /// Another node of the cluster holds what was asked for, or will soon.
    Elsewhere,
}

impl Lesson {
    /// What this answer tells.
    pub(in crate::queue) fn of(answer: Result<&[Value], &RedisError>) -> Self {
        let refusal = match answer {
            Ok(values) => values.iter().find_map(|value| match value {
                Value::ServerError(refusal) => Some(refusal.code()),
                _ => None,
            }),
            Err(error) => error.code(),
        };
        match (refusal, answer) {
            (Some("READONLY" | "MASTERDOWN" | "UNBLOCKED"), _) => Self::Broken,
            (Some("MOVED" | "ASK" | "CLUSTERDOWN" | "TRYAGAIN"), _) => Self::Elsewhere,
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
    fn only_what_concerns_the_way_is_learned() {
        let refused = |code: &str| redis::parse_redis_value(format!("-{code} of words\r\n").as_bytes()).unwrap();
        for (code, lesson) in [
            ("READONLY", Lesson::Broken),
            ("MOVED", Lesson::Elsewhere),
            ("CLUSTERDOWN", Lesson::Elsewhere),
            ("NOGROUP", Lesson::None),
            ("NOSCRIPT", Lesson::None),
            ("OOM", Lesson::None),
        ] {
            let answer = [Value::Okay, refused(code)];
            assert_eq!(Lesson::of(Ok(&answer)), lesson, "{code}");
            let error = refused(code).extract_error().unwrap_err();
            assert_eq!(Lesson::of(Err(&error)), lesson, "{code}");
        }
        assert_eq!(Lesson::of(Ok(&[Value::Nil])), Lesson::None);
        for (kind, lesson) in [
            (io::ErrorKind::TimedOut, Lesson::Silent),
            (io::ErrorKind::ConnectionRefused, Lesson::Broken),
            (io::ErrorKind::UnexpectedEof, Lesson::Broken),
            (io::ErrorKind::HostUnreachable, Lesson::Broken),
        ] {
            assert_eq!(Lesson::of(Err(&io::Error::from(kind).into())), lesson, "{kind:?}");
        }
    }
}

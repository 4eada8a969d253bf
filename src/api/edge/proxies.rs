//! The reverse proxies before this process, and the address of a caller behind them.

use std::str::FromStr;

use poem::http::{HeaderMap, HeaderName, header};
use poem::web::RemoteAddr;
use poem::{Addr, Request};

use crate::domain::kernel::network::CallerAddress;
use crate::env::Env;

/// Our own reverse proxies. Each one adds the address of its caller to the right end of one header. Entries further
/// left are text of the caller and are not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proxies {
    count: usize,
    header: ProxyHeader,
}

/// The header in which proxies report the addresses of their callers. The other one is not read: a proxy passes it on
/// as the caller wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProxyHeader {
    XForwardedFor,
    /// RFC 7239
    Forwarded,
}

impl ProxyHeader {
    const fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            Self::Forwarded => header::FORWARDED,
        }
    }
}

impl FromStr for ProxyHeader {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err(()),
        }
    }
}

impl Proxies {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let count = env.or(
            "SONGDA_PROXIES",
            "0",
            "how many reverse proxies of ours stand before the API, each adding its caller's address to `SONGDA_PROXY_HEADER`",
        );
        let header = env.or(
            "SONGDA_PROXY_HEADER",
            "x-forwarded-for",
            "header in which our reverse proxies report callers' addresses: `x-forwarded-for`, or `forwarded` (RFC 7239); the other one is ignored",
        );
        Some(Self { count: count?, header: header? })
    }

    pub const fn exist(self) -> bool {
        self.count > 0
    }

    /// Returns the address that our outermost proxy saw, or the peer's address if no proxy reports one. `None` if the
    /// request came over no network.
    pub fn caller(self, request: &Request) -> Option<CallerAddress> {
        self.reported(request.headers()).or_else(|| match request.remote_addr() {
            RemoteAddr(Addr::SocketAddr(peer)) => Some(peer.ip().into()),
            RemoteAddr(_) => None,
        })
    }

    fn reported(self, headers: &HeaderMap) -> Option<CallerAddress> {
        let steps = self.count.checked_sub(1)?;
        let lines = headers.get_all(self.header.name()).iter().rev();
        let entry = lines.flat_map(|line| from_the_right(line.as_bytes(), b',')).nth(steps)?;
        let node = match self.header {
            ProxyHeader::XForwardedFor => std::str::from_utf8(entry).ok()?,
            ProxyHeader::Forwarded => forwarded_for(entry)?,
        };
        node.trim().parse().ok()
    }
}

/// Returns the members of a list, the last one first. It reads from the right, so that text of the caller cannot hide
/// the entries of our proxies: a quotation mark that is never closed, or bytes that are no text.
fn from_the_right(list: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let (before, member) = split_last(rest?, separator);
        rest = before;
        Some(member)
    })
}

/// Splits a list at its last separator that is not between quotation marks.
fn split_last(list: &[u8], separator: u8) -> (Option<&[u8]>, &[u8]) {
    let mut is_quoted = false;
    for (at, letter) in list.iter().enumerate().rev() {
        if *letter == b'"' && !is_escaped(&list[..at]) {
            is_quoted = !is_quoted;
        } else if *letter == separator && !is_quoted {
            return (Some(&list[..at]), &list[at + 1..]);
        }
    }
    (None, list)
}

/// True if the letter after `before` is escaped (RFC 9110 §5.6.4): the number of backslashes at the end is odd.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|letter| **letter == b'\\').count() % 2 == 1
}

/// Returns the value of `for` in an entry of `Forwarded`: `for="[2001:db8::1]:4711";proto=https`. A semicolon between
/// quotation marks separates nothing: our proxy can quote text of the caller in another value, such as `host`.
fn forwarded_for(entry: &[u8]) -> Option<&str> {
    let mut pairs = from_the_right(entry, b';').filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    Some(node.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn caller(count: usize, header: ProxyHeader, values: &[&str]) -> Option<String> {
        let name = header.name();
        let request = values.iter().fold(Request::builder(), |request, value| request.header(&name, *value)).finish();
        Proxies { count, header }.caller(&request).map(|address| address.to_string())
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let at = |count| caller(count, ProxyHeader::XForwardedFor, &["9.9.9.9, 2001:db8:1:2:3::4"]);
        assert_eq!(at(0), None);
        assert_eq!(at(1).as_deref(), Some("2001:db8:1:2:3::4"));
        assert_eq!(at(2).as_deref(), Some("9.9.9.9"));
        assert_eq!(at(3), None);
    }

    #[test]
    fn bytes_of_a_caller_that_are_no_text_do_not_hide_the_entry_of_a_proxy() {
        let value = HeaderValue::from_bytes(b"\xff\xfe, 192.0.2.7").unwrap();
        let request = Request::builder().header("x-forwarded-for", value).finish();
        let proxies = Proxies { count: 1, header: ProxyHeader::XForwardedFor };
        assert_eq!(proxies.caller(&request).unwrap().to_string(), "192.0.2.7");
    }

    #[test]
    fn several_lines_of_a_header_are_one_list() {
        for header in [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded] {
            let values = match header {
                ProxyHeader::XForwardedFor => ["192.0.2.1,192.0.2.2", "192.0.2.3"],
                ProxyHeader::Forwarded => ["for=192.0.2.1,for=192.0.2.2", "for=192.0.2.3"],
            };
            let callers = [1, 2, 3].map(|count| caller(count, header, &values).unwrap());
            assert_eq!(callers, ["192.0.2.3", "192.0.2.2", "192.0.2.1"], "{header:?}");
        }
    }

    #[test]
    fn the_entries_of_rfc_7239_are_read() {
        // §4, §6 and §7.1, and text that a caller made up.
        for (value, expected) in [
            ("for=192.0.2.60;proto=http;by=203.0.113.43", Some("192.0.2.60")),
            ("For=\"[2001:db8:cafe::17]:4711\"", Some("2001:db8:cafe::17")),
            ("for=192.0.2.43, for=198.51.100.17", Some("198.51.100.17")),
            ("by=203.0.113.43;FOR=\"192.0.2.47:80\"", Some("192.0.2.47")),
            ("for=_gazonk", None),
            ("for=unknown", None),
            ("proto=https", None),
            ("for=\"a, for=192.0.2.1", Some("192.0.2.1")),
            ("for=192.0.2.1;ext=\"a, for=9.9.9.9\"", Some("192.0.2.1")),
            // A proxy that passes on the caller's `Host`.
            ("host=\"x;for=9.9.9.9\";for=192.0.2.1", Some("192.0.2.1")),
            (r#"for=192.0.2.1;host="x\";for=9.9.9.9;y=\"""#, Some("192.0.2.1")),
            ("", None),
        ] {
            assert_eq!(caller(1, ProxyHeader::Forwarded, &[value]).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_setting_names_the_header() {
        let mut env = Env::of([("SONGDA_PROXIES", "1"), ("SONGDA_PROXY_HEADER", "Forwarded")]);
        assert_eq!(Proxies::from_env(&mut env), Some(Proxies { count: 1, header: ProxyHeader::Forwarded }));
        let mut env = Env::of([("SONGDA_PROXY_HEADER", "x-real-ip")]);
        assert_eq!((Proxies::from_env(&mut env), env.faults().len()), (None, 1));
    }
}

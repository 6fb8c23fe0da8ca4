//! Addresses: where does a webhook point, and may the node call there?

use http::Uri;

/// Longest address.
const LENGTH_MAX: usize = 500;

/// Where to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Whether the connection is TLS.
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// Path and query.
    pub(super) path: String,
}

/// What is wrong with an address, in both languages.
pub(crate) type Wrong = (&'static str, &'static str);

impl Address {
    /// Reads an address that may be called where `hosts` are permitted: names, or `*.name` for all
    /// below it.
    pub(crate) fn read(url: &str, hosts: &[String]) -> Result<Self, Wrong> {
        if url.len() > LENGTH_MAX {
            return Err(("is longer than 500 bytes", "超过 500 字节"));
        }
        let unread = ("is no http:// or https:// address", "不是 http:// 或 https:// 地址");
        let uri: Uri = url.parse().map_err(|_| unread)?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(unread),
        };
        let authority = uri.authority().ok_or(unread)?;
        if authority.as_str().contains('@') {
            return Err(("must not hold a user name or password", "不得包含用户名或口令"));
        }
        let host = authority.host().trim_matches(['[', ']']).to_ascii_lowercase();
        let permitted = |known: &String| match known.strip_prefix("*.") {
            Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')),
            None => *known == host,
        };
        if host.is_empty() || !hosts.iter().any(permitted) {
            return Err((
                "names a host to which this platform does not deliver",
                "所指主机不在本平台允许投递的范围内",
            ));
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self { tls, host, port, path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_are_called() {
        let hosts = ["oa.example".to_owned(), "*.gov.example".to_owned(), "::1".to_owned()];
        let check = |url: &str, expected: Option<(&str, u16, &str)>| {
            let read = Address::read(url, &hosts).ok();
            let found = read.as_ref().map(|a| (a.host.as_str(), a.port, a.path.as_str()));
            assert_eq!(found, expected, "{url}");
        };
        check("https://oa.example/luqiao?a=b", Some(("oa.example", 443, "/luqiao?a=b")));
        check("http://OA.example:8080", Some(("oa.example", 8080, "/")));
        check("https://a.b.gov.example/", Some(("a.b.gov.example", 443, "/")));
        check("https://[::1]:9/", Some(("::1", 9, "/")));
        for wrong in [
            "https://gov.example/",
            "https://notgov.example/",
            "https://oa.example.evil/",
            "https://oa.example@evil/",
            "https://user:secret@oa.example/",
            "ftp://oa.example/",
            "oa.example",
            "https://",
            "https://127.0.0.1/",
            "",
        ] {
            check(wrong, None);
        }
    }
}

//! Etags: which version of a resource was read? (AIP-154)

/// The etag of a version, with its quotes: `"v7"`.
pub fn etag(version: u64) -> String {
    format!("\"v{version}\"")
}

/// The version in an etag, with or without its quotes. `None` for anything that [`etag`] does
/// not write; an empty etag is `None` too.
pub fn parse_etag(text: &str) -> Option<u64> {
    let bare = match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => text,
    };
    let digits = bare.strip_prefix('v')?;
    let version = digits.parse::<u64>().ok()?;
    // Exactly one text for each version: no sign, no leading zeros.
    (version.to_string() == digits).then_some(version)
}

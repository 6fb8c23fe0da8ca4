//! Loop guard: has this call been here before?
//!
//! A call that one domain makes because of another's carries the domains that it has passed. Two
//! domains that each believe the other to own a name would otherwise pass it to and fro.

use catalog_model::ids::DomainId;
use http::HeaderMap;

/// Metadata with the domains passed so far, first to last, divided by commas.
pub const PATH: &str = "x-luqiao-path";

/// A domain stands twice on the path, or ours stands on it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeated(pub String);

/// Whether the call may enter `domain`.
pub fn check(headers: &HeaderMap, domain: &DomainId) -> Result<(), Repeated> {
    let mut passed = vec![domain.as_str()];
    for value in headers.get_all(PATH) {
        for step in value.to_str().unwrap_or_default().split(',').map(str::trim) {
            if passed.contains(&step) {
                return Err(Repeated(step.to_owned()));
            }
            passed.push(step);
        }
    }
    Ok(())
}

use luqiao_proto::catalog::v1::ListEntriesRequest;

use super::*;

const KEY: [u8; 32] = [7; 32];

fn query(provider: &str) -> [u8; 32] {
    let request = ListEntriesRequest { provider: provider.to_owned(), ..Default::default() };
    query_digest("/luqiao.catalog.v1.CatalogService/ListEntries", "somebody", &request)
}

#[test]
fn a_token_opens_for_its_own_query_only() {
    let token = seal(&KEY, &query("a"), b"next key");
    assert_eq!(open(&KEY, &query("a"), &token), Ok(Some(b"next key".to_vec())));
    let invalid = Err(Refusal::new(Reason::PageTokenInvalid));
    assert_eq!(open(&KEY, &query("b"), &token), invalid, "another query");
    assert_eq!(open(&[8; 32], &query("a"), &token), invalid, "another cluster");
    for damaged in [&token[1..], &token[..token.len() - 1], "AAAA", "!!", &token.to_lowercase()] {
        assert_eq!(open(&KEY, &query("a"), damaged), invalid, "{damaged}");
    }
    assert_eq!(open(&KEY, &query("a"), ""), Ok(None), "the first page");
    assert_ne!(seal(&KEY, &query("a"), b"next key"), token, "sealed anew");
}

#[test]
fn callers_have_queries_of_their_own() {
    let request = ListEntriesRequest::default();
    assert_ne!(query_digest("m", "a", &request), query_digest("m", "b", &request));
    assert_ne!(query_digest("ma", "b", &request), query_digest("m", "ab", &request));
}

#[test]
fn page_sizes() {
    assert_eq!(size(0), Ok(50));
    assert_eq!(size(7), Ok(7));
    assert_eq!(size(9_999), Ok(500));
    let refusal = size(-1).expect_err("negative");
    assert_eq!(
        (refusal.reason, refusal.fields[0].field.as_str()),
        (Reason::FieldInvalid, "page_size")
    );
}

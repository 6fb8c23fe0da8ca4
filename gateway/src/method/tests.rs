use luqiao_proto::{catalog::v1 as catalog, sharing::v1 as sharing};
use prost::Message as _;

use super::*;

fn method(path: &str) -> &'static Method {
    Method::find(&format!("/luqiao.{path}")).expect(path)
}

#[test]
fn every_public_method_has_a_row_that_agrees_with_the_protocol() {
    let mut count = 0;
    for file in public_descriptors().file {
        for service in &file.service {
            for described in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), described.name());
                let found = Method::find(&path).expect(&path);
                let shape = match (described.client_streaming(), described.server_streaming()) {
                    (false, false) => Shape::Unary,
                    (false, true) => Shape::ServerStream,
                    (true, true) => Shape::Bidi,
                    (true, false) => panic!("{path} answers a stream but once"),
                };
                assert_eq!(found.shape, shape, "{path}");
                count += 1;
            }
        }
    }
    assert_eq!(Method::all().count(), count);
}

#[test]
fn what_changes_something_and_may_be_repeated_carries_a_request_id() {
    for method in Method::all().filter(|method| method.changes && !method.is_federation()) {
        assert_eq!(method.repeatable, method.request_id.is_some(), "{}", method.path);
    }
}

#[test]
fn internal_packages_are_not_public() {
    for path in [
        "/luqiao.node.v1.NodeService/Call",
        "/luqiao.node.v1.ProbeService/Put",
        "/luqiao.peer.v1.PeerService/Connect",
        "/",
        "",
    ] {
        assert!(Method::find(path).is_none(), "{path}");
    }
    for file in public_descriptors().file {
        assert!(!INTERNAL.contains(&file.package()), "{}", file.name());
    }
}

#[test]
fn fields_are_read_as_full_decoding_reads_them() {
    let call = sharing::ListRequestsRequest {
        parent: "domains/xiamen".to_owned(),
        page_size: -7,
        page_token: "next".to_owned(),
        due_soon: true,
        state: 3,
    };
    let bytes = call.encode_to_vec();
    let fields = method("sharing.v1.SharingService/ListRequests").fields(&bytes).unwrap();
    assert_eq!(fields, Fields { request_id: None, page_size: Some(-7) });

    let call = catalog::SubmitEntryRequest {
        name: "domains/xiamen/entries/x".to_owned(),
        etag: "\"v1\"".to_owned(),
        request_id: "编号-1".to_owned(),
    };
    let bytes = call.encode_to_vec();
    let fields = method("catalog.v1.CatalogService/SubmitEntry").fields(&bytes).unwrap();
    assert_eq!(fields, Fields { request_id: Some("编号-1"), page_size: None });

    // Stated twice, the last counts; not stated, it is empty.
    let twice = [
        &bytes[..],
        &catalog::SubmitEntryRequest { request_id: "2".to_owned(), ..Default::default() }
            .encode_to_vec(),
    ]
    .concat();
    let fields = method("catalog.v1.CatalogService/SubmitEntry").fields(&twice).unwrap();
    assert_eq!(fields.request_id, Some("2"));
    let fields = method("catalog.v1.CatalogService/SubmitEntry").fields(&[]).unwrap();
    assert_eq!(fields.request_id, Some(""));
}

#[test]
fn whatever_the_bytes_reading_them_does_not_panic() {
    let submit = method("catalog.v1.CatalogService/SubmitEntry");
    let whole = catalog::SubmitEntryRequest {
        name: "domains/xiamen/entries/x".to_owned(),
        etag: "e".to_owned(),
        request_id: "r".repeat(200),
    }
    .encode_to_vec();
    let last_field = whole.len() - 200 - 3;
    for length in 0..whole.len() {
        let read = submit.fields(&whole[..length]);
        if length > last_field {
            assert!(read.is_err(), "cut within request_id at {length}");
        }
    }
    // Every single byte, and every pair of a key and a first byte.
    for first in 0..=255_u8 {
        let _ = submit.fields(&[first]);
        for second in 0..=255_u8 {
            let _ = submit.fields(&[first, second]);
            let _ = submit
                .fields(&[first, second, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        }
    }
    let not_utf8 = [b"\x1a\x02".as_slice(), &[0xc3, 0x28]].concat();
    assert!(submit.fields(&not_utf8).is_err());
}

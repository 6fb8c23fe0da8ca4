//! Reloading: new certificates for new connections, and nothing changed by bad files.

use std::{fs, sync::Arc};

use luqiao_transport::{
    dial::DialError,
    handshake::{Cause, HandshakeFailure},
    tls::{Scope, TlsError, TlsMaterial},
};

use crate::{
    certificates::{Authority, Files, Holder, domain},
    server::{Server, check, dialer, patient, reach},
};

const NODE: &str = "spiffe://xiamen.luqiao/node/1";

#[tokio::test]
async fn a_reload_holds_for_new_connections_on_both_sides() {
    let (old, new) = (Authority::new("Old"), Authority::new("New"));
    let files = Files::write(&old.issue(&Holder::named(NODE)), &[(&old, domain("xiamen"))]);
    let tls = files.load();
    let server = Server::start(Arc::clone(&tls), patient()).await;
    let standing = dialer(Arc::clone(&tls)).connect(&server.target()).await.unwrap();
    check(standing.clone()).await.unwrap();
    let of_old = Files::write(&old.issue(&Holder::named(NODE)), &[(&new, domain("xiamen"))]).load();

    let (certificate, key) = new.issue(&Holder::named("spiffe://xiamen.luqiao/node/2"));
    files.replace(&certificate, &key);
    fs::write(files.path("authority-0.pem"), new.pem()).unwrap();
    let serial = tls.own_certificate().serial;
    tls.reload().unwrap();
    assert_ne!(tls.own_certificate().serial, serial);

    check(standing).await.expect("a connection that stands goes on");
    let name = reach(tls, &server.target()).await.unwrap();
    assert_eq!(name, "spiffe://xiamen.luqiao/node/2");
    let outcome = reach(of_old, &server.target()).await;
    let Err(DialError::Handshake { source: HandshakeFailure { cause, .. }, .. }) = outcome else {
        panic!("the old authority is trusted no more: {outcome:?}");
    };
    assert_eq!(cause, Cause::UnknownAuthority);
}

/// Whether the error is the one that belongs to the bad files.
type Expected = fn(&TlsError) -> bool;

#[test]
fn bad_files_are_named_and_change_nothing() {
    let xiamen = Authority::new("Xiamen");
    let (certificate, key) = xiamen.issue(&Holder::named(NODE));
    let files = Files::write(&(certificate.clone(), key.clone()), &[(&xiamen, Scope::Everyone)]);
    let tls = files.load();
    let before = tls.own_certificate();

    let (_, other_key) = xiamen.issue(&Holder::named(NODE));
    let (expired, expired_key) = xiamen.issue(&Holder::named(NODE).valid(2020, 2021));
    let (malformed, malformed_key) = xiamen.issue(&Holder::named("spiffe://xiamen.luqiao/root"));
    let cut = &certificate[..certificate.len() / 2];
    let table: [(&str, &str, Expected); 7] = [
        (&certificate, &other_key, |e| matches!(e, TlsError::Pair { .. })),
        (&expired, &expired_key, |e| matches!(e, TlsError::Expired { .. })),
        (&malformed, &malformed_key, |e| matches!(e, TlsError::Certificate { .. })),
        (cut, &key, |e| matches!(e, TlsError::Pem { .. })),
        ("", &key, |e| matches!(e, TlsError::NoCertificate { .. })),
        (&certificate, "", |e| matches!(e, TlsError::Pem { .. })),
        (&certificate, &certificate, |e| matches!(e, TlsError::Pem { .. })),
    ];
    for (certificate, key, expected) in table {
        files.replace(certificate, key);
        let error = tls.reload().unwrap_err();
        assert!(expected(&error), "{error:?}");
        assert!(error.to_string().contains(".pem"), "{error} names the file");
        assert_eq!(tls.own_certificate(), before);
    }

    files.replace(&certificate, &key);
    fs::write(files.path("authority-0.pem"), "no authority").unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::NoCertificate { .. })));
    fs::remove_file(files.path("authority-0.pem")).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Pem { .. })));
    assert_eq!(tls.own_certificate(), before);

    fs::write(files.path("authority-0.pem"), xiamen.pem()).unwrap();
    tls.reload().unwrap();
}

#[test]
fn without_authorities_nothing_is_loaded() {
    let xiamen = Authority::new("Xiamen");
    let files = Files::write(&xiamen.issue(&Holder::named(NODE)), &[]);
    let loaded = TlsMaterial::load(files.files.clone());
    assert!(matches!(loaded, Err(TlsError::NoTrust)), "{loaded:?}");
}

use super::*;

fn unhex(text: &str) -> Vec<u8> {
    let text: String = text.split_whitespace().collect();
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

/// GB/T 32918.5-2017, appendix A.2: the recommended curve, "message digest", the usual identity.
const PUBLIC: &str = "04
    09F9DF31 1E5421A1 50DD7D16 1E4BC5C6 72179FAD 1833FC07 6BB08FF3 56F35020
    CCEA490C E26775A5 2DC6EA71 8CC1AA60 0AED05FB F35E084A 6632F607 2DA9AD13";
const SECRET: &str = "3945208F 7B2144B1 3F36E38A C6D39F95 88939369 2860B51A 42FB81EF 4DF7C5B8";
const SIGNATURE: &str = "
    F5A03B06 48D2C463 0EEAC513 E1BB81A1 5944DA38 27D5B741 43AC7EAC EEE720B3
    B1B6AA29 DF212FD8 763182BC 0D421CA1 BB9038FD 1F7F42D4 840B69C4 85BBC1AA";

#[test]
fn sec_03_sm2_accepts_the_example_of_gb_t_32918_and_nothing_near_it() {
    let (public, signature) = (unhex(PUBLIC), unhex(SIGNATURE));
    let check = |public: &[u8], message: &[u8], signature: &[u8]| {
        verify(Suite::Sm3Sm2, public, message, signature)
    };
    assert!(check(&public, b"message digest", &signature));
    assert!(!check(&public, b"message digesu", &signature));
    for at in 0..signature.len() {
        let mut changed = signature.clone();
        changed[at] ^= 1;
        assert!(!check(&public, b"message digest", &changed), "byte {at}");
    }
    let mut other = public.clone();
    *other.last_mut().unwrap() ^= 1;
    assert!(!check(&other, b"message digest", &signature));
    assert!(!check(&public, b"message digest", &signature[..63]));
    assert!(!check(&[], b"message digest", &signature));
    assert!(!verify(Suite::Sha256Ed25519, &public, b"message digest", &signature));
}

#[test]
fn sm2_signs_what_it_accepts() {
    let key = SigningKey::from_slice(SM2_IDENTITY, &unhex(SECRET)).unwrap();
    let key = HeadKey::Sm2(Box::new(key));
    assert_eq!(key.public_key(), unhex(PUBLIC));
    assert_eq!(key.suite(), Suite::Sm3Sm2);
    let signature = key.sign(b"head");
    assert_eq!(signature.len(), 64);
    assert_eq!(signature, key.sign(b"head"));
    assert!(verify(Suite::Sm3Sm2, &key.public_key(), b"head", &signature));
    assert!(!verify(Suite::Sm3Sm2, &key.public_key(), b"heap", &signature));
}

/// RFC 8032 §7.1, test 2.
#[test]
fn ed25519_accepts_the_example_of_rfc_8032() {
    let public = unhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    let signature = unhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
    assert!(verify(Suite::Sha256Ed25519, &public, &[0x72], &signature));
    assert!(!verify(Suite::Sha256Ed25519, &public, &[0x73], &signature));
}

#[test]
fn a_key_of_the_other_suite_is_refused() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let der = pair.serialize_der();
    let key = HeadKey::from_pkcs8(Suite::Sha256Ed25519, &der).unwrap();
    assert!(verify(key.suite(), &key.public_key(), b"head", &key.sign(b"head")));
    assert_eq!(HeadKey::from_pkcs8(Suite::Sm3Sm2, &der).unwrap_err(), NotAKey(Suite::Sm3Sm2));
    assert!(HeadKey::from_pkcs8(Suite::Sha256Ed25519, &[]).is_err());
}

use super::*;

/// Every row of the vectors file: thirteen codes that are right, six that teach a fault.
#[test]
fn vectors() {
    let mut rows = 0;
    for row in
        csv::Reader::from_reader(&include_bytes!("../../data/uscc_vectors.csv")[..]).records()
    {
        let row = row.expect("the vectors are a csv");
        let (code, expect, reason) = (&row[0], &row[2], &row[3]);
        let parsed = code.parse::<CreditCode>();
        match expect {
            "valid" => assert_eq!(parsed.expect(code).as_str(), code),
            "valid_after_uppercase" => {
                assert_eq!(parsed.expect(code).as_str(), code.to_uppercase());
            }
            "invalid" => {
                let fault = parsed.expect_err(code).fault;
                let expected = match reason {
                    "wrong check char" | "transposition" => CreditCodeFault::Check,
                    "17 chars" => CreditCodeFault::Length(17),
                    "forbidden letter I" => CreditCodeFault::Character('I', 10),
                    "forbidden letter O" => CreditCodeFault::Character('O', 10),
                    other => panic!("no fault for `{other}`"),
                };
                assert_eq!(fault, expected, "{code}");
            }
            other => panic!("unknown expectation `{other}`"),
        }
        rows += 1;
    }
    assert_eq!(rows, 19);
}

#[test]
fn names_the_fault() {
    let check = |text: &str, fault| {
        assert_eq!(text.parse::<CreditCode>().expect_err(text).fault, fault, "{text}");
    };
    check("", CreditCodeFault::Length(0));
    check("厦门市数据管理局", CreditCodeFault::Length(8));
    check("B1350200RYN0000102", CreditCodeFault::Authority('B'));
    check("1135X200RYN0000102", CreditCodeFault::Region);
    check("11350200RYN0000202", CreditCodeFault::OrganizationCheck);
    check("11350200RYN00001０2", CreditCodeFault::Character('０', 17));
}

/// Codes that begin with a letter exist (agriculture N, army A, others Y).
#[test]
fn takes_authorities_that_are_letters() {
    for first in ['A', 'N', 'Y'] {
        let body = format!("{first}1350200RYN000010");
        let code = format!("{body}{}", char::from(super::check(body.as_bytes())));
        assert_eq!(code.parse::<CreditCode>().expect("well formed").region(), "350200");
    }
}

/// Any single wrong character and any swap of two neighbours is found.
#[test]
fn finds_single_faults_and_swaps() {
    let code = "91110000600037341L";
    for place in 0..18 {
        for other in ALPHABET {
            let mut bytes: Vec<u8> = code.bytes().collect();
            if bytes[place] == *other {
                continue;
            }
            bytes[place] = *other;
            let text = String::from_utf8(bytes).expect("ASCII");
            assert!(text.parse::<CreditCode>().is_err(), "{text}");
        }
    }
    for place in 0..17 {
        let mut bytes: Vec<u8> = code.bytes().collect();
        if bytes[place] == bytes[place + 1] {
            continue;
        }
        bytes.swap(place, place + 1);
        let text = String::from_utf8(bytes).expect("ASCII");
        assert!(text.parse::<CreditCode>().is_err(), "{text}");
    }
}

#[test]
fn is_stored_as_its_text() {
    let code: CreditCode = "11350200RYN0000102".parse().expect("a vector");
    let bytes = minicbor::to_vec(code).expect("a vector takes any bytes");
    assert_eq!(minicbor::decode::<CreditCode>(&bytes).expect("our bytes"), code);
    assert!(minicbor::decode::<CreditCode>(&minicbor::to_vec("x").expect("bytes")).is_err());
}

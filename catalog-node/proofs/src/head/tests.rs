use super::*;

fn head() -> Head {
    Head {
        domain: "xiamen".parse().unwrap(),
        cluster_id: [0xab; 16],
        generation: 3,
        tree_size: 7,
        root_hash: [0x0f; 32],
        time: UtcMillis(1_789_952_400_000),
        suite: Suite::Sha256Ed25519,
    }
}

#[test]
fn fed_15_a_cosignature_covers_the_whole_head_and_who_cosigned_it_when() {
    let cosignature = Cosignature {
        cosigner: "fujian".parse().unwrap(),
        cosigner_cluster: [1; 16],
        time: UtcMillis(5),
        head: head(),
        suite: Suite::Sm3Sm2,
        signature: Vec::new(),
        certificate: Vec::new(),
    };
    let text = String::from_utf8(cosignature.signed_bytes()).unwrap();
    assert_eq!(
        text,
        "luqiao-cosignature-v1\nfujian\n01010101010101010101010101010101\n5\n\
         luqiao-tree-head-v1\nxiamen\nabababababababababababababababab\n3\n7\n\
         0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f\n1789952400000\nsha256\n"
    );
}

#[test]
fn a_head_of_the_other_suite_says_so_in_its_last_line() {
    let head = Head { suite: Suite::Sm3Sm2, ..head() };
    assert!(head.signed_bytes().ends_with(b"\nsm3\n"));
    assert!(!head.same_ledger(&self::head()));
}

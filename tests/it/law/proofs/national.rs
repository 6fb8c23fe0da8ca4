//! A ledger that is proved with SM3 and SM2, chosen when the cluster was created.

use catalog_node::bootstrap::LedgerHash;
use federation_tests::{federation::Federation, until_answered};
use luqiao::dev::cast::Level;
use luqiao_proto::ledger::v1::GetReceiptRequest;

use super::{RECEIPT, file, luqiao, refused_case, script, text};

/// SEC-03: receipts of such a cluster are proven by the command line, and the script says that it
/// does not know these algorithms; the ledger is archived and verified like any other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_03_a_ledger_with_national_algorithms_is_proven_by_the_command_line() {
    let mut city = Federation::prepare_with(LedgerHash::Sm3).await;
    city.bring_up(&[Level::City]).await;
    let case = refused_case(&city).await;
    let asker = &case.asker;
    let get = GetReceiptRequest { name: case.request.name.clone(), record: None };
    let receipt = until_answered!(asker.ledger().get_receipt(get.clone())).expect("a receipt");
    let head = receipt.tree_head.clone().expect("a head");
    assert_eq!((head.hash_algorithm.as_str(), head.signature_algorithm.as_str()), ("sm3", "sm2"));

    let folder = tempfile::tempdir().expect("a folder");
    let path = text(&file(folder.path(), "receipt.json", RECEIPT, &receipt));
    let trust = text(&city.topology.of(Level::City).trust());
    let verify = ["receipt", "verify", &path, "--trust", &trust];
    let said = luqiao(&city, "city-authority", &verify).well();
    assert_eq!(said.last_object()["name"], case.request.name, "{said:#?}");
    if let Some((code, said)) = script(&["receipt", &path, "--trust", &trust]) {
        assert_eq!(code, 3, "{said}");
    }
    let mut forged = receipt;
    let mut bytes = forged.record.to_vec();
    bytes[40] ^= 1;
    forged.record = bytes.into();
    let path = text(&file(folder.path(), "forged.json", RECEIPT, &forged));
    let verify = ["receipt", "verify", &path, "--trust", &trust];
    assert_eq!(luqiao(&city, "city-authority", &verify).code, Some(1));

    luqiao(&city, "city-authority", &["audit", "verify"]).well();
    luqiao(&city, "city-authority", &["audit", "seal"]).well();
    let export = ["audit", "export", &text(&folder.path().join("archive")), "--trust", &trust];
    luqiao(&city, "city-authority", &export).well();
}

//! Functions that go to another department: who signs, who sees, who provides afterwards?

use federation_tests::{publishing::citation, role::request_id};
use luqiao_proto::{
    catalog::v1::{EntryView, GetEntryRequest, SharingKind},
    relations::v1::{
        ApproveTransferRequest, CosignTransferRequest, DraftTransferRequest, FileTransferRequest,
        FunctionTransfer, GetTransferRequest, ListTransfersRequest, ReturnTransferRequest,
        TransferState,
    },
};

use super::{City, done, fields, nothing, refused};

macro_rules! step {
    ($request:ident, $transfer:expr) => {
        $request {
            name: $transfer.name.clone(),
            etag: $transfer.etag.clone(),
            request_id: request_id(),
        }
    };
}

/// CAT-08: the giving department drafts, the receiving one signs, the authority returns or approves;
/// nobody else learns of it, and the entries have one provider at every moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cat_08_functions_go_to_another_department_by_calls() {
    let city = City::start().await;
    let (giver, receiver, authority) = (&city.provider, &city.other, &city.authority);
    let outsider = &city.outsider;
    let entry = city.listed("企业登记", SharingKind::Unconditional).await;
    let draft = || DraftTransferRequest {
        parent: giver.organization(),
        to: receiver.organization(),
        entries: vec![entry.clone()],
        act: Some(citation()),
        change_date: "2026-09-18".to_owned(),
        request_id: request_id(),
    };
    refused!(CallerNotPermitted, receiver.transfers().draft_transfer(draft()));
    let lawless = DraftTransferRequest { act: None, ..draft() };
    let problem = refused!(FieldInvalid, giver.transfers().draft_transfer(lawless));
    assert_eq!(fields(&problem), ["act"]);
    let elsewhere = entry.replace("xiamen", "fujian");
    let foreign = DraftTransferRequest { entries: vec![entry.clone(), elsewhere], ..draft() };
    let problem = refused!(FieldInvalid, giver.transfers().draft_transfer(foreign));
    assert_eq!(fields(&problem), ["entries[1]"]);
    let timeless = DraftTransferRequest { change_date: "2026-13-01".to_owned(), ..draft() };
    let problem = refused!(FieldInvalid, giver.transfers().draft_transfer(timeless));
    assert_eq!(fields(&problem), ["change_date"]);
    let drafted = done!(giver.transfers().draft_transfer(draft()));
    assert_eq!(drafted.state(), TransferState::Drafted);
    refused!(EntryInTransfer, giver.transfers().draft_transfer(draft()));

    let get = || GetTransferRequest { name: drafted.name.clone() };
    refused!(NotFound, outsider.transfers().get_transfer(get()));
    let list = |state: TransferState| ListTransfersRequest {
        parent: outsider.domain(),
        state: state.into(),
        ..Default::default()
    };
    let any = list(TransferState::Unspecified);
    let seen = done!(outsider.transfers().list_transfers(any));
    assert!(seen.transfers.is_empty(), "{seen:?}");
    assert_eq!(done!(receiver.transfers().get_transfer(get())), drafted);
    let unknown = GetTransferRequest { name: nothing(giver, "functionTransfers") };
    refused!(NotFound, giver.transfers().get_transfer(unknown));

    let cosign = step!(CosignTransferRequest, drafted);
    refused!(CallerNotPermitted, giver.transfers().cosign_transfer(cosign));
    let unread =
        CosignTransferRequest { etag: String::new(), ..step!(CosignTransferRequest, drafted) };
    refused!(EtagMissing, receiver.transfers().cosign_transfer(unread));
    let cosign = step!(CosignTransferRequest, drafted);
    let signed = done!(receiver.transfers().cosign_transfer(cosign));
    assert!(signed.cosigned);
    let late = step!(FileTransferRequest, drafted);
    refused!(EtagMismatch, giver.transfers().file_transfer(late));
    let filed = done!(giver.transfers().file_transfer(step!(FileTransferRequest, signed)));
    assert!(filed.due_time.is_some(), "the authority owes its word: {filed:?}");

    let back = |transfer: &FunctionTransfer, reason: &str| ReturnTransferRequest {
        name: transfer.name.clone(),
        etag: transfer.etag.clone(),
        reason: reason.to_owned(),
        request_id: request_id(),
    };
    refused!(ReasonMissing, authority.transfers().return_transfer(back(&filed, " ")));
    let returned =
        done!(authority.transfers().return_transfer(back(&filed, "缺少移交清单（合成）")));
    assert_eq!((returned.state(), returned.due_time), (TransferState::Returned, None));
    let filed = done!(giver.transfers().file_transfer(step!(FileTransferRequest, returned)));
    let approve = step!(ApproveTransferRequest, filed);
    refused!(CallerNotPermitted, receiver.transfers().approve_transfer(approve));
    let approve = step!(ApproveTransferRequest, filed);
    let approved = done!(authority.transfers().approve_transfer(approve));
    assert_eq!((approved.state(), approved.moved), (TransferState::Completed, 1));

    let read = GetEntryRequest { name: entry.clone(), view: EntryView::Published.into() };
    let now = done!(outsider.catalog().get_entry(read));
    assert_eq!(now.provider, receiver.organization());
    let over = done!(giver.transfers().list_transfers(list(TransferState::Completed)));
    assert_eq!(over.transfers, [approved]);
    let open = done!(giver.transfers().list_transfers(list(TransferState::Filed)));
    assert!(open.transfers.is_empty(), "{open:?}");
}

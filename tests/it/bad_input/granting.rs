//! Grants that cannot be stopped like this, and entries that cannot leave while they are used.

use federation_tests::{
    asking::{content, filing},
    role::request_id,
    until_answered,
};
use luqiao_proto::{
    catalog::v1::{SharingKind, WithdrawEntryRequest},
    sharing::v1::{
        GetGrantRequest, Grant, ListGrantsRequest, SuspendGrantRequest, TerminateGrantRequest,
    },
};

use super::{Stage, refused};

pub(super) async fn refused(stage: &Stage) {
    let press = &stage.press;
    let entry =
        press.put("公交线路信息", SharingKind::Unconditional).await.expect("it is published");
    let asker = &stage.asker;
    let call = filing(asker, &stage.asking_head, content(asker, &entry));
    let case =
        until_answered!(asker.sharing().create_request(call.clone())).expect("granted at once");
    assert!(!case.grant.is_empty(), "an unconditional entry with a standing answer: {case:?}");
    let get = GetGrantRequest { name: case.grant.clone() };
    let grant = until_answered!(asker.sharing().get_grant(get.clone())).expect("a grant");

    let live = WithdrawEntryRequest {
        name: entry.name.clone(),
        etag: press.working(&entry.name).await.expect("it is there").etag,
        reason: "系统下线".to_owned(),
        request_id: request_id(),
    };
    refused!(stage, EntryHasLiveGrants, press.provider, catalog.withdraw_entry(live));

    stopping(stage, &grant).await;

    refused!(stage, NotFound, stage.service.provider, sharing.get_grant(get));
    // One grant more, so that there is a second page.
    let call = filing(asker, &stage.asking_head, content(asker, &entry));
    until_answered!(asker.sharing().create_request(call.clone())).expect("granted at once");
    let list = |entry: &str, page_token: &str| ListGrantsRequest {
        parent: asker.domain(),
        page_size: 1,
        page_token: page_token.to_owned(),
        entry: entry.to_owned(),
        ..Default::default()
    };
    let page = until_answered!(asker.sharing().list_grants(list(&entry.name, ""))).expect("a page");
    assert!(!page.next_page_token.is_empty(), "there is more than one");
    refused!(stage, PageTokenInvalid, asker, sharing.list_grants(list("", &page.next_page_token)));
    refused!(stage, NameInvalid, asker, sharing.list_grants(list(&asker.organization(), "")));
}

fn suspension(grant: &Grant, reason: &str, rectify_by: &str) -> SuspendGrantRequest {
    SuspendGrantRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        reason: reason.to_owned(),
        rectify_by: rectify_by.to_owned(),
        request_id: request_id(),
    }
}

fn termination(grant: &Grant) -> TerminateGrantRequest {
    TerminateGrantRequest {
        name: grant.name.clone(),
        etag: grant.etag.clone(),
        reason: "逾期未整改".to_owned(),
        request_id: request_id(),
    }
}

async fn stopping(stage: &Stage, grant: &Grant) {
    let provider = &stage.press.provider;
    refused!(
        stage,
        TerminationWithoutSuspension,
        provider,
        sharing.terminate_grant(termination(grant))
    );
    refused!(stage, CallerNotPermitted, stage.asker, sharing.terminate_grant(termination(grant)));
    let tomorrow = "2026-09-22";
    let suspend = |reason, date| suspension(grant, reason, date);
    refused!(
        stage,
        CallerNotPermitted,
        stage.asker,
        sharing.suspend_grant(suspend("超范围使用", tomorrow))
    );
    refused!(stage, ReasonMissing, provider, sharing.suspend_grant(suspend(" ", tomorrow)));
    refused!(
        stage,
        FieldInvalid,
        provider,
        sharing.suspend_grant(suspend("超范围使用", "2026-09-21"))
    );
    refused!(stage, FieldInvalid, provider, sharing.suspend_grant(suspend("超范围使用", "明天")));
    let stale = Grant { etag: "\"v77\"".to_owned(), ..grant.clone() };
    refused!(
        stage,
        EtagMismatch,
        provider,
        sharing.suspend_grant(suspension(&stale, "超范围使用", tomorrow))
    );
    let nowhere = Grant {
        name: format!("{}/grants/01JD0000000000000000000001", provider.domain()),
        ..grant.clone()
    };
    refused!(
        stage,
        NotFound,
        provider,
        sharing.suspend_grant(suspension(&nowhere, "超范围使用", tomorrow))
    );

    let call = suspend("超范围使用", tomorrow);
    let suspended = until_answered!(provider.sharing().suspend_grant(call.clone()))
        .expect("the provider may suspend");
    refused!(
        stage,
        GrantStateWrong,
        provider,
        sharing.suspend_grant(suspension(&suspended, "再次", tomorrow))
    );
    refused!(
        stage,
        RectificationRunning,
        provider,
        sharing.terminate_grant(termination(&suspended))
    );
}

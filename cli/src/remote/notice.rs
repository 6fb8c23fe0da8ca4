//! `luqiao notice` and `luqiao webhook`.

use luqiao_proto::work::v1::{
    AckNoticesRequest, ListDeliveriesRequest, ListNoticesRequest, ListWebhooksRequest,
    RegisterWebhookRequest, RemoveWebhookRequest,
};

use crate::{
    args::{
        VersionedChange,
        work::{Notice, Webhook},
    },
    both,
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, column},
};

use super::{Remote, answer};

const NOTICE_COLUMNS: [Column; 5] = [
    column("TIME", "时间", "/time"),
    column("WHAT", "事项", "/text"),
    column("DUE", "期限", "/due_date"),
    column("ABOUT", "对象", "/subject"),
    column("KEY", "幂等键", "/key"),
];

const WEBHOOK_COLUMNS: [Column; 6] = [
    column("NAME", "资源名", "/name"),
    column("URL", "地址", "/url"),
    column("ONLY", "类型", "/kinds"),
    column("ARRIVED", "已送达", "/arrived"),
    column("GIVEN UP", "已放弃", "/given_up"),
    column("UNDER WAY", "投递中", "/under_way/answer"),
];

const DELIVERY_COLUMNS: [Column; 5] = [
    column("RECORD", "记录", "/sequence"),
    column("STATE", "状态", "/state"),
    column("ATTEMPTS", "次数", "/attempts"),
    column("ANSWER", "应答", "/answer"),
    column("TIME", "时间", "/time"),
];

/// `luqiao notice`.
pub async fn run(remote: &Remote, command: Notice) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.work();
    match command {
        Notice::List { from, kinds, page_size } => {
            let request = ListNoticesRequest {
                parent: session.parent(),
                from_place: from,
                kinds: kinds.into_iter().map(i32::from).collect(),
                page_size,
            };
            let list = answer(client.list_notices(session.call(request)).await)?;
            remote.show_page(kind::NOTICE_PAGE, &list, "notices", &NOTICE_COLUMNS)?;
            let through = list.through;
            if list.more {
                remote.output.say(&both!("more: --from {through}", "还有更多：--from {through}"));
            }
            if through > list.acked {
                remote.output.say(&both!(
                    "once dealt with: luqiao notice ack {through}",
                    "处理完毕后：luqiao notice ack {through}"
                ));
            }
        }
        Notice::Ack { through, change } => {
            let request = AckNoticesRequest {
                parent: session.parent(),
                through,
                request_id: remote.attempt(change.request_id),
            };
            let acked = answer(client.ack_notices(session.call(request)).await)?;
            remote.show(kind::NOTICES_ACKED, &acked)?;
        }
    }
    Ok(Exit::Ok)
}

/// `luqiao webhook`.
pub async fn run_webhook(remote: &Remote, command: Webhook) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.work();
    let parent = session.parent();
    match command {
        Webhook::Register { url, kinds, change } => {
            let request = RegisterWebhookRequest {
                parent,
                url,
                kinds: kinds.into_iter().map(i32::from).collect(),
                request_id: remote.attempt(change.request_id),
            };
            let webhook = answer(client.register_webhook(session.call(request)).await)?;
            remote.show(kind::WEBHOOK, &webhook)?;
        }
        Webhook::List => {
            let request = ListWebhooksRequest { parent };
            let list = answer(client.list_webhooks(session.call(request)).await)?;
            remote.show_page(kind::WEBHOOK_LIST, &list, "webhooks", &WEBHOOK_COLUMNS)?;
        }
        Webhook::Deliveries { name } => {
            let request = ListDeliveriesRequest { name };
            let list = answer(client.list_deliveries(session.call(request)).await)?;
            remote.show_page(kind::DELIVERY_LIST, &list, "deliveries", &DELIVERY_COLUMNS)?;
        }
        Webhook::Remove { name, change: VersionedChange { etag, change } } => {
            let etag = if let Some(etag) = etag {
                etag
            } else {
                let request = ListWebhooksRequest { parent };
                let list = answer(client.list_webhooks(session.call(request)).await)?;
                let known = list.webhooks.into_iter().find(|webhook| webhook.name == name);
                known.map_or_else(|| "v1".to_owned(), |webhook| webhook.etag)
            };
            let request_id = remote.attempt(change.request_id);
            let request = RemoveWebhookRequest { name, etag, request_id };
            answer(client.remove_webhook(session.call(request)).await)?;
            remote.output.say(&both!("removed", "已注销"));
        }
    }
    Ok(Exit::Ok)
}

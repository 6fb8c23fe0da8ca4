//! `luqiao cluster`: who the members are, and how they change.
//!
//! Before anything is changed the cluster is asked to check it, and what it would do to the quorum
//! is told. Every change may be repeated: what is so already is no error and changes nothing.

use std::{
    cmp::Reverse,
    io::{self, Write},
};

use catalog_model::reason::{Lang, Reason};
use luqiao_proto::operations::v1::{
    AddMemberRequest, GetStatusRequest, ListMemberChangesRequest, ListMembersRequest,
    ListMembersResponse, Member, PromoteMemberRequest, QuorumEffect, RaiseLevelRequest,
    RemoveMemberRequest, TransferLeaderRequest,
};
use serde_json::{Value, json};

use crate::{
    args::cluster::{Cluster, MemberChange},
    both,
    exit::Exit,
    failure::Failure,
    language::Bilingual,
    message::kind,
    output::{Column, column, write_table},
};

use super::{Remote, answer, session::request_id, whole_json};

mod effect;
mod joining;
mod replacing;

use replacing::Replacing;

const MEMBERS: [Column; 8] = [
    column("NODE", "节点", "/id"),
    column("ENDPOINT", "地址", "/endpoint"),
    column("ROLE", "角色", "/role"),
    column("LEADER", "主节点", "/leader"),
    column("REACHABLE", "可达", "/reachable"),
    column("LAG", "落后", "/lag"),
    column("SNAPSHOT", "快照", "/snapshot"),
    column("LEVEL", "级别", "/level"),
];
const CHANGES: [Column; 7] = [
    column("VERSION", "版本", "/version"),
    column("TIME", "时间", "/time"),
    column("CHANGE", "变更", "/kind"),
    column("NODES", "节点", "/nodes"),
    column("BY", "操作人", "/caller"),
    column("VOTERS", "投票节点", "/voters"),
    column("LEARNERS", "学习节点", "/learners"),
];

/// Does it.
pub async fn run(remote: &Remote, command: Cluster) -> Result<Exit, Failure> {
    match command {
        Cluster::List { domain } => list(remote, domain.as_deref()).await,
        Cluster::Add { node, address, site, change } => {
            let site = site.map(|site| site.to_string()).unwrap_or_default();
            add(remote, node, (address, site), change).await
        }
        Cluster::Promote { node, change } => promote(remote, node, change).await,
        Cluster::Remove { node, change } => remove(remote, node, change).await,
        Cluster::Replace { node, by, address, wait, dry_run } => {
            let replacing = Replacing { out: node.to_string(), by, address, wait };
            if dry_run { replacing.rehearse(remote).await } else { replacing.run(remote).await }
        }
        Cluster::TransferLeader { node, dry_run } => transfer(remote, node, dry_run).await,
        Cluster::History { domain, page } => {
            let request = ListMemberChangesRequest {
                name: remote.parent(domain.as_deref()),
                page_size: page.page_size.unsigned_abs(),
                page_token: page.page_token,
            };
            let mut client = remote.session.operations();
            let call = remote.session.call(request);
            let changes = answer(client.list_member_changes(call).await)?;
            remote.show_page(kind::MEMBER_CHANGE_PAGE, &changes, "changes", &CHANGES)?;
            Ok(Exit::Ok)
        }
        Cluster::RaiseLevel { level, change } => raise(remote, level, change).await,
    }
}

/// How the members are now.
async fn members(remote: &Remote, domain: Option<&str>) -> Result<ListMembersResponse, Failure> {
    let request = ListMembersRequest { name: remote.parent(domain) };
    let mut client = remote.session.operations();
    answer(client.list_members(remote.session.call(request)).await)
}

/// A voter that cannot be reached, and nobody who leads, end as [`Exit::Unhealthy`].
async fn list(remote: &Remote, domain: Option<&str>) -> Result<Exit, Failure> {
    let list = members(remote, domain).await?;
    let value = whole_json(kind::MEMBER_LIST, &list)?;
    remote.output.data(&value, |out, lang| write_members(out, &list, lang))?;
    let led = list.members.iter().any(|member| member.leader);
    let complete = effect::voters(&list.members).all(|member| member.reachable);
    Ok(if led && complete { Exit::Ok } else { Exit::Unhealthy })
}

async fn add(
    remote: &Remote,
    node: u64,
    (endpoint, site): (String, String),
    change: MemberChange,
) -> Result<Exit, Failure> {
    let mut client = remote.session.operations();
    let request = |validate_only, request_id| AddMemberRequest {
        name: remote.parent(None),
        node: node.to_string(),
        endpoint: endpoint.clone(),
        validate_only,
        request_id,
        site: site.clone(),
    };
    let checked = remote.session.call(request(true, request_id()));
    let checked = answer(client.add_member(checked).await)?;
    let mut shown = Shown::of(node, checked.changed, checked.version, checked.effect);
    if shown.begins(remote, &change) {
        let made = remote.session.call(request(false, remote.attempt(change.change.request_id)));
        let made = answer(client.add_member(made).await)?;
        shown.done(made.changed, made.version, made.effect);
    }
    if shown.dry_run {
        return changed(remote, &shown);
    }
    // Said again if it was let in before: whoever repeats the call has not started it yet.
    let list = members(remote, None).await?;
    shown.settings = Some(new_node_settings(remote, node, &list.members).await?);
    changed(remote, &shown)?;
    remote.output.say(&both!(
        "start node {node}; when `luqiao cluster list` shows that it has caught up: luqiao cluster promote {node}",
        "请启动节点 {node}；待 luqiao cluster list 显示其已追上后执行：luqiao cluster promote {node}"
    ));
    Ok(Exit::Ok)
}

async fn promote(remote: &Remote, node: u64, change: MemberChange) -> Result<Exit, Failure> {
    let mut client = remote.session.operations();
    let request = |validate_only, request_id| PromoteMemberRequest {
        name: remote.parent(None),
        node: node.to_string(),
        validate_only,
        request_id,
    };
    let checked = remote.session.call(request(true, request_id()));
    let checked = answer(client.promote_member(checked).await)?;
    let mut shown = Shown::of(node, checked.changed, checked.version, checked.effect);
    if shown.begins(remote, &change) {
        let made = remote.session.call(request(false, remote.attempt(change.change.request_id)));
        let made = answer(client.promote_member(made).await)?;
        shown.done(made.changed, made.version, made.effect);
    }
    changed(remote, &shown)
}

async fn remove(remote: &Remote, node: u64, change: MemberChange) -> Result<Exit, Failure> {
    let mut client = remote.session.operations();
    let request = |validate_only, request_id| RemoveMemberRequest {
        name: remote.parent(None),
        node: node.to_string(),
        validate_only,
        request_id,
    };
    let checked = remote.session.call(request(true, request_id()));
    let checked = answer(client.remove_member(checked).await)?;
    let mut shown = Shown::of(node, checked.changed, checked.version, checked.effect);
    if shown.begins(remote, &change) {
        let made = remote.session.call(request(false, remote.attempt(change.change.request_id)));
        let made = answer(client.remove_member(made).await)?;
        shown.done(made.changed, made.version, made.effect);
    }
    changed(remote, &shown)
}

/// The cluster has no check of its own for this, so what can be seen from outside is looked at.
async fn transfer(remote: &Remote, node: Option<u64>, dry_run: bool) -> Result<Exit, Failure> {
    let list = members(remote, None).await?;
    let leader = list.members.iter().find(|member| member.leader);
    let from = leader.map_or_else(|| "-".to_owned(), |member| member.id.clone());
    let to = successor(&list, node)?;
    let votes = effect::voters(&list.members).count() as u32;
    let (quorum, tolerance) = (list.quorum, list.tolerance);
    let target = to.map_or("-", |member| member.id.as_str());
    let stays = to.is_some_and(|member| member.leader);
    remote.output.say(&if stays {
        both!("node {target} leads already", "节点 {target} 已是主节点")
    } else {
        both!(
            "leader {from} → {target}; voters {votes}, votes to commit {quorum} and voters that may fail \
             {tolerance} stay as they are",
            "主节点 {from} → {target}；投票节点 {votes}、提交所需票数 {quorum}、可容许故障节点 {tolerance} 均不变"
        )
    });
    let mut value = json!({
        "dry_run": dry_run, "changed": !stays, "leader": if dry_run { &from } else { target },
    });
    if dry_run {
        value["to"] = target.into();
    } else if !stays {
        let request = TransferLeaderRequest {
            name: remote.parent(None),
            node: node.map(|node| node.to_string()).unwrap_or_default(),
        };
        let mut client = remote.session.operations();
        let moved = answer(client.transfer_leader(remote.session.call(request)).await)?;
        value["leader"] = moved.leader.into();
        value["term"] = moved.term.into();
    }
    remote.output.resource(&value)?;
    Ok(Exit::Ok)
}

/// Who would lead: the node that is named, else the voter that is most caught up.
fn successor(list: &ListMembersResponse, node: Option<u64>) -> Result<Option<&Member>, Failure> {
    let Some(node) = node else {
        let others = effect::voters(&list.members).filter(|member| {
            !member.leader && member.reachable && !member.receiving_snapshot && member.lag.is_some()
        });
        return Ok(others.max_by_key(|member| Reverse(member.lag)));
    };
    let id = node.to_string();
    let Some(member) = list.members.iter().find(|member| member.id == id) else {
        return Err(Failure::new(
            Exit::NotFound,
            Reason::MemberUnknown.name(),
            both!("node {node} is no member of the cluster", "节点 {node} 不是集群成员"),
        ));
    };
    let unfit =
        |cause: Bilingual| Err(Failure::new(Exit::Conflict, Reason::TransferRefused.name(), cause));
    if member.leader {
        Ok(Some(member))
    } else if member.role != "voter" {
        unfit(both!(
            "node {node} has no vote of its own to lead with",
            "节点 {node} 没有投票权，不能担任主节点"
        ))
    } else if !member.reachable {
        unfit(both!("node {node} is not reached", "节点 {node} 不可达"))
    } else {
        Ok(Some(member))
    }
}

async fn raise(remote: &Remote, level: Option<u32>, change: MemberChange) -> Result<Exit, Failure> {
    let before = members(remote, None).await?.level;
    let mut client = remote.session.operations();
    let request = |validate_only, request_id| RaiseLevelRequest {
        name: remote.parent(None),
        level: level.unwrap_or(0),
        validate_only,
        request_id,
    };
    let checked = remote.session.call(request(true, request_id()));
    let mut raised = answer(client.raise_level(checked).await)?;
    let to = raised.level;
    if raised.changed {
        remote.output.say(&both!(
            "level {before} → {to}; the quorum stays as it is; programs that know only level {before} cannot join \
             any more",
            "命令级别 {before} → {to}；法定人数不变；仅支持级别 {before} 的程序此后不能加入"
        ));
        if !change.dry_run {
            let made = request(false, remote.attempt(change.change.request_id));
            raised = answer(client.raise_level(remote.session.call(made)).await)?;
        }
    } else {
        remote.output.say(&nothing_to_do());
    }
    let value = json!({
        "dry_run": change.dry_run, "changed": raised.changed, "level_before": before,
        "level": raised.level,
    });
    remote.output.resource(&value)?;
    Ok(Exit::Ok)
}

/// What is shown of a change of the members.
#[derive(Debug, Default)]
struct Shown {
    node: String,
    dry_run: bool,
    changed: bool,
    version: u64,
    effect: Option<QuorumEffect>,
    /// What the new node has to be told.
    settings: Option<String>,
}

impl Shown {
    fn of(node: u64, changed: bool, version: u64, effect: Option<QuorumEffect>) -> Self {
        Self { node: node.to_string(), changed, version, effect, ..Default::default() }
    }

    /// Tells what the change will do. Whether it is to be made.
    fn begins(&mut self, remote: &Remote, change: &MemberChange) -> bool {
        self.dry_run = change.dry_run;
        if !self.changed || self.dry_run {
            return false;
        }
        if let Some(effect) = &self.effect {
            remote.output.say(&effect::sentence(effect));
            if let Some(warning) = effect::warning(effect) {
                remote.output.say(&warning);
            }
        }
        true
    }

    /// The change was made, by this call or meanwhile by another.
    fn done(&mut self, changed: bool, version: u64, effect: Option<QuorumEffect>) {
        (self.changed, self.version) = (changed, version);
        self.effect = effect.or(self.effect.take());
    }
}

/// Shows what was, or would be, changed.
fn changed(remote: &Remote, shown: &Shown) -> Result<Exit, Failure> {
    let mut value = json!({
        "node": shown.node,
        "dry_run": shown.dry_run,
        "changed": shown.changed,
        "version": shown.version,
    });
    if let Some(effect) = &shown.effect {
        value["effect"] = whole_json(kind::QUORUM_EFFECT, effect)?;
    }
    if let Some(settings) = &shown.settings {
        value["configuration"] = settings.as_str().into();
    }
    remote.output.data(&value, |out, lang| write_change(out, shown, lang))?;
    Ok(Exit::Ok)
}

fn write_change(out: &mut dyn Write, shown: &Shown, lang: Lang) -> io::Result<()> {
    let mut line = |words: &Bilingual| writeln!(out, "{}", words.text(lang));
    let version = shown.version;
    if !shown.changed {
        line(&nothing_to_do())?;
    } else if shown.dry_run {
        if let Some(effect) = &shown.effect {
            line(&effect::sentence(effect))?;
            if let Some(warning) = effect::warning(effect) {
                line(&warning)?;
            }
        }
        line(&both!("nothing was changed (--dry-run)", "未作任何变更（--dry-run）"))?;
    } else {
        line(&both!("done; the members are at version {version}", "已完成；成员表版本 {version}"))?;
    }
    if let Some(settings) = &shown.settings {
        let node = &shown.node;
        line(&both!(
            "\nfor the configuration of node {node}, beside its [tls] and [ledger]:\n\n{settings}",
            "\n节点 {node} 的配置（另需 [tls] 与 [ledger]）：\n\n{settings}"
        ))?;
    }
    Ok(())
}

fn nothing_to_do() -> Bilingual {
    both!("it is so already; nothing was to be done", "已处于该状态，无需变更")
}

/// The settings of a new node, for its operator.
async fn new_node_settings(
    remote: &Remote,
    node: u64,
    members: &[Member],
) -> Result<String, Failure> {
    let request = GetStatusRequest { name: remote.parent(None) };
    let mut client = remote.session.operations();
    let status = answer(client.get_status(remote.session.call(request)).await)?;
    Ok(joining::settings(&status.domain, &status.cluster_id, node, members))
}

/// A table to be read at night, and one sentence on what may still happen.
fn write_members(out: &mut dyn Write, list: &ListMembersResponse, lang: Lang) -> io::Result<()> {
    let rows: Vec<Value> = list.members.iter().map(|member| row(member, lang)).collect();
    write_table(out, &rows, &MEMBERS, lang)?;
    writeln!(out)?;
    for sentence in sentences(list) {
        writeln!(out, "{}", sentence.text(lang))?;
    }
    Ok(())
}

fn row(member: &Member, lang: Lang) -> Value {
    let word = |words: &Bilingual| words.text(lang).to_owned();
    json!({
        "id": member.id,
        "endpoint": member.endpoint,
        "role": match member.role.as_str() {
            "voter" => word(&both!("voter", "投票")),
            "learner" => word(&both!("learner", "学习")),
            "leaving" => word(&both!("leaving", "退出中")),
            other => other.to_owned(),
        },
        "leader": if member.leader { "*" } else { "" },
        "reachable": word(&if member.reachable { both!("yes", "是") } else { both!("NO", "否") }),
        "lag": member.lag.map_or_else(|| "?".to_owned(), |lag| lag.to_string()),
        "snapshot": if member.receiving_snapshot {
            word(&both!("receiving", "接收中"))
        } else {
            String::new()
        },
        "level": match member.supported_level {
            0 => "?".to_owned(),
            level => level.to_string(),
        },
    })
}

fn sentences(list: &ListMembersResponse) -> Vec<Bilingual> {
    let votes = effect::voters(&list.members).count();
    let up = effect::voters(&list.members).filter(|member| member.reachable).count();
    let down = votes - up;
    let ListMembersResponse { quorum, tolerance, level, version, .. } = list;
    let mut sentences = Vec::new();
    if !list.members.iter().any(|member| member.leader) {
        sentences
            .push(both!("Nobody leads: nothing can be written.", "当前没有主节点，无法写入。"));
    }
    sentences.push(if down == 0 {
        both!("{tolerance} of {votes} voters may fail.", "{votes} 个投票节点中可容许 {tolerance} 个故障。")
    } else if up >= *quorum as usize {
        both!(
            "{tolerance} of {votes} voters may fail, beside the {down} that cannot be reached.",
            "{votes} 个投票节点中已有 {down} 个不可达，还可容许 {tolerance} 个故障。"
        )
    } else {
        both!(
            "Only {up} of {votes} voters can be reached, and it takes {quorum}: nothing can be written.",
            "{votes} 个投票节点中仅 {up} 个可达，需要 {quorum} 个，无法写入。"
        )
    });
    if list.joint {
        sentences.push(both!(
            "A change is under way: the old and the new voters must both agree until it is finished.",
            "成员变更进行中：完成前须新旧两组投票节点同时同意。"
        ));
    }
    sentences.push(both!(
        "Members at version {version}, commands of level {level}.",
        "成员表版本 {version}，命令级别 {level}。"
    ));
    sentences
}

#[cfg(test)]
mod tests;

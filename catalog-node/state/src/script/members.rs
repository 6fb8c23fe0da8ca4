//! What stories say of the cluster itself: its nodes, its level, what ailed it.

use catalog_model::name::{Resource, ResourceName};

use super::{Line, World, add, instant, line::list};
use crate::{
    command::{Body, MemberChange},
    keys::Table,
    rows::{Member, MemberRole, OutageKind, OutageRow},
};

/// `1,2,3`: voters, each at an address of its own.
pub(super) fn members(text: &str) -> Vec<Member> {
    let member = |id: &String| Member {
        id: number(id),
        address: format!("node-{id}:7001"),
        role: MemberRole::Voter,
        site: None,
    };
    list(text).iter().map(member).collect()
}

fn number(text: &str) -> u64 {
    text.parse().expect("the id of a node")
}

impl World {
    /// `member add 4 [address=node-4:7001] [site=main]`, `member promote|remove 4`, `member replace 3 with=4`,
    /// `member finish`; each with `[version=N] [current=1,2,3]`
    pub(super) fn member(&mut self, line: &Line) {
        let id = || number(&line.subjects[1]);
        let change = match line.subject() {
            "add" => {
                let own = format!("node-{}:7001", id());
                let address = line.or("address", &own).to_owned();
                let site = line.get("site").map(|site| site.parse().expect("a site"));
                MemberChange::AddLearner { id: id(), address, site }
            }
            "promote" => MemberChange::Promote { id: id() },
            "remove" => MemberChange::Remove { id: id() },
            "replace" => {
                MemberChange::Replace { out: id(), replacement: number(line.value("with")) }
            }
            "finish" => MemberChange::Finish,
            word => panic!("`{word}` changes no members"),
        };
        let newest = self.view().members().map_or(0, |members| members.version);
        let version = line.get("version").map_or(newest, number);
        let current = members(line.or("current", ""));
        self.call(line, "node", Body::ChangeMembers { version, change, current });
    }

    /// `raise 2`
    pub(super) fn raise(&mut self, line: &Line) {
        let level = line.subject().parse().expect("a level");
        self.call(line, "node", Body::RaiseLevel { level });
    }

    /// `outage 1 from="2026-09-21 09:00" until="2026-09-21 09:10"`
    pub(super) fn outage(&mut self, line: &Line) {
        let body = Body::RecordOutage {
            node: number(line.subject()),
            kind: OutageKind::DiskNearlyFull,
            from: instant(line.value("from")),
            until: instant(line.value("until")),
        };
        self.call(line, "node", body);
    }

    /// The members, and how they came to be.
    pub(super) fn members_text(&self) -> String {
        let view = self.view();
        let Some(now) = view.members() else { return "no members on record\n".to_owned() };
        let mut text = String::new();
        let joint = if now.joint { ", a change is under way" } else { "" };
        add(&mut text, format_args!("members v{}{joint}", now.version));
        for member in &now.members {
            let site = member.site.as_ref().map_or_else(String::new, |site| format!(", {site}"));
            let (id, role, address) = (member.id, member.role, &member.address);
            add(&mut text, format_args!("  {id} {role:?} at {address}{site}"));
        }
        for row in view.member_changes(None, 100) {
            let about = row.change.nodes();
            let nodes: Vec<String> = about.iter().map(|id| format!(" {id}")).collect();
            add(
                &mut text,
                format_args!(
                    "  v{}: {}{} by {} gives voters {:?}, learners {:?}",
                    row.version,
                    row.change.kind(),
                    nodes.concat(),
                    row.caller,
                    row.voters,
                    row.learners,
                ),
            );
        }
        text
    }

    /// The outages on record.
    pub(super) fn outages(&self) -> String {
        let mut text = String::new();
        for row in self.decoded::<OutageRow>(Table::Outage) {
            add(
                &mut text,
                format_args!(
                    "node {} {:?} from {} until {}",
                    row.node, row.kind, row.from, row.until
                ),
            );
        }
        text
    }

    /// A probe value, and where it was written last.
    pub(super) fn probe_text(&self, key: &str) -> String {
        let row = self.view().probe(key.as_bytes()).expect("a probe value");
        format!("{key} is {} of index {}\n", String::from_utf8_lossy(&row.value), row.index)
    }

    /// The name of the domain itself.
    pub(super) fn domain_name(&self) -> ResourceName {
        ResourceName::new(self.domain(), Resource::Domain)
    }
}

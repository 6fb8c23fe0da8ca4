//! Stories of work: what an organization must do next, what was answered before, what is counted.

use std::fmt::Write as _;

use catalog_model::{ids::WebhookId, name::Resource, reason::Lang};

use super::{Line, World, entries::etag};
use crate::{
    command::{
        Body,
        work::{Attempt, EndedDelivery, WorkCommand},
    },
    notices::NoticeKind,
    statistics::{Period, figures},
    view::View,
    work::{Band, WorkItem},
};

impl World {
    /// `work police`: what it must do, as itself and in the part that it plays.
    pub(super) fn work(&mut self, line: &Line) {
        let organization = self.organization_id(line.subject());
        let view = self.view();
        let owners = view.work_owners(organization);
        let mut items: Vec<WorkItem> =
            owners.iter().flat_map(|owner| view.work_list(owner)).collect();
        items.sort_by_key(|item| (item.band(), item.due, item.since));
        let text: String = items.iter().map(|item| shown(view, item)).collect();
        self.say(if text.is_empty() { "nothing to do" } else { text.trim_end() });
    }

    /// `precedents case2`
    pub(super) fn precedents(&mut self, line: &Line) {
        let name = self.named(line.subject());
        let Resource::Request(id) = name.resource else { panic!("a case has precedents") };
        let view = self.view();
        let case = view.request(&name.domain, id).expect("a case of the story");
        let found = view.precedents(&case, 10, 1000);
        let mut text = String::new();
        for precedent in &found {
            let scenario = if precedent.same_scenario { ", same scenario" } else { "" };
            let (id, state) = (precedent.case.id, precedent.case.state);
            let common = precedent.common_items.len();
            let _ = writeln!(text, "{id} was {state:?}: {common} common item(s){scenario}");
        }
        self.say(if text.is_empty() { "no precedent" } else { text.trim_end() });
    }

    /// `statistics from=2026-09-01 to=2026-09-30`
    pub(super) fn statistics(&mut self, line: &Line) {
        let day = |key: &str| line.get(key).expect("a day").parse().expect("a day");
        let period = Period { from: day("from"), to: day("to") };
        let view = self.view();
        let calendar = view.calendar_in_force().expect("a calendar");
        let told = view.told(None);
        let mut text = String::new();
        for (organization, counted) in figures(told.values(), period, &calendar) {
            let Resource::Organization(id) = organization.resource else { continue };
            let median = counted.median_half_days.map_or("none".to_owned(), |half| {
                format!("{}{}", half / 2, if half % 2 == 0 { "" } else { ".5" })
            });
            let grounds: Vec<_> =
                counted.refused.iter().map(|(ground, count)| format!("{ground}={count}")).collect();
            let _ = writeln!(
                text,
                "{id}: {} answered, {} in time, median {median} working days, {} agreed, {} in \
                 part, refused [{}], {} overdue",
                counted.answered,
                counted.on_time,
                counted.agreed,
                counted.agreed_in_part,
                grounds.join(", "),
                counted.overdue
            );
        }
        self.say(if text.is_empty() { "nothing was answered" } else { text.trim_end() });
    }
}

impl World {
    /// `notices police [from=N] [kinds=CASE_RECEIVED,OVERDUE]`: what it must hear of, from where it
    /// has acked.
    pub(super) fn notices(&mut self, line: &Line) {
        let organization = self.organization_id(line.subject());
        let view = self.view();
        let from = line.get("from").map(|from| from.parse().expect("a place"));
        let from = from.unwrap_or_else(|| view.notices_acked(organization));
        let page = view.notices(organization, &kinds(line), from, 100, 10_000);
        let mut text = String::new();
        for notice in &page.notices {
            let due = notice.due_date.map_or(String::new(), |day| format!(", by {day}"));
            let id = notice.subject.to_string();
            let id = id.rsplit('/').next().unwrap_or_default().to_owned();
            let _ = writeln!(text, "{}: {id}{due}", notice.kind.text(Lang::En));
        }
        self.say(if text.is_empty() { "nothing to hear" } else { text.trim_end() });
    }

    /// `acked police through=N|all`, `webhook hook1 of=police url=… [kinds=…]`, `unhook hook1`,
    /// `delivered hook1 [count=1] [failing=503] [given_up]`. Each takes `by=`.
    pub(super) fn hear(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        let size = self.view().counters().ledger;
        match line.verb.as_str() {
            "acked" => {
                let through = match line.get("through").expect("a place") {
                    "all" => size,
                    place => place.parse().expect("a place"),
                };
                let by = self.system_of(self.organization_id(&alias));
                self.call(line, &by, work(WorkCommand::AckNotices { through }));
            }
            "webhook" => {
                let id = WebhookId::from_bytes(self.draw());
                let of = self.organization_id(line.get("of").expect("an organization"));
                let url = line.or("url", "").to_owned();
                let command = WorkCommand::RegisterWebhook { id, url, kinds: kinds(line) };
                let by = self.system_of(of);
                self.name(&alias, Resource::Webhook(id));
                self.call(line, &by, work(command));
            }
            "unhook" => {
                let id = self.webhook_id(&alias);
                let row = self.view().webhook(id).expect("a webhook of the story");
                let by = self.system_of(row.organization);
                let version = etag(line, row.version);
                self.call(line, &by, work(WorkCommand::RemoveWebhook { id, version }));
            }
            _ => self.delivered(line, &alias),
        }
    }

    /// What a node tells of the next deliveries of a webhook.
    fn delivered(&mut self, line: &Line, alias: &str) {
        let id = self.webhook_id(alias);
        let row = self.view().webhook(id).expect("a webhook of the story");
        let from = line.get("from").map_or(row.through, |from| from.parse().expect("a place"));
        let count = line.get("count").map_or(1, |count| count.parse().expect("a number"));
        let page = self.view().notices(row.organization, &row.kinds, from, count, 10_000);
        let now = self.view().clock();
        let given_up = line.subjects.iter().any(|word| word == "given_up");
        let failing = line.get("failing").map(str::to_owned);
        let over = failing.is_none() || given_up;
        let ended = |sequence| EndedDelivery {
            sequence,
            arrived: !given_up,
            attempts: row.attempt.as_ref().map_or(0, |attempt| attempt.attempts) + 1,
            answer: failing.clone().unwrap_or_else(|| "204".to_owned()),
            time: now,
        };
        let tried = page.notices.first().filter(|_| !over).map(|notice| Attempt {
            sequence: notice.sequence,
            attempts: row.attempt.as_ref().map_or(0, |attempt| attempt.attempts) + 1,
            first_time: row.attempt.as_ref().map_or(now, |attempt| attempt.first_time),
            next_time: now.plus(1_000),
            answer: failing.clone().unwrap_or_default(),
        });
        let command = WorkCommand::RecordDeliveries {
            id,
            from,
            through: if over { page.through } else { from },
            ended: page
                .notices
                .iter()
                .filter(|_| over)
                .map(|notice| ended(notice.sequence))
                .collect(),
            attempt: tried,
        };
        self.call(line, "node", work(command));
    }

    fn webhook_id(&self, alias: &str) -> WebhookId {
        match self.named(alias).resource {
            Resource::Webhook(id) => id,
            other => panic!("`{alias}` is {other:?}"),
        }
    }

    /// One line on a webhook, as a call leaves it.
    pub(super) fn webhook_status(&self, id: WebhookId) -> String {
        let Some(row) = self.view().webhook(id) else { return format!("{id} is gone") };
        let waits = row.attempt.map_or(String::new(), |attempt| {
            format!(", {} attempt(s) at the next ({})", attempt.attempts, attempt.answer)
        });
        let kept = self.view().deliveries(id).len();
        let (arrived, given_up) = (row.arrived, row.given_up);
        format!("{id}: {arrived} arrived, {given_up} given up, {kept} on file{waits}")
    }
}

fn work(command: WorkCommand) -> Body {
    Body::Work(Box::new(command))
}

fn kinds(line: &Line) -> Vec<NoticeKind> {
    let words = line.or("kinds", "").to_owned();
    let words = words.split(',').filter(|word| !word.is_empty());
    let kind = |word: &str| {
        let known = NoticeKind::ALL.iter().find(|kind| kind.word() == word);
        *known.unwrap_or_else(|| panic!("`{word}` is no kind of notice"))
    };
    words.map(kind).collect()
}

fn shown(view: View<'_>, item: &WorkItem) -> String {
    let day = item.due_date().map_or("no day".to_owned(), |day| format!("by {day}"));
    let overdue = if item.is_overdue(view.clock()) { ", overdue" } else { "" };
    let basis = match item.band() {
        Band::Statutory => "law",
        Band::House => "house",
        Band::Undated => "-",
    };
    let rule =
        item.rule.as_ref().map_or(String::new(), |rule| format!(" ({})", rule.cite(Lang::En)));
    let task = item.kind.text(Lang::En);
    let head = if item.needs.is_some() { ", its head consents first" } else { "" };
    let id = item.subject.to_string();
    let id = id.rsplit('/').next().unwrap_or_default();
    format!("{basis}: {day}{overdue}: {task}: {id}{head}{rule}\n")
}

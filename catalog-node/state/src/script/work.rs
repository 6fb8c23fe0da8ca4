//! Stories of work: what an organization must do next, what was answered before, what is counted.

use catalog_model::{name::Resource, reason::Lang};

use super::{Line, World};
use crate::{
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
        let text: String = found
            .iter()
            .map(|precedent| {
                let scenario = if precedent.same_scenario { ", same scenario" } else { "" };
                format!(
                    "{} was {:?}: {} common item(s){scenario}\n",
                    precedent.case.id,
                    precedent.case.state,
                    precedent.common_items.len()
                )
            })
            .collect();
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
            text += &format!(
                "{id}: {} answered, {} in time, median {median} working days, {} agreed, {} in \
                 part, refused [{}], {} overdue\n",
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

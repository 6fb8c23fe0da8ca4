//! iCalendar (RFC 5545): how is a day that is owed written so that every calendar shows it?
//!
//! An item is an all-day event on its last day. Days of the law are days in Asia/Shanghai and have no
//! hour; written as dates they stay that day wherever the calendar is read. The same work has the
//! same UID in every feed, so that a calendar moves what it knows and doubles nothing.

use catalog_model::{
    organization::Organization,
    reason::Lang,
    time::{LocalDate, UtcMillis},
};
use catalog_state::work::{Band, WorkItem};

/// Octets of a line without its end (§3.1).
const LINE_MAX: usize = 75;

/// The calendar of an organization's work; items without a day are left out.
pub(super) fn calendar(
    organization: &Organization,
    items: &[WorkItem],
    clock: UtcMillis,
    lang: Lang,
) -> String {
    let name = match lang {
        Lang::Zh => format!("{} 待办事项", organization.name),
        Lang::En => format!("Work of {}", organization.name),
    };
    let mut text = String::new();
    for (property, value) in [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", "-//Luqiao//Work//EN"),
        ("CALSCALE", "GREGORIAN"),
    ] {
        line(&mut text, property, value);
    }
    line(&mut text, "X-WR-CALNAME", &escaped(&name));
    line(&mut text, "X-WR-TIMEZONE", "Asia/Shanghai");
    for item in items {
        if let Some(day) = item.due_date() {
            event(&mut text, organization, item, day, clock, lang);
        }
    }
    line(&mut text, "END", "VCALENDAR");
    text
}

fn event(
    text: &mut String,
    organization: &Organization,
    item: &WorkItem,
    day: LocalDate,
    clock: UtcMillis,
    lang: Lang,
) {
    let subject = item.subject.to_string();
    let word = item.kind.word().to_ascii_lowercase();
    line(text, "BEGIN", "VEVENT");
    let uid = format!("{word}.{}.{}@luqiao", subject.replace('/', "."), organization.id);
    line(text, "UID", &uid);
    line(text, "DTSTAMP", &instant(clock));
    line(text, "DTSTART;VALUE=DATE", &date(day));
    line(text, "DTEND;VALUE=DATE", &date(day.next()));
    line(text, "SUMMARY", &escaped(&summary(item, clock, lang)));
    line(text, "DESCRIPTION", &escaped(&description(item, lang)));
    let category = match (item.band(), lang) {
        (Band::Statutory, Lang::En) => "statutory",
        (Band::Statutory, Lang::Zh) => "法定期限",
        (_, Lang::En) => "house rule",
        (_, Lang::Zh) => "内部期限",
    };
    line(text, "CATEGORIES", category);
    line(text, "TRANSP", "TRANSPARENT");
    line(text, "END", "VEVENT");
}

fn summary(item: &WorkItem, clock: UtcMillis, lang: Lang) -> String {
    let task = item.kind.text(lang);
    let late = match (item.is_overdue(clock), lang) {
        (false, _) => "",
        (true, Lang::En) => "OVERDUE: ",
        (true, Lang::Zh) => "【逾期】",
    };
    match (item.title.as_str(), lang) {
        ("", _) => format!("{late}{task}"),
        (title, Lang::En) => format!("{late}{task}: {title}"),
        (title, Lang::Zh) => format!("{late}{task}：{title}"),
    }
}

fn description(item: &WorkItem, lang: Lang) -> String {
    let mut lines = Vec::new();
    let mut add = |en: &str, zh: &str, value: &str| {
        if !value.is_empty() {
            lines.push(match lang {
                Lang::En => format!("{en}: {value}"),
                Lang::Zh => format!("{zh}：{value}"),
            });
        }
    };
    add("Case", "案号", &item.number);
    add("Other side", "对方", &item.counterpart);
    let rule = item.rule.as_ref().map_or_else(String::new, |rule| rule.cite(lang));
    add("Rule", "依据", &rule);
    add("Name", "资源名", &item.subject.to_string());
    lines.join("\n")
}

fn date(day: LocalDate) -> String {
    day.to_string().replace('-', "")
}

/// `20260921T010000Z`
fn instant(at: UtcMillis) -> String {
    let seconds = at.0 / 1000 % 86_400;
    let day = LocalDate::from_days((at.0 / 86_400_000) as i32);
    let (hour, minute) = (seconds / 3600, seconds / 60 % 60);
    format!("{}T{hour:02}{minute:02}{:02}Z", date(day), seconds % 60)
}

/// TEXT (§3.3.11): what would end a value is escaped; control characters go.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' | ';' | ',' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text
}

/// A content line, folded between characters so that none has more than 75 octets.
fn line(text: &mut String, property: &str, value: &str) {
    let mut octets = 0;
    for c in property.chars().chain([':']).chain(value.chars()) {
        if octets + c.len_utf8() > LINE_MAX {
            text.push_str("\r\n ");
            octets = 1;
        }
        text.push(c);
        octets += c.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use catalog_model::{
        ids::{DomainId, OrganizationId, RequestId},
        name::{Resource, ResourceName},
        rule::RuleRef,
    };
    use catalog_state::work::{WorkKind, WorkOwner};

    use super::*;

    fn organization() -> Organization {
        Organization {
            id: OrganizationId::from_bytes([1; 16]),
            domain: "xiamen".parse().unwrap(),
            name: "市公安局".to_owned(),
            name_en: String::new(),
            credit_code: None,
            class: None,
            capacities: vec![],
            platform_role: None,
            region_code: String::new(),
            verified: true,
            version: 1,
            created_time: UtcMillis(0),
            updated_time: UtcMillis(0),
        }
    }

    fn item(title: &str, due: &str) -> WorkItem {
        let domain: DomainId = "xiamen".parse().unwrap();
        let id = Resource::Request(RequestId::from_bytes([2; 16]));
        let organization = OrganizationId::from_bytes([1; 16]);
        WorkItem {
            kind: WorkKind::Answer,
            subject: ResourceName::new(domain.clone(), id),
            owner: WorkOwner::Organization(domain, organization),
            due: Some(due.parse::<LocalDate>().unwrap().end()),
            rule: Some(RuleRef::house("HOUSE-reasonable-period")),
            since: UtcMillis(0),
            title: title.to_owned(),
            number: "2026-000001".to_owned(),
            counterpart: "市税务局".to_owned(),
            needs: None,
        }
    }

    /// Unfolded as §3.1 says: a line end and a space vanish.
    fn unfolded(text: &str) -> Vec<String> {
        text.replace("\r\n ", "").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn an_item_is_an_all_day_event_on_its_last_day() {
        // 2026-09-21 09:00 in Shanghai.
        let clock = UtcMillis("2026-09-21".parse::<LocalDate>().unwrap().start().0 + 9 * 3_600_000);
        let text = calendar(&organization(), &[item("机动车", "2026-10-12")], clock, Lang::Zh);
        let lines = unfolded(&text);
        for wanted in [
            "BEGIN:VCALENDAR",
            "DTSTAMP:20260921T010000Z",
            "DTSTART;VALUE=DATE:20261012",
            "DTEND;VALUE=DATE:20261013",
            "SUMMARY:答复共享申请：机动车",
            "CATEGORIES:内部期限",
            "END:VCALENDAR",
        ] {
            assert!(lines.iter().any(|line| line == wanted), "{wanted} is not in {lines:#?}");
        }
        assert_eq!(lines.last().map(String::as_str), Some(""), "a calendar ends in a line end");
        let uid = |text: &str| unfolded(text).into_iter().find(|line| line.starts_with("UID:"));
        let moved = calendar(&organization(), &[item("机动车", "2026-10-19")], clock, Lang::En);
        assert_eq!(uid(&text), uid(&moved), "the same work, whenever it is due");
        let late = UtcMillis(clock.0 + 30 * 86_400_000);
        let text = calendar(&organization(), &[item("机动车", "2026-10-12")], late, Lang::En);
        assert!(text.contains("SUMMARY:OVERDUE: answer the request"), "{text}");
    }

    /// Whatever a title holds: no line is longer than 75 octets, none is cut within a character, and
    /// nothing of it becomes a property of its own.
    #[test]
    fn lines_are_folded_between_characters_and_values_escaped() {
        let title = "数据，;,\\\r\nEND:VEVENT\u{7}".repeat(20);
        let clock = UtcMillis(0);
        let text = calendar(&organization(), &[item(&title, "2026-10-12")], clock, Lang::Zh);
        assert!(text.split("\r\n").all(|line| line.len() <= LINE_MAX), "{text}");
        let lines = unfolded(&text);
        assert_eq!(lines.iter().filter(|line| *line == "END:VEVENT").count(), 1);
        let summary = lines.iter().find_map(|line| line.strip_prefix("SUMMARY:")).unwrap();
        assert!(summary.contains("数据，\\;\\,\\\\\\nEND:VEVENT"), "{summary}");
        assert!(!summary.contains('\u{7}'));
    }
}

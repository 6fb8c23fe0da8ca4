//! What stories say of the law: packs, rulings, calendars, closures, outages, and what they change.

use catalog_model::{
    ids::RulingId,
    name::Resource,
    organization::{DataKind, PartyClass},
    paper_decision::PaperDecision,
    reason::Lang,
    rule_pack::{Pair, RuleKey, RulePack, check, explain_rule},
    share_request::ShareRequest,
    time::LocalDate,
};

use super::{Line, World, add, instant, line::list};
use crate::{
    command::{Body, ClosureEffect, LawCommand},
    law::{CaseOutcome, RulingKind},
    ledger::Fact,
    what_if::{refused_at_once, what_if},
};

/// The lists that come with the product.
const CALENDAR: &str = include_str!("../../../model/data/calendar.csv");

impl World {
    /// `load_rules [set="RULE.field=JSON;…"] [drop=RULE,…] [swap="TEXT=>TEXT"]`: the pack in force
    /// with these changes, quotes written as ';
    /// `load_calendar [add="DATE holiday NAME,…"] [drop=DATE,…] [text=…]`: the lists that ship,
    /// with these changes, or a text of its own;
    /// `ruling r1 continue RULE`, `ruling r1 adapt|choose RULE over=RULE`, each with `[from=] [to=]
    /// [paper=NUMBER]`; `withdraw_ruling r1`;
    /// `closure DATE… document=… [recorded_only]`, `open_again DATE… document=…`;
    /// `platform_outage from=… until=… [source=…]`, `rule_outage case1 counts|excused by=…`;
    /// `what_if since=DATE` with a draft as for `load_rules`; `explain case1`;
    /// `law rules|check|rulings|calendar|work|outages|wanted`, `law late case1`, `law outage case1`,
    /// `law key KEY pair=gov,gov [on=DATE]`.
    pub(super) fn law(&mut self, line: &Line) {
        let clerk = format!("{}.authority.clerk", self.domain());
        let reason = || line.or("reason", "").to_owned();
        let command = match line.verb.as_str() {
            "law" => return self.show_law(line),
            "explain" => return self.explain(line),
            "what_if" => return self.what_if(line),
            "load_rules" => LawCommand::LoadRulePack { text: self.draft(line), reason: reason() },
            "load_calendar" => {
                LawCommand::LoadCalendar { text: calendar_text(line), reason: reason() }
            }
            "ruling" => self.ruling(line),
            "withdraw_ruling" => {
                let ruling = self.named(line.subject());
                LawCommand::WithdrawRuling { ruling, reason: reason() }
            }
            "closure" => LawCommand::DeclareClosure {
                document_number: line.or("document", "").to_owned(),
                days: days(line),
                effect: match line.get("effect") {
                    Some("recorded_only") => ClosureEffect::RecordedOnly,
                    _ => ClosureEffect::NotCounted,
                },
            },
            "open_again" => LawCommand::WithdrawClosure {
                document_number: line.or("document", "").to_owned(),
                days: days(line),
            },
            "platform_outage" => LawCommand::RecordPlatformOutage {
                from: instant(line.value("from")),
                until: instant(line.value("until")),
                second_source: line.or("source", "").to_owned(),
                reason: reason(),
            },
            "rule_outage" => LawCommand::RuleOutage {
                case: self.named(line.subject()),
                counts: line.subjects[1] == "counts",
                reason: reason(),
            },
            verb => panic!("`{verb}` says nothing of the law"),
        };
        self.call(line, &clerk, Body::Law(Box::new(command)));
    }

    fn ruling(&mut self, line: &Line) -> LawCommand {
        let alias = line.subject().to_owned();
        let rule = line.subjects[2].clone();
        let over = || line.value("over").to_owned();
        let kind = match line.subjects[1].as_str() {
            "continue" => RulingKind::ContinueExpired { rule },
            "adapt" => RulingKind::Adapt { rule, over: over() },
            "choose" => RulingKind::Choose { rule, over: over() },
            word => panic!("`{word}` is no ruling"),
        };
        let id = RulingId::from_bytes(self.draw());
        self.name(&alias, Resource::Ruling(id));
        let day = |name| line.get(name).map(|day| day.parse().expect("a date"));
        let decision = line.get("paper").map(|number| PaperDecision {
            document_number: number.to_owned(),
            digest: if line.or("scan", "yes") == "none" { [0; 32] } else { [9; 32] },
            date: day("paper_date").unwrap_or_else(|| self.now.local_date()),
            issuing_body: line.or("issued_by", "the government of the city").to_owned(),
            recorded_for: line.or("recorded_for", "the government of the city").to_owned(),
        });
        let (from, to) = (day("from"), day("to"));
        let reason = line.or("reason", "").to_owned();
        LawCommand::RecordRuling { id, kind, from, to, decision, reason }
    }

    /// The pack in force, without its rulings, with the changes that the line names.
    fn draft(&self, line: &Line) -> String {
        let pack = self.view().pack_in_force().expect("a pack");
        let pack = pack.with_rulings(&[]).expect("its rules stay");
        let mut text = pack.json().to_owned();
        for id in line.list("drop").unwrap_or_default() {
            let (before, _, after) = rule_in(&text, &id);
            text = format!("{}{after}", before.trim_end_matches(','));
        }
        let sets = line.or("set", "").to_owned();
        for set in sets.split(';').filter(|set| !set.is_empty()) {
            let (place, value) = set.split_once('=').expect("RULE.field=value");
            let (id, field) = place.rsplit_once('.').expect("RULE.field");
            let (before, rule, after) = rule_in(&text, id);
            let rule = with_field(rule, field, &value.replace('\'', "\""));
            text = format!("{before}{rule}{after}");
        }
        if let Some((from, to)) = line.get("swap").and_then(|swap| swap.split_once("=>")) {
            let (from, to) = (from.replace('\'', "\""), to.replace('\'', "\""));
            assert!(text.contains(&from), "the pack has no {from}");
            text = text.replacen(&from, &to, 1);
        }
        text
    }

    fn law_case(&self, alias: &str) -> ShareRequest {
        let name = self.named(alias);
        let Resource::Request(id) = name.resource else { panic!("`{alias}` is no request") };
        self.view().request(&name.domain, id).expect("a case known here")
    }

    fn explain(&mut self, line: &Line) {
        let case = self.law_case(line.subject());
        let lines = self.view().explain_deadline(&case);
        for day in lines {
            self.say(day.text(Lang::En));
        }
        let calendar = self.view().calendar_in_force().expect("a calendar");
        if let Some(clock) = &case.answer_clock {
            if let Some(ended) = clock.held_from(&calendar) {
                self.say(format!("the count ended on {ended}, which was over: held"));
            }
            let rule = clock.rule.cite(Lang::En);
            let text = format!("due {} 24:00 ({rule})", clock.due_date);
            self.say(text);
        }
    }

    fn what_if(&mut self, line: &Line) {
        let since: LocalDate = line.value("since").parse().expect("a date");
        let draft = RulePack::parse(&self.draft(line)).expect("a draft that can be read");
        let mut text = String::new();
        {
            let view = self.view();
            let mut cases = what_if(view, &draft, since).expect("a cluster");
            for case in cases.by_ref() {
                let what: Vec<String> =
                    case.what.iter().map(|changed| format!("{changed:?}")).collect();
                add(&mut text, format_args!("{}: {}", case.case, what.join(", ")));
                add(&mut text, format_args!("  was {}", outcome_text(&case.old)));
                add(&mut text, format_args!("  now {}", outcome_text(&case.new)));
            }
            let refused = refused_at_once(view, since);
            let looked_at = cases.looked_at();
            add(
                &mut text,
                format_args!("looked at {looked_at}; {refused} more were refused at once"),
            );
        }
        self.output.push_str(&text);
    }

    fn show_law(&mut self, line: &Line) {
        let view = self.view();
        let mut text = String::new();
        match line.subject() {
            "rules" => {
                let version = view.rule_pack_version().expect("a pack");
                let known = view.rule_pack(version).expect("on file").known_since;
                add(&mut text, format_args!("rule pack v{version}, known since {known}"));
                for edit in view.proposed_edits() {
                    add(&mut text, format_args!("  {} proposed by {}", edit.what, edit.person));
                }
            }
            "check" => {
                let pack = view.pack_in_force().expect("a pack");
                let about = line.get("rule");
                for finding in check(&pack, view.clock().local_date()) {
                    if about.is_none_or(|rule| finding.rule == rule) {
                        let sentence = finding.text(Lang::En);
                        add(&mut text, format_args!("{:?}: {sentence}", finding.severity));
                    }
                }
            }
            "key" => {
                let key = RuleKey::from_name(&line.subjects[1]).expect("a key");
                let class = |word: &str| match word {
                    "gov" => PartyClass::GovernmentDepartment,
                    "service" => PartyClass::PublicServiceOrganization,
                    word => panic!("`{word}` is no class"),
                };
                let (asker, provider) = line.value("pair").split_once(',').expect("a pair");
                let pair = Pair {
                    asker: class(asker),
                    provider: class(provider),
                    data: DataKind::GovernmentData,
                };
                let on = line.get("on").map(|day| day.parse().expect("a date"));
                let on = on.unwrap_or_else(|| view.clock().local_date());
                let pack = view.pack_in_force().expect("a pack");
                let composition = view.cluster().expect("a cluster").composition;
                let explained =
                    explain_rule(&pack, &composition, pair, on, key).expect("a composition");
                for line in explained.lines(Lang::En) {
                    add(&mut text, format_args!("{line}"));
                }
            }
            "rulings" => {
                for row in view.rulings() {
                    let over = row.kind.over().map_or_else(String::new, |o| format!(" over {o}"));
                    let paper = row.decision.as_ref().map_or_else(
                        || "decided here".to_owned(),
                        |paper| format!("{} of {}", paper.document_number, paper.issuing_body),
                    );
                    let end = match (row.withdrawn_time, row.to) {
                        (Some(time), _) => format!("withdrawn {time}"),
                        (None, Some(to)) => format!("until {to}"),
                        (None, None) => "open".to_owned(),
                    };
                    add(
                        &mut text,
                        format_args!(
                            "{} {} {}{over} from {}, {end}, {paper}, pack v{}",
                            row.id,
                            row.kind.name(),
                            row.kind.rule(),
                            row.from,
                            row.pack_version,
                        ),
                    );
                }
            }
            "calendar" => {
                let calendar = view.calendar_in_force().expect("a calendar");
                let years: Vec<String> = calendar.years().map(|year| year.to_string()).collect();
                add(
                    &mut text,
                    format_args!("calendar v{} of {}", calendar.version(), years.join(", ")),
                );
                for (day, document) in calendar.closures() {
                    add(&mut text, format_args!("  {day} closed by {document}"));
                }
            }
            "work" => {
                for work in view.pending_work() {
                    add(
                        &mut text,
                        format_args!(
                            "{} waits: {} looked at, {} changed",
                            work.what.name(),
                            work.looked_at,
                            work.changed,
                        ),
                    );
                }
                if text.is_empty() {
                    text.push_str("no work waits\n");
                }
            }
            "outages" => {
                for row in view.platform_outages() {
                    let source = match (row.nodes.is_empty(), row.second_source.as_str()) {
                        (true, source) => source.to_owned(),
                        (false, _) => format!("nodes {:?}", row.nodes),
                    };
                    add(
                        &mut text,
                        format_args!(
                            "outage {} from {} until {}, by {source}",
                            row.number, row.from, row.until
                        ),
                    );
                }
            }
            "wanted" => {
                for row in view.rulings_wanted(None, 100).rows {
                    add(&mut text, format_args!("{} waits for a ruling", row.case));
                }
                for row in view.late_law_page(None, 100).rows {
                    add(&mut text, format_args!("{} is under law loaded late", row.case));
                }
                if text.is_empty() {
                    text.push_str("nothing waits\n");
                }
            }
            "late" => {
                for row in view.late_law(&self.named(&line.subjects[1])) {
                    let day = |day: Option<LocalDate>| {
                        day.map_or_else(|| "no clock".to_owned(), |day| day.to_string())
                    };
                    let held = if row.held { ", held in the present" } else { "" };
                    add(
                        &mut text,
                        format_args!(
                            "pack v{} became known later: due {} is now {}{held}",
                            row.pack_version,
                            day(row.due_before),
                            day(row.due_after),
                        ),
                    );
                    add(&mut text, format_args!("  was {}", outcome_text(&row.old)));
                    add(&mut text, format_args!("  now {}", outcome_text(&row.new)));
                }
                if text.is_empty() {
                    text.push_str("no law was loaded late for it\n");
                }
            }
            "outage" => match view.outage_ruling(&self.named(&line.subjects[1])) {
                None => text.push_str("no ruling is wanted\n"),
                Some(row) => {
                    let ruled = match (row.ruled, row.by) {
                        (Some(counts), Some(by)) => {
                            let what = if counts { "it counts" } else { "it does not count" };
                            format!("{} ruled that {what}", by.name)
                        }
                        _ => "needs a ruling".to_owned(),
                    };
                    add(
                        &mut text,
                        format_args!("due {}, outages {:?}: {ruled}", row.due_date, row.outages),
                    );
                }
            },
            word => panic!("`law {word}` shows nothing"),
        }
        self.output.push_str(&text);
    }
}

fn days(line: &Line) -> Vec<LocalDate> {
    line.subjects.iter().map(|day| day.parse().expect("a date")).collect()
}

fn calendar_text(line: &Line) -> String {
    if let Some(text) = line.get("text") {
        return format!("date,kind,name,name_zh,weekday,in_lieu\n{}\n", text.replace(';', "\n"));
    }
    let dropped = list(line.or("drop", ""));
    let mut text = String::new();
    for row in CALENDAR.lines().filter(|row| !dropped.iter().any(|day| row.starts_with(day))) {
        add(&mut text, format_args!("{row}"));
    }
    for day in list(line.or("add", "")) {
        let mut parts = day.splitn(3, ' ');
        let (date, kind, name) =
            (parts.next().expect("a date"), parts.next().expect("a kind"), parts.next());
        let name = name.unwrap_or("a holiday");
        let weekday = date.parse::<LocalDate>().expect("a date").weekday();
        add(&mut text, format_args!("{date},{kind},{name},{name},{weekday},0"));
    }
    text
}

/// The pack's text before, of and after a rule.
fn rule_in<'a>(text: &'a str, id: &str) -> (&'a str, &'a str, &'a str) {
    let begin = text.find(&format!("{{\"id\":\"{id}\"")).unwrap_or_else(|| panic!("no rule {id}"));
    let length = value_length(&text[begin..]);
    let (before, rest) = text.split_at(begin);
    let (rule, after) = rest.split_at(length);
    (before, rule, after)
}

/// The rule with a field set, added or (`none`) left out.
fn with_field(rule: &str, field: &str, value: &str) -> String {
    let key = format!("\"{field}\":");
    let Some(at) = rule.find(&key) else {
        return format!("{},{key}{value}}}", &rule[..rule.len() - 1]);
    };
    let from = at + key.len();
    let length = value_length(&rule[from..]);
    if value == "none" {
        return format!("{}{}", rule[..at].trim_end_matches(','), &rule[from + length..]);
    }
    format!("{}{value}{}", &rule[..from], &rule[from + length..])
}

/// How many bytes the JSON value at the beginning of the text takes.
fn value_length(text: &str) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    for (place, c) in text.char_indices() {
        if quoted {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => quoted = false,
                _ => {}
            }
            if !quoted && depth == 0 {
                return place + 1;
            }
            continue;
        }
        match c {
            '"' => quoted = true,
            '{' | '[' => depth += 1,
            '}' | ']' | ',' if depth == 0 => return place,
            '}' | ']' => {
                depth -= 1;
                if depth == 0 {
                    return place + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

fn outcome_text(outcome: &CaseOutcome) -> String {
    if let Some(refusal) = &outcome.refused {
        return format!("refused {}: {}", refusal.reason, refusal.text(Lang::En));
    }
    let rule = |rule: &Option<catalog_model::rule::RuleRef>| {
        rule.as_ref().map_or_else(String::new, |rule| format!(" ({})", rule.cite(Lang::En)))
    };
    let decider = outcome.decider.map_or_else(String::new, |decider| format!("{decider:?}"));
    let decided = format!("{decider} decides{}", rule(&outcome.decider_rule));
    if outcome.at_once {
        return "granted at once".to_owned();
    }
    let due = outcome.due_date.map_or_else(String::new, |day| format!(", due {day}"));
    let late = match outcome.late {
        Some(true) => ", late",
        Some(false) => ", in time",
        None => "",
    };
    let days = outcome.answer_days.unwrap_or_default();
    format!("{decided}, {days} working days{}{due}{late}", rule(&outcome.answer_rule))
}

/// What a fact about the law says beside its kind.
pub(super) fn told(fact: &Fact) -> String {
    let day = |day: &Option<LocalDate>| day.map_or_else(|| "none".to_owned(), |d| d.to_string());
    let held = |held: &bool| if *held { ", held in the present" } else { "" };
    let lifted = |lifted: &bool| if *lifted { ", the order is taken back" } else { "" };
    match fact {
        Fact::RulePackLoaded { version, late_since: Some(since), .. } => {
            format!(" v{version}, which binds since {since},")
        }
        Fact::RulePackLoaded { version, .. } | Fact::CalendarLoaded { version, .. } => {
            format!(" v{version}")
        }
        Fact::LawEditProposed { what, .. } => format!(" of {what}"),
        Fact::RulingRecorded { kind, rule, over, document_number, .. } => {
            let over = over.as_ref().map_or_else(String::new, |over| format!(" over {over}"));
            let paper = document_number.as_ref();
            let paper = paper.map_or_else(String::new, |number| format!(", {number},"));
            format!(" {kind} {rule}{over}{paper}")
        }
        Fact::LawLoadedLate { version, from, to, held: is_held, lifted: is_lifted, .. } => {
            let (from, to) = (day(from), day(to));
            format!(" v{version}, {from} → {to}{}{},", held(is_held), lifted(is_lifted))
        }
        Fact::ClosureDeclared { version, document_number, days, .. }
        | Fact::ClosureWithdrawn { version, document_number, days } => {
            format!(" of {} days, {document_number}, calendar v{version}", days.len())
        }
        Fact::DeadlineRecomputed {
            kind,
            calendar_version,
            from,
            to,
            held: is_held,
            lifted: is_lifted,
        } => format!(
            " {kind:?} {from} → {to} by calendar v{calendar_version}{}{},",
            held(is_held),
            lifted(is_lifted),
        ),
        Fact::PlatformOutageRecorded { number, .. } => format!(" {number}"),
        Fact::OutageRulingWanted { due_date } => format!(" for {due_date}"),
        Fact::OutageRuled { counts } => {
            if *counts { ": it counts," } else { ": it does not count," }.to_owned()
        }
        Fact::RecomputeFinished { what, looked_at, changed } => {
            format!(" of {what}: {looked_at} looked at, {changed} changed,")
        }
        _ => String::new(),
    }
}

//! Stories about the life of a case: opinions, extensions, lateness, windows, disputes, demands.

use catalog_model::{
    dispute::{Coordinator, Dispute},
    ids::{DemandId, DisputeId},
    name::{Resource, ResourceName},
    overdue::HearingOutcome,
    paper_decision::PaperDecision,
    reason::Lang,
    share_request::ShareRequest,
};

use super::{Line, World, add, entries::etag, grant_id, request_id, requests::answer_in};
use crate::{
    command::{
        Body,
        case::{CaseCommand, Filing, MixedPart},
    },
    outcome::Outcome,
};

impl World {
    /// Commands on a case:
    /// `ask_opinion case1`, `propose case1 days=5 [reason=…]`, `consent_to case1`,
    /// `deny case1 reason=…`, `claim case1 text=…`, `rule case1 debtor=police accepted|rejected
    /// reason=…`, `separation on|off reason=…`, `window request|answer|opinion …`,
    /// `dispute d1 case=case1 text=…`, `position d1 text=…`, `minutes d1 agreed|failed text=…`,
    /// `coordinate d1 agreed|failed text=…`, `decide d1 text=…`, `demand n1 title=… text=…`,
    /// `pre_review n1 note=…`, `route n1 to=police note=…`, `confirm|contest n1 note=…`,
    /// `supply n1 entry=plates`, `close n1 reason=…`. Each takes `by=` and `etag=`.
    pub(super) fn case_life(&mut self, line: &Line) {
        match line.verb.as_str() {
            "ask_opinion" | "propose" | "consent_to" | "deny" | "claim" | "rule" => {
                self.case_step(line);
            }
            "separation" => {
                let on = line.subject() == "on";
                let reason = line.or("reason", "").to_owned();
                let caller = format!("{}.authority.system", self.domain());
                self.call_case(line, &caller, CaseCommand::SwitchSeparation { on, reason });
            }
            "mixed" => self.mixed(line),
            "window" => self.window(line),
            "dispute" | "position" | "minutes" | "coordinate" | "decide" => self.dispute(line),
            _ => self.demand(line),
        }
    }

    fn call_case(&mut self, line: &Line, otherwise: &str, command: CaseCommand) -> Outcome {
        self.call(line, otherwise, Body::Case(Box::new(command)))
    }

    fn case_step(&mut self, line: &Line) {
        let (request, case) = self.case(line.subject());
        let version = etag(line, case.version);
        let provider = self.system_of(case.provider.organization);
        let authority = format!("{}.authority.system", self.domain());
        let text = |name: &str| line.or(name, "").to_owned();
        let (caller, command) = match line.verb.as_str() {
            "ask_opinion" => (authority, CaseCommand::AskOpinion { request, version }),
            "propose" => {
                let working_days = line.value("days").parse().expect("a number of days");
                let reason = text("reason");
                let command =
                    CaseCommand::ProposeExtension { request, version, working_days, reason };
                (provider, command)
            }
            "consent_to" | "deny" => {
                let consents = line.verb == "consent_to";
                let reason = text("reason");
                let command = CaseCommand::AnswerExtension { request, version, consents, reason };
                (authority, command)
            }
            "claim" => {
                (provider, CaseCommand::ClaimReason { request, version, text: text("text") })
            }
            _ => {
                let debtor = line
                    .get("debtor")
                    .map_or(case.provider.organization, |alias| self.organization_id(alias));
                let accepted = line.subjects[1] == "accepted";
                let reason = text("reason");
                let command =
                    CaseCommand::RuleOnReason { request, version, debtor, accepted, reason };
                (authority, command)
            }
        };
        self.call_case(line, &caller, command);
    }

    /// `mixed m1 entries=plates,register from=tax [items=…]`: `m1.1`, `m1.2` and their grants.
    fn mixed(&mut self, line: &Line) {
        let asker = line.value("from").to_owned();
        let head = line.get("head").map_or_else(|| format!("{asker}.office"), str::to_owned);
        let mut parts = Vec::new();
        for (place, entry) in line.list("entries").unwrap_or_default().iter().enumerate() {
            let alias = format!("{}.{}", line.subject(), place + 1);
            let (id, grant) = (request_id(self.draw()), grant_id(self.draw()));
            self.name(&alias, Resource::Request(id));
            self.name(&format!("{alias}.grant"), Resource::Grant(grant));
            let mut content = self.request_content(line, &asker, None);
            content.entry = self.named(entry);
            parts.push(MixedPart { id, grant, content });
        }
        let head = (head != "none").then(|| self.person_id(&head));
        let caller = format!("{asker}.system");
        self.call_case(line, &caller, CaseCommand::CreateMixedRequest { parts, head });
    }

    /// `number=… date=… issued=… for=…`, with a digest unless `digest=none`.
    fn paper(&self, line: &Line) -> PaperDecision {
        let today = self.view().clock().local_date();
        PaperDecision {
            document_number: line.or("number", "").to_owned(),
            digest: if line.or("digest", "some") == "none" { [0; 32] } else { [9; 32] },
            date: line.get("date").map_or(today, |date| date.parse().expect("a date")),
            issuing_body: line.or("issued", "").to_owned(),
            recorded_for: line.or("for", "").to_owned(),
        }
    }

    /// `window request case1 from=tax entry=plates …`, `window answer case1 agreed …`,
    /// `window opinion case1 for …`; with `at=` the window and the words of a paper.
    fn window(&mut self, line: &Line) {
        let (what, alias) = (line.subjects[0].clone(), line.subjects[1].clone());
        let grant = grant_id(self.draw());
        let paper = self.paper(line);
        let head = |world: &Self, otherwise: String| {
            let head = line.get("head").map_or(otherwise, str::to_owned);
            (head != "none").then(|| world.person_id(&head))
        };
        let filing = match what.as_str() {
            "request" => {
                let id = request_id(self.draw());
                self.name(&alias, Resource::Request(id));
                let asker = line.value("from").to_owned();
                let content = self.request_content(line, &asker, None);
                let organization = self.organization_id(&asker);
                let head = head(self, format!("{asker}.office"));
                Filing::Request { id, grant, organization, content, head }
            }
            "answer" => {
                let (request, case) = self.case(&alias);
                let version = etag(line, case.version);
                let answer = answer_in(line, &line.subjects[2]);
                let provider = self.system_of(case.provider.organization);
                let head = head(self, provider.replace(".system", ".office"));
                Filing::Answer { request, version, answer, grant, head }
            }
            _ => {
                let (request, case) = self.case(&alias);
                let version = etag(line, case.version);
                let in_favor = line.subjects[2] == "for";
                let text = line.or("text", "").to_owned();
                Filing::Opinion { request, version, in_favor, text }
            }
        };
        let window = line.or("at", "service hall").to_owned();
        let caller = format!("{}.manager.clerk", self.domain());
        let done = self.call_case(
            line,
            &caller,
            CaseCommand::FileOnBehalf { filing: Box::new(filing), paper, window },
        );
        if let Outcome::Done(_) = done {
            let name = ResourceName::new(self.domain(), Resource::Grant(grant));
            self.names.insert(format!("{alias}.grant"), name);
        }
    }

    fn dispute(&mut self, line: &Line) {
        let text = line.or("text", "").to_owned();
        let authority = format!("{}.authority.system", self.domain());
        if line.verb == "dispute" {
            let id = DisputeId::from_bytes(self.draw());
            let (request, case) = self.case(line.value("case"));
            self.name(line.subject(), Resource::Dispute(id));
            let caller = self.system_of(case.requester.organization);
            self.call_case(line, &caller, CaseCommand::RaiseDispute { id, request, text });
            return;
        }
        let dispute = self.named(line.subject());
        let Resource::Dispute(id) = dispute.resource else { panic!("a dispute is meant") };
        let row = self.view().dispute(&dispute.domain, id).expect("a dispute known here");
        let version = etag(line, row.version);
        let paper = line.get("number").is_some().then(|| self.paper(line));
        let agreed = line.subjects.get(1).is_some_and(|word| word == "agreed");
        let (caller, command) = match line.verb.as_str() {
            "position" => {
                let caller = match paper {
                    Some(_) => format!("{}.manager.system", self.domain()),
                    None => self.system_of(row.against.organization),
                };
                (caller, CaseCommand::StatePosition { dispute, version, text, paper })
            }
            "minutes" => {
                let caller = self.system_of(row.raised_by.organization);
                (caller, CaseCommand::EndConsultation { dispute, version, agreed, minutes: text })
            }
            "coordinate" => {
                let minutes = text;
                let command =
                    CaseCommand::CoordinateDispute { dispute, version, agreed, minutes, paper };
                (authority, command)
            }
            _ => {
                let decision = self.paper(line);
                let result = text;
                (authority, CaseCommand::DecideDispute { dispute, version, decision, result })
            }
        };
        self.call_case(line, &caller, command);
    }

    fn demand(&mut self, line: &Line) {
        let manager = format!("{}.manager.system", self.domain());
        if line.verb == "demand" {
            let id = DemandId::from_bytes(self.draw());
            self.name(line.subject(), Resource::Demand(id));
            let title = line.or("title", "").to_owned();
            let text = line.or("text", "").to_owned();
            self.call_case(line, &manager, CaseCommand::FileDemand { id, title, text });
            return;
        }
        let demand = self.named(line.subject());
        let Resource::Demand(id) = demand.resource else { panic!("a demand is meant") };
        let row = self.view().demand(&demand.domain, id).expect("a demand known here");
        let version = etag(line, row.version);
        let note = line.or("note", "").to_owned();
        let provider =
            row.provider.map_or(manager.clone(), |party| self.system_of(party.organization));
        let (caller, command) = match line.verb.as_str() {
            "pre_review" => (manager, CaseCommand::PreReviewDemand { demand, version, note }),
            "route" => {
                let provider = self.organization_id(line.value("to"));
                (manager, CaseCommand::RouteDemand { demand, version, provider, note })
            }
            "confirm" | "contest" => {
                let confirmed = line.verb == "confirm";
                (provider, CaseCommand::AnswerDemand { demand, version, confirmed, note })
            }
            "supply" => {
                let entry = self.named(line.value("entry"));
                (provider, CaseCommand::SupplyDemand { demand, version, entry })
            }
            _ => {
                let reason = line.or("reason", "").to_owned();
                (manager, CaseCommand::CloseDemand { demand, version, reason })
            }
        };
        self.call_case(line, &caller, command);
    }

    /// What a case's file says, a sentence a line; empty where the case has none.
    pub(super) fn file_text(&self, case: &ShareRequest) -> String {
        let mut text = String::new();
        let name = crate::apply::requests::name(case);
        let Some(file) = self.view().case_file(&name) else { return text };
        for filing in &file.filings {
            let (what, paper) = (&filing.what, &filing.paper);
            add(
                &mut text,
                format_args!(
                    "  {what} of {} entered at {} from {} of {}, issued by {} for {}",
                    filing.on_behalf_of.name,
                    filing.window,
                    paper.document_number,
                    paper.date,
                    paper.issuing_body,
                    paper.recorded_for,
                ),
            );
        }
        if let Some(part) = &file.at_once {
            let rule = part.rule.cite(Lang::En);
            add(&mut text, format_args!("  {} granted at once ({rule})", part.items.join(", ")));
        }
        if let Some(asked) = &file.opinion {
            let until = asked.clock.as_ref().map_or_else(
                || "without a limit".to_owned(),
                |clock| format!("until {} ({})", clock.due_date, clock.rule.cite(Lang::En)),
            );
            let silent = if asked.silent { "; it was silent" } else { "" };
            add(&mut text, format_args!("  {} may speak {until}{silent}", case.provider.name));
        }
        if let Some(wanted) = &file.proposal {
            let (days, by, why) = (wanted.working_days, &wanted.by.name, &wanted.reason);
            add(&mut text, format_args!("  {by} asks for {days} more working days: {why}"));
        }
        for denied in &file.denied {
            let (days, why) = (denied.working_days, &denied.reason);
            add(&mut text, format_args!("  no consent to {days} more working days: {why}"));
        }
        if let Some(lapse) = &file.lapse {
            let warned = if lapse.warned { ", warned" } else { "" };
            let (clock, rule) = (&lapse.clock, lapse.clock.rule.cite(Lang::En));
            add(
                &mut text,
                format_args!("  to be completed by {}{warned} ({rule})", clock.due_date),
            );
        }
        for order in &file.orders {
            let (debtor, rule) = (&order.debtor.name, order.rule.cite(Lang::En));
            add(&mut text, format_args!("  {debtor}: {} ({rule})", order.effects.join(", ")));
        }
        if let Some(clock) = &file.hearing_clock {
            let rule = clock.rule.cite(Lang::En);
            add(&mut text, format_args!("  reasons are heard until {} ({rule})", clock.due_date));
        }
        for hearing in &file.hearings {
            let claim = hearing.claim.as_ref().map_or("nothing yet", |claim| claim.text.as_str());
            let ruling = hearing.ruling.as_ref().map_or_else(String::new, |ruling| {
                let accepted = if ruling.accepted { "accepts" } else { "rejects" };
                format!("; {} {accepted} it: {}", ruling.by.name, ruling.reason)
            });
            let outcome = match hearing.outcome {
                None => "",
                Some(HearingOutcome::Counted) => "; counted",
                Some(HearingOutcome::Excused) => "; excused",
            };
            let debtor = &hearing.debtor.name;
            add(&mut text, format_args!("  {debtor} says \"{claim}\"{ruling}{outcome}"));
        }
        text
    }

    /// `show punctuality police month=202610`
    pub(super) fn punctuality_text(&self, line: &Line) -> String {
        let organization = self.organization_id(&line.subjects[1]);
        let month = line.value("month").parse().expect("a month as 202610");
        let count = self.view().punctuality(organization, month).unwrap_or_default();
        format!(
            "{} answered in time, {} late: {} counted, {} excused\n",
            count.on_time, count.late, count.counted, count.excused
        )
    }

    /// A dispute or a demand, a sentence a line.
    pub(super) fn matter_text(&self, name: &ResourceName) -> String {
        let view = self.view();
        let mut text = String::new();
        match name.resource {
            Resource::Dispute(id) => {
                let dispute = view.dispute(&name.domain, id).expect("a dispute known here");
                dispute_text(&dispute, &mut text);
            }
            Resource::Demand(id) => {
                let demand = view.demand(&name.domain, id).expect("a demand known here");
                let owner = demand.owner.map_or("nobody".to_owned(), |owner| owner.name);
                add(
                    &mut text,
                    format_args!(
                        "demand of {} for \"{}\": {:?} at v{}, the next move is {owner}'s",
                        demand.requester.name, demand.title, demand.state, demand.version,
                    ),
                );
                for note in &demand.notes {
                    add(&mut text, format_args!("  {note}"));
                }
            }
            _ => panic!("{name} is neither dispute nor demand"),
        }
        text
    }
}

fn dispute_text(dispute: &Dispute, text: &mut String) {
    add(
        text,
        format_args!(
            "dispute of {} with {}: {:?} at v{} ({})",
            dispute.raised_by.name,
            dispute.against.name,
            dispute.state,
            dispute.version,
            dispute.rule.cite(Lang::En),
        ),
    );
    for position in &dispute.positions {
        add(text, format_args!("  {}: {}", position.by.name, position.text));
    }
    match &dispute.coordinator {
        None => {}
        Some(Coordinator::SameLevel(authority)) => {
            add(text, format_args!("  coordinated by {}", authority.name));
        }
        Some(Coordinator::CommonSuperior) => {
            add(text, format_args!("  coordinated by the common superior authority"));
        }
    }
    for minutes in &dispute.minutes {
        add(text, format_args!("  minutes: {minutes}"));
    }
    if let Some(paper) = &dispute.paper {
        let (number, issued, recorded) =
            (&paper.document_number, &paper.issuing_body, &paper.recorded_for);
        add(text, format_args!("  {number} of {}, {issued}, for {recorded}", paper.date));
    }
}

//! Stories about requests and grants.

use catalog_model::{
    catalog_entry::SharingMethod,
    name::{Resource, ResourceName},
    share_request::{Answer, Commitment, ItemReason, RequestContent, ShareRequest, Term},
    time::LocalDate,
};

use super::{Line, World, entries::etag, grant_id, instant, line::list, request_id};
use crate::{command::Body, outcome::Outcome};

const COMMITMENTS: [Commitment; 6] = [
    Commitment::ScenarioAuthentic,
    Commitment::ScenarioCompliant,
    Commitment::ScenarioSecure,
    Commitment::RequestAuthentic,
    Commitment::RequestLawful,
    Commitment::RequestNecessary,
];

impl World {
    /// `request case1 entry=plates from=hospital [items=a,b] [scenario=…] [duty=…] [term=A..B]
    /// [method=none] [commitments=N] [head=…|none] [system=…] [rows=…] [rate=N] [renews=GRANT]`. `again` repeats a call under the
    /// same name.
    pub(super) fn request(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        let again = line.subjects.iter().any(|word| word == "again");
        let drawn = (request_id(self.draw()), grant_id(self.draw()));
        if !again {
            self.name(&alias, Resource::Request(drawn.0));
        }
        let asker = line.value("from").to_owned();
        let content = self.request_content(line, &asker, None);
        let head = line.get("head").map_or_else(|| format!("{asker}.office"), str::to_owned);
        let body = Body::CreateRequest {
            id: drawn.0,
            grant: drawn.1,
            content,
            consenting_person: (head != "none").then(|| self.person_id(&head)),
        };
        let outcome = self.call(line, &format!("{asker}.system"), body);
        if let Outcome::Done(_) = outcome
            && !again
        {
            self.name(&format!("{alias}.grant"), Resource::Grant(drawn.1));
        }
    }

    pub(super) fn request_content(
        &self,
        line: &Line,
        asker: &str,
        before: Option<&RequestContent>,
    ) -> RequestContent {
        let today = self.view().clock().local_date();
        let entry = line.get("entry").map(|alias| self.named(alias));
        let entry = entry.or_else(|| before.map(|content| content.entry.clone()));
        let several = || self.named(&line.list("entries").expect("a request names its entry")[0]);
        let entry = entry.unwrap_or_else(several);
        let items = line.list("items").or_else(|| before.map(|content| content.items.clone()));
        let system = line.get("system").map_or_else(|| format!("{asker}.system"), str::to_owned);
        let text = |name: &str, before: Option<&String>, otherwise: &str| {
            let otherwise = before.map_or(otherwise, String::as_str);
            line.or(name, otherwise).to_owned()
        };
        let term = match line.get("term") {
            Some("none") => None,
            Some(term) => {
                let (from, to) = term.split_once("..").expect("a term is FROM..TO");
                let day = |text: &str| text.parse::<LocalDate>().expect("a date");
                Some(Term { from: day(from), to: day(to) })
            }
            None => Some(Term { from: today, to: LocalDate::from_days(today.days() + 365) }),
        };
        let made: usize = line.or("commitments", "6").parse().expect("a number of commitments");
        RequestContent {
            entry,
            system: self.system_id(&system),
            scenario: text("scenario", before.map(|c| &c.scenario), "checks at the counter"),
            duty_basis: text("duty", before.map(|c| &c.duty_basis), "its duty to check"),
            items: items.unwrap_or_else(|| vec!["name".to_owned(), "number".to_owned()]),
            item_reasons: line
                .get("item_reason")
                .map(|reason| ItemReason {
                    items: vec!["name".to_owned()],
                    reason: reason.to_owned(),
                })
                .into_iter()
                .collect(),
            row_scope: line.or("rows", "").to_owned(),
            method: (line.or("method", "interface") != "none")
                .then_some(SharingMethod::ServiceInterface),
            term,
            commitments: COMMITMENTS[..made].to_vec(),
            rate_per_day: line.get("rate").map(|rate| rate.parse().expect("calls a day")),
            renews: line.get("renews").map(|grant| self.named(grant)),
        }
    }

    pub(super) fn case(&self, alias: &str) -> (ResourceName, ShareRequest) {
        let name = self.named(alias);
        let Resource::Request(id) = name.resource else { panic!("`{alias}` is no request") };
        let case = self.view().request(&name.domain, id).expect("a case known here");
        (name, case)
    }

    /// The alias of the system of an organization in a case.
    pub(super) fn system_of(&self, organization: catalog_model::ids::OrganizationId) -> String {
        let wanted = Resource::Organization(organization);
        let alias = self.names.iter().find(|(_, name)| name.resource == wanted);
        format!("{}.system", alias.expect("a named organization").0)
    }

    /// `missing case1 what="a;b"` by the provider, `completed case1 [scenario=…]` by the asker.
    pub(super) fn complete(&mut self, line: &Line) {
        let (request, case) = self.case(line.subject());
        let version = etag(line, case.version);
        if line.verb == "missing" {
            let missing = line.or("what", "").split(';').map(str::to_owned).collect();
            let caller = self.system_of(case.provider.organization);
            let body = Body::CompleteRequest { request, version, missing, completed: None };
            self.call(line, &caller, body);
        } else {
            let caller = self.system_of(case.requester.organization);
            let asker = caller.trim_end_matches(".system").to_owned();
            let completed = Some(self.request_content(line, &asker, Some(&case.content)));
            let body = Body::CompleteRequest { request, version, missing: vec![], completed };
            self.call(line, &caller, body);
        }
    }

    /// `opinion case1 for|against [text=…]`
    pub(super) fn opinion(&mut self, line: &Line) {
        let (request, case) = self.case(line.subject());
        let in_favor = line.subjects[1] == "for";
        let text = line.or("text", "").to_owned();
        let version = etag(line, case.version);
        let caller = self.system_of(case.provider.organization);
        self.call(line, &caller, Body::GiveOpinion { request, version, in_favor, text });
    }

    /// `answer case1 agreed|in_part|refused [items=…] [ground=…] [reason=…]`
    pub(super) fn answer(&mut self, line: &Line) {
        let (request, case) = self.case(line.subject());
        let answer = answer_in(line, &line.subjects[1]);
        let version = etag(line, case.version);
        let grant = grant_id(self.draw());
        let caller = self.system_of(case.provider.organization);
        let body = Body::AnswerRequest { request, version, answer, grant };
        if let Outcome::Done(_) = self.call(line, &caller, body) {
            let alias = format!("{}.grant", line.subject());
            let name = ResourceName::new(self.domain(), Resource::Grant(grant));
            self.names.insert(alias, name);
        }
    }

    /// `extend case1 days=5 [reason=…]`
    pub(super) fn extend(&mut self, line: &Line) {
        let (request, case) = self.case(line.subject());
        let body = Body::ExtendRequest {
            request,
            version: etag(line, case.version),
            working_days: line.value("days").parse().expect("a number of days"),
            reason: line.or("reason", "").to_owned(),
        };
        let caller = format!("{}.authority.system", self.domain());
        self.call(line, &caller, body);
    }

    /// `withdraw case1 [reason=…]`
    pub(super) fn withdraw(&mut self, line: &Line) {
        let (request, case) = self.case(line.subject());
        let version = etag(line, case.version);
        let reason = line.or("reason", "").to_owned();
        let caller = self.system_of(case.requester.organization);
        self.call(line, &caller, Body::WithdrawRequest { request, version, reason });
    }

    /// `suspend case1.grant reason=… rectify_by=DATE`, `terminate case1.grant reason=…`
    pub(super) fn stop_grant(&mut self, line: &Line) {
        let name = self.named(line.subject());
        let Resource::Grant(id) = name.resource else { panic!("`{}` is no grant", line.subject()) };
        let grant = self.view().grant(&name.domain, id).expect("a grant known here");
        let version = etag(line, grant.version);
        let reason = line.or("reason", "").to_owned();
        let caller = self.system_of(grant.provider.organization);
        let body = if line.verb == "suspend" {
            let rectify_by = line.value("rectify_by").parse().expect("a date");
            Body::SuspendGrant { grant: name, version, reason, rectify_by }
        } else {
            Body::TerminateGrant { grant: name, version, reason }
        };
        self.call(line, &caller, body);
    }

    /// `advance to="2026-10-13 00:00" [development] [portion=64]`: the shell moves the committed clock, as
    /// often as more is due.
    pub(super) fn advance(&mut self, line: &Line) {
        let to = instant(line.value("to"));
        let development = line.subjects.iter().any(|word| word == "development");
        let portion = line.get("portion").map(|most| most.parse().expect("a number"));
        if !development {
            self.now = self.now.max(to);
        }
        loop {
            let body = Body::AdvanceClock { to, development, portion };
            let outcome = self.call(line, "node", body);
            if !matches!(outcome, Outcome::ClockAdvanced { more: true, .. }) {
                return;
            }
        }
    }
}

/// The answer that a line words.
pub(super) fn answer_in(line: &Line, word: &str) -> Answer {
    let reason = line.or("reason", "").to_owned();
    match word {
        "agreed" => Answer::Agreed,
        "in_part" => Answer::AgreedInPart { items: list(line.or("items", "")), reason },
        "refused" => Answer::Refused { ground: line.or("ground", "").to_owned(), reason },
        other => panic!("`{other}` is no answer"),
    }
}

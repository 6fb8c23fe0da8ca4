//! Stories about what follows from a right.

use catalog_model::{
    catalog_entry::SharingMethod,
    document_digest::DocumentDigest,
    grant::{DisposalManner, Grant, MisuseGround, PurposeEndKind, WiderUseKind},
    ids::ServiceChangeId,
    name::{Resource, ResourceName},
    organization::DataKind,
    permitted_use::Use,
    reason::Lang,
    rule_pack::{Pair, Resolution, RulePack},
    service_change::{ServiceChange, ServiceChangeCause, ServiceChangeKind},
    use_record::{UseEntry, UseField, UseRecord},
};
use sha2::Digest as _;

use super::{Line, World, add, entries::etag};
use crate::{
    command::{Body, GrantCommand},
    view::agreement_owed,
};

impl World {
    /// `offer case1.grant [method=batch]`, `retrieved case1.grant [test]`,
    /// `acknowledge case1.grant`, `misused case1.grant ground=scope|purpose|third_party reason=…
    /// rectify_by=DATE`, `rectified case1.grant text=… [refused]`,
    /// `judge case1.grant adequate|inadequate reason=…`, `purpose_ended case1.grant
    /// met|impossible|not_needed`, `require_disposal case1.grant destroyed|returned|…`,
    /// `disposed case1.grant destroyed|…`, `wider case1.grant third_party|purpose [recipient=…]
    /// purpose=… items=a`, `agreement case1.grant number=… signed=DATE`
    pub(super) fn grant_act(&mut self, line: &Line) {
        let (name, row) = self.grant_row(line.subject());
        let version = etag(line, row.version);
        let second = line.subjects.get(1).map(String::as_str);
        let document = || DocumentDigest(sha2::Sha256::digest(line.or("document", "")).into());
        let text = |of: &str| line.or(of, "").to_owned();
        let date = |of: &str| line.value(of).parse().expect("a date");
        let grant = name;
        let user = || self.system_named(row.consumer.organization);
        let provider = || self.system_named(row.provider.organization);
        let (caller, command) = match line.verb.as_str() {
            "offer" => {
                let method = match line.or("method", "interface") {
                    "interface" => SharingMethod::ServiceInterface,
                    "batch" => SharingMethod::BatchExchange,
                    method => panic!("`{method}` is no method"),
                };
                (provider(), GrantCommand::OfferDelivery { grant, version, method })
            }
            "retrieved" => {
                let test = second == Some("test");
                (
                    format!("gateway:{}", self.domain()),
                    GrantCommand::RecordRetrieval { grant, test },
                )
            }
            "acknowledge" => (user(), GrantCommand::AcknowledgeDelivery { grant, version }),
            "misused" => {
                let ground = match line.value("ground") {
                    "scope" => MisuseGround::BeyondScope,
                    "purpose" => MisuseGround::BeyondPurpose,
                    "third_party" => MisuseGround::ThirdParty,
                    ground => panic!("`{ground}` is no ground"),
                };
                let command = GrantCommand::SuspendForMisuse {
                    grant,
                    version,
                    ground,
                    reason: text("reason"),
                    evidence: document(),
                    rectify_by: date("rectify_by"),
                };
                (provider(), command)
            }
            "rectified" => {
                let command = GrantCommand::ReportRectification {
                    grant,
                    version,
                    refused: second == Some("refused"),
                    text: text("text"),
                    digest: line.get("document").map(|_| document()),
                };
                (user(), command)
            }
            "judge" => {
                let command = GrantCommand::JudgeRectification {
                    grant,
                    version,
                    adequate: second == Some("adequate"),
                    reason: text("reason"),
                };
                (provider(), command)
            }
            "purpose_ended" => {
                let kind = match second {
                    Some("met") => PurposeEndKind::Met,
                    Some("impossible") => PurposeEndKind::Impossible,
                    _ => PurposeEndKind::NotNeeded,
                };
                (user(), GrantCommand::EndPurpose { grant, version, kind, note: text("note") })
            }
            "require_disposal" => {
                let manner = manner(second);
                let note = text("note");
                (provider(), GrantCommand::RequireDisposal { grant, version, manner, note })
            }
            "disposed" => {
                let (manner, digest) = (manner(second), document());
                (user(), GrantCommand::ProveDisposal { grant, version, manner, digest })
            }
            "wider" => {
                let kind = match second {
                    Some("third_party") => WiderUseKind::ThirdParty,
                    _ => WiderUseKind::OtherPurpose,
                };
                let command = GrantCommand::ConsentWiderUse {
                    grant,
                    version,
                    kind,
                    recipient: text("recipient"),
                    purpose: text("purpose"),
                    items: line.list("items").unwrap_or_default(),
                };
                (provider(), command)
            }
            "agreement" => {
                let command = GrantCommand::RecordAgreement {
                    grant,
                    version,
                    number: text("number"),
                    digest: document(),
                    signed: date("signed"),
                };
                (format!("{}.authority.system", self.domain()), command)
            }
            verb => panic!("`{verb}` is nothing that happens to a grant"),
        };
        self.call(line, &caller, Body::Grant(Box::new(command)));
    }

    /// `used case1.grant scenario=… process=… …`: the user keeps a record of a use.
    /// `purge case1.grant before=DATE`
    pub(super) fn use_record(&mut self, line: &Line) {
        let (grant, row) = self.grant_row(line.subject());
        let caller = self.system_named(row.consumer.organization);
        let command = if line.verb == "purge" {
            let before = line.value("before").parse().expect("a date");
            GrantCommand::PurgeUseRecords { grant, before }
        } else {
            let entries = UseField::WORDS
                .iter()
                .filter_map(|(word, field)| {
                    Some(UseEntry { field: *field, text: line.get(word)?.to_owned() })
                })
                .collect();
            GrantCommand::RecordUse { grant, entries }
        };
        self.call(line, &caller, Body::Grant(Box::new(command)));
    }

    /// `change_service c1 of=plates end|narrow|change [items=…] cause=leak reason=… from=DATE`,
    /// `states c1 agrees|objects as=tax [text=…]`, `negotiated c1`, `filed c1`, `effect c1`,
    /// `abandon c1 reason=…`
    pub(super) fn service_change(&mut self, line: &Line) {
        let alias = line.subject().to_owned();
        let second = line.subjects.get(1).map(String::as_str);
        if line.verb == "change_service" {
            let id = ServiceChangeId::from_bytes(self.draw());
            let entry = self.named(line.value("of"));
            let Resource::Entry(entry_id) = entry.resource else { panic!("of= names an entry") };
            let row = self.view().entry(&entry.domain, entry_id).expect("an entry of ours");
            let caller = self.system_named(row.provider);
            let command = GrantCommand::ProposeServiceChange {
                id,
                entry,
                kind: match second {
                    Some("narrow") => ServiceChangeKind::Narrow,
                    Some("change") => ServiceChangeKind::Change,
                    _ => ServiceChangeKind::End,
                },
                items: line.list("items").unwrap_or_default(),
                cause: match line.or("cause", "other") {
                    "functions" => ServiceChangeCause::FunctionsChanged,
                    "law" => ServiceChangeCause::LawChanged,
                    "source" => ServiceChangeCause::SourceEnded,
                    "leak" => ServiceChangeCause::Leak,
                    "secret" => ServiceChangeCause::Secret,
                    _ => ServiceChangeCause::Other,
                },
                reason: line.or("reason", "").to_owned(),
                effective: line.value("from").parse().expect("a date"),
            };
            let name = ResourceName::new(self.domain(), Resource::ServiceChange(id));
            self.names.insert(alias, name);
            self.call(line, &caller, Body::Grant(Box::new(command)));
            return;
        }
        let change = self.named(&alias);
        let row = self.service_change_row(&change).expect("a change known here");
        let version = etag(line, row.version);
        let mut caller = self.system_named(row.provider.organization);
        let command = match line.verb.as_str() {
            "states" => {
                caller = format!("{}.system", line.value("as"));
                let text = line.or("text", "").to_owned();
                let agrees = second == Some("agrees");
                GrantCommand::StateOnServiceChange { change, version, agrees, text }
            }
            "negotiated" => {
                let minutes = DocumentDigest(sha2::Sha256::digest(line.or("minutes", "")).into());
                GrantCommand::RecordNegotiation { change, version, minutes }
            }
            "filed" => GrantCommand::FileServiceChange { change, version },
            "effect" => GrantCommand::EffectServiceChange { change, version },
            _ => {
                let reason = line.or("reason", "").to_owned();
                GrantCommand::AbandonServiceChange { change, version, reason }
            }
        };
        self.call(line, &caller, Body::Grant(Box::new(command)));
    }

    /// `may_use case1.grant [system=tax.system] [scenario=…] [items=…] [rows=…] [third_party=…]
    /// [calls=N]`: what the data plane is told.
    pub(super) fn may_use(&mut self, line: &Line) {
        let (name, grant) = self.grant_row(line.subject());
        let system = line.get("system").map_or_else(|| grant.system.clone(), |s| self.named(s));
        let items = line.list("items").unwrap_or_else(|| grant.items.clone());
        let wanted = Use {
            system: &system,
            scenario: line.or("scenario", &grant.scenario),
            items: &items,
            row_scope: line.or("rows", &grant.row_scope),
            third_party: line.get("third_party"),
            date: self.view().clock().local_date(),
            calls_before: line.or("calls", "0").parse().expect("a number"),
        };
        let rules = self.rules_today(&grant);
        let said = match self.view().may_use(&name, &rules, &wanted) {
            Ok(()) => "the use is permitted".to_owned(),
            Err(refusal) => format!("refused {}: {}", refusal.reason, refusal.text(Lang::En)),
        };
        self.say(said);
    }

    /// `inspect case1.grant by=…`: the use records, for whoever may read them.
    pub(super) fn inspect(&mut self, line: &Line) {
        let (_, grant) = self.grant_row(line.subject());
        let caller = self.caller(line.value("by"));
        if let Err(refusal) = self.view().may_inspect_use_records(&caller, &grant) {
            self.say(format!("refused {}: {}", refusal.reason, refusal.text(Lang::En)));
            return;
        }
        let mut text = String::new();
        for record in self.view().use_records(&grant, None, usize::MAX).rows {
            add(&mut text, format_args!("{}", record_text(&record)));
        }
        self.output.push_str(if text.is_empty() { "no use is on record\n" } else { &text });
    }

    /// `agreement_of case1.grant`: whether the agreement on the use is owed, and until when.
    pub(super) fn agreement_of(&mut self, line: &Line) {
        let (_, grant) = self.grant_row(line.subject());
        let rules = self.rules_today(&grant);
        let calendar = catalog_model::calendar::WorkingDayCalendar::embedded();
        let today = self.view().clock().local_date();
        let said = match agreement_owed(&grant, &rules, calendar) {
            None => "no agreement is owed".to_owned(),
            Some((until, rule)) => {
                let late = if today > until { ", overdue" } else { "" };
                format!("an agreement is owed until {until}{late} ({})", rule.cite(Lang::En))
            }
        };
        self.say(said);
    }

    fn rules_today(&self, grant: &Grant) -> Resolution {
        let view = self.view();
        let version = view.rule_pack_version().expect("a cluster has a pack");
        let pack = RulePack::parse(&view.rule_pack(version).expect("kept").text).expect("checked");
        let Resource::Entry(entry) = grant.entry.resource else { panic!("a grant is of an entry") };
        let kind = view.entry(&grant.entry.domain, entry).map(|entry| entry.kind);
        let pair = Pair {
            asker: grant.consumer.class.expect("classed"),
            provider: grant.provider.class.expect("classed"),
            data: kind.unwrap_or(DataKind::GovernmentData),
        };
        let composition = view.cluster().expect("a cluster").composition;
        pack.resolve(&composition, pair, view.clock().local_date()).expect("its composition")
    }

    fn grant_row(&self, alias: &str) -> (ResourceName, Grant) {
        let name = self.named(alias);
        let Resource::Grant(id) = name.resource else { panic!("`{alias}` is no grant") };
        let grant = self.view().grant(&name.domain, id).expect("a grant known here");
        (name, grant)
    }

    fn system_named(&self, organization: catalog_model::ids::OrganizationId) -> String {
        let wanted = Resource::Organization(organization);
        let alias = self.names.iter().find(|(_, name)| name.resource == wanted);
        format!("{}.system", alias.expect("a named organization").0)
    }

    pub(super) fn service_change_row(&self, name: &ResourceName) -> Option<ServiceChange> {
        let Resource::ServiceChange(id) = name.resource else { panic!("{name} is no change") };
        self.view().service_change(&name.domain, id)
    }
}

fn manner(word: Option<&str>) -> DisposalManner {
    match word {
        Some("returned") => DisposalManner::Returned,
        Some("deidentified") => DisposalManner::Deidentified,
        Some("sealed") => DisposalManner::Sealed,
        _ => DisposalManner::Destroyed,
    }
}

fn record_text(record: &UseRecord) -> String {
    let stated = record.entries.iter().map(|e| format!("{} \"{}\"", e.field.word(), e.text));
    let stated = stated.collect::<Vec<_>>().join(", ");
    let found = record.missing.iter().map(|missing| {
        let rule = missing.rule.cite(Lang::En);
        format!("; finding: no {} ({rule})", missing.field.word())
    });
    let found: String = found.collect::<Vec<_>>().concat();
    format!("{} used on {}: {stated}{found}", record.consumer.name, record.recorded_time)
}

/// What a change of a service says, for `show`.
pub(super) fn service_change_text(change: &ServiceChange) -> String {
    let mut text = String::new();
    let items = if change.items.is_empty() {
        String::new()
    } else {
        format!(" {}", change.items.join("/"))
    };
    let rule = change.rule.as_ref().map(|rule| rule.cite(Lang::En));
    let reason =
        if change.reason.is_empty() { String::new() } else { format!(": {}", change.reason) };
    add(
        &mut text,
        format_args!(
            "{:?}{items} of the service of {} by {}, from {}, because of {}{reason} ({}); {}",
            change.kind,
            change.entry,
            change.provider.name,
            change.effective,
            change.cause.word(),
            rule.as_deref().unwrap_or("no rule asks for more"),
            change.state.word(),
        ),
    );
    for affected in &change.grants {
        let said = match &affected.statement {
            None => "has said nothing".to_owned(),
            Some(said) if said.agrees => "agrees".to_owned(),
            Some(said) => format!("objects: {}", said.text),
        };
        let late = if affected.joined_time.is_some() { ", came in late" } else { "" };
        add(&mut text, format_args!("  {} {said}{late}", affected.consumer.name));
    }
    if change.minutes.is_some() {
        add(&mut text, format_args!("  minutes of the talk are on record"));
    }
    if let Some(filed) = change.filed_time {
        add(&mut text, format_args!("  filed on {filed}"));
    }
    text
}

/// What came of a right, for `show`.
pub(super) fn course_text(grant: &Grant, text: &mut String) {
    let Some(course) = &grant.course else { return };
    if let Some(rate) = grant.rate_per_day {
        add(text, format_args!("  {rate} calls a day"));
    }
    if let (Some(clock), None) = (&course.delivery_clock, &course.delivery)
        && !grant.state.has_ended()
    {
        add(
            text,
            format_args!("  delivery due {} ({})", clock.due_date, clock.rule.cite(Lang::En)),
        );
    }
    if let Some(offer) = &course.offer {
        let tested = if offer.tested_time.is_some() { ", tested" } else { "" };
        add(
            text,
            format_args!("  offered on {} as {:?}{tested}", offer.offered_time, offer.method),
        );
    }
    if let Some(mark) = &course.overdue {
        let ordered: Vec<_> = mark.ordered.iter().map(|party| party.name.as_str()).collect();
        let above = mark.escalated_party.as_ref().map_or("nobody on file", |party| &party.name);
        add(
            text,
            format_args!(
                "  overdue since {}: order to {}, escalated to {above}",
                mark.due_time,
                ordered.join(" and "),
            ),
        );
    }
    if let Some(delivery) = &course.delivery {
        let late = if delivery.late { ", late" } else { "" };
        add(
            text,
            format_args!(
                "  delivered on {}{late}, by {:?} ({})",
                delivery.delivered_time,
                delivery.proof,
                delivery.rule.cite(Lang::En),
            ),
        );
    }
    if let Some(rectification) = &course.rectification {
        if let Some(ground) = rectification.ground {
            add(text, format_args!("  ground {ground:?}, evidence on record"));
        }
        if let Some(report) = &rectification.report {
            let refused = if report.refused { "refuses to rectify" } else { "rectified" };
            add(text, format_args!("  the user {refused}: {}", report.text));
        }
        if let Some(judgement) = &rectification.judgement {
            let word = if judgement.adequate { "adequate" } else { "inadequate" };
            add(text, format_args!("  {word}, says {}: {}", judgement.by.name, judgement.reason));
        }
        if let Some(lapsed) = rectification.lapsed_time {
            add(text, format_args!("  the day for it passed on {lapsed}"));
        }
    }
    for wider in &course.wider_uses {
        add(
            text,
            format_args!(
                "  the provider consents to {:?} {} for \"{}\": {} ({})",
                wider.kind,
                wider.recipient,
                wider.purpose,
                wider.items.join("/"),
                wider.rule.cite(Lang::En),
            ),
        );
    }
    if let Some(agreement) = &course.agreement {
        add(text, format_args!("  agreement {} of {}", agreement.number, agreement.signed));
    }
    if let Some(end) = &course.purpose_end {
        add(text, format_args!("  its purpose ended on {}: {:?}", end.ended_time, end.kind));
    }
    if let Some(required) = &course.disposal_requirement {
        add(text, format_args!("  the provider requires: {}", required.manner.word()));
    }
    if let Some(proof) = &course.disposal {
        add(
            text,
            format_args!("  {} on {}, proof on record", proof.manner.word(), proof.proved_time),
        );
    }
    if let Some(service) = &course.service {
        let stopped = if service.stopped_time.is_some() { ", calls are stopped" } else { "" };
        add(
            text,
            format_args!(
                "  service: {:?} from {}, {}{stopped}",
                service.kind,
                service.effective,
                service.state.word(),
            ),
        );
    }
}

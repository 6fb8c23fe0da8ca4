//! What comes by a window or on paper: entered by the platform for somebody else, with number,
//! digest and the date stamped there; never in the name of the clerk (SHR-29; must-refuse 48).

use catalog_model::{
    case_file::WindowFiling,
    ids::OrganizationId,
    name::{Resource, ResourceName},
    organization::{Organization, Person, PersonRole, PlatformRole},
    paper_decision::PaperDecision,
    reason::Reason,
    refusal::Refusal,
    rule_pack::RuleKey,
    share_request::ShareRequest,
    time::UtcMillis,
};

use super::{file_of, put_file};
use crate::{
    apply::{consent, organizations::on_file, requests, text},
    command::case::Filing,
    keys,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    rows::ConsentKind,
    tx::{OnBehalf, Tx},
};

/// What each part of the record is called, in the pack and in Chinese.
const PARTS: [(&str, &str); 4] = [
    ("document_number", "文号"),
    ("digest", "扫描件摘要"),
    ("issuing_body", "发文机关"),
    ("recorded_for", "登记对象"),
];

/// Most characters of a document number.
const MAX_NUMBER: usize = 100;

/// Refuses a record of a paper decision that lacks what the rule asks, lies in the future, or
/// names whoever enters it as the one who decided.
pub(crate) fn check(tx: &Tx<'_>, law: &Law, paper: &PaperDecision) -> Result<(), Refusal> {
    for (field, value) in [
        ("paper.document_number", &paper.document_number),
        ("paper.issuing_body", &paper.issuing_body),
        ("paper.recorded_for", &paper.recorded_for),
    ] {
        text::check(field, value)?;
    }
    // It stands in the ledger as it is, so it is a number and no text.
    let length = paper.document_number.chars().count();
    if length > MAX_NUMBER {
        return Err(Refusal::new(Reason::TextTooLong)
            .fact("field", "paper.document_number")
            .fact("length", length)
            .fact("limit", MAX_NUMBER));
    }
    if paper.document_number.chars().any(char::is_control) {
        let refusal = Refusal::new(Reason::TextControlCharacters);
        return Err(refusal.fact("field", "paper.document_number"));
    }
    if let Some((needed, rule)) = law.rule_pack.paper_decision_requires(tx.today()) {
        let empty = |part: &str| match part {
            "document_number" => paper.document_number.trim().is_empty(),
            "digest" => paper.digest == [0; 32],
            "issuing_body" => paper.issuing_body.trim().is_empty(),
            _ => paper.recorded_for.trim().is_empty(),
        };
        let missing: Vec<_> = PARTS
            .iter()
            .filter(|(part, _)| needed.iter().any(|word| word == part) && empty(part))
            .collect();
        if !missing.is_empty() {
            let list = |words: Vec<&str>, between: &str| words.join(between);
            let mut refusal = Refusal::new(Reason::PaperIncomplete)
                .under(rule)
                .fact("missing", list(missing.iter().map(|(en, _)| *en).collect(), ", "))
                .fact("missing_zh", list(missing.iter().map(|(_, zh)| *zh).collect(), "、"));
            for (part, _) in missing {
                refusal = refusal.field(&format!("paper.{part}"), "missing", "缺少");
            }
            return Err(refusal);
        }
        for name in clerk_names(tx) {
            if [&paper.issuing_body, &paper.recorded_for].contains(&&name) {
                return Err(Refusal::new(Reason::ClerkAsDecider).under(rule).fact("name", name));
            }
        }
    }
    check_date(tx, paper, None)
}

fn check_date(
    tx: &Tx<'_>,
    paper: &PaperDecision,
    case: Option<&ShareRequest>,
) -> Result<(), Refusal> {
    let received = case.and_then(|case| case.received_time).map(UtcMillis::local_date);
    if paper.date > tx.today() || received.is_some_and(|received| paper.date < received) {
        return Err(Refusal::new(Reason::PaperDateInvalid).fact("date", paper.date));
    }
    Ok(())
}

/// The names of whoever enters: the organization and, if known, the person.
fn clerk_names(tx: &Tx<'_>) -> Vec<String> {
    let Some(organization) = tx.caller.organization() else { return Vec::new() };
    let own: Option<Organization> = tx.get(&keys::organization(tx.domain(), organization));
    let person = tx.caller.person();
    let person: Option<Person> =
        person.and_then(|person| tx.get(&keys::person(tx.domain(), organization, person)));
    own.map(|own| own.name).into_iter().chain(person.map(|person| person.display_name)).collect()
}

/// The platform manager enters what came by a window.
pub(crate) fn file(
    tx: &mut Tx<'_>,
    law: &Law,
    filing: &Filing,
    paper: &PaperDecision,
    window: &str,
) -> Result<Outcome, Refusal> {
    let manager = tx
        .caller_organization()
        .is_some_and(|caller| caller.platform_role == Some(PlatformRole::PlatformManager));
    if !manager {
        return Err(not_permitted(tx, "the platform manager"));
    }
    let Some(rule) = law.rule_pack.window_receipt(tx.today()) else {
        let key = RuleKey::SharingReceipt.name();
        return Err(Refusal::new(Reason::NoRuleInForce).fact("key", key));
    };
    check(tx, law, paper)?;
    text::check("window", window)?;
    if window.trim().is_empty() {
        return Err(Refusal::new(Reason::PaperIncomplete)
            .under(rule)
            .fact("missing", "window")
            .fact("missing_zh", "受理窗口")
            .field("window", "missing", "缺少"));
    }
    let organization = meant(tx, filing, paper)?;
    tx.on_behalf = Some(OnBehalf {
        organization: organization.id,
        date: paper.date,
        number: paper.document_number.clone(),
    });
    let done = enter(tx, law, filing, organization.id);
    tx.on_behalf = None;
    let Outcome::Done(Some(name)) = done? else {
        panic!("what is filed on behalf makes or changes a case")
    };
    let fact = Fact::FiledOnBehalf {
        what: filing.what().to_owned(),
        organization: ResourceName::new(
            organization.domain.clone(),
            Resource::Organization(organization.id),
        ),
        document_number: paper.document_number.clone(),
        digest: paper.digest,
        date: paper.date,
    };
    let texts = [
        ("window", window),
        ("issuing_body", &paper.issuing_body),
        ("recorded_for", &paper.recorded_for),
    ];
    ledger::append(tx, &name, fact, Some(rule), &texts);
    let mut file = file_of(tx, &name);
    file.filings.push(WindowFiling {
        what: filing.what().to_owned(),
        on_behalf_of: tx.party(&organization),
        window: window.to_owned(),
        paper: paper.clone(),
        entered_time: tx.clock,
    });
    put_file(tx, &name, &file);
    Ok(Outcome::Done(Some(name)))
}

/// The organization for which it is entered: the asker, the decider, the provider.
fn meant(tx: &Tx<'_>, filing: &Filing, paper: &PaperDecision) -> Result<Organization, Refusal> {
    let (case, organization) = match filing {
        Filing::Request { organization, .. } => return on_file(tx, *organization),
        Filing::Answer { request, .. } => {
            let case = requests::owned(tx, request)?;
            let decider = requests::deciding_organization(tx, &case)
                .ok_or_else(|| not_permitted(tx, "the decider of the case"))?;
            (case, decider)
        }
        Filing::Opinion { request, .. } => {
            let case = requests::owned(tx, request)?;
            let provider = case.provider.organization;
            (case, provider)
        }
    };
    check_date(tx, paper, Some(&case))?;
    on_file(tx, organization)
}

fn enter(
    tx: &mut Tx<'_>,
    law: &Law,
    filing: &Filing,
    organization: OrganizationId,
) -> Result<Outcome, Refusal> {
    match filing {
        Filing::Request { id, grant, content, head, .. } => {
            requests::create(tx, law, *id, *grant, content, *head)
        }
        Filing::Answer { request, version, answer, grant, head } => {
            if let Some(head) = head {
                let office = PersonRole::SharingOfficeHead;
                let digest = consent::digest(answer);
                let given = consent::by_head(tx, organization, *head, office, digest, *version)?;
                consent::record(tx, ConsentKind::Answer, request, &given);
            }
            requests::answer(tx, law, request, *version, answer, *grant)
        }
        Filing::Opinion { request, version, in_favor, text } => {
            requests::give_opinion(tx, law, request, *version, *in_favor, text)
        }
    }
}

//! One datum, one source (CAT-12): who is the source of a datum, since when, by which decision?

use catalog_model::{
    dataset::{ElementSource, Period, element_key},
    ids::OrganizationId,
    organization::DataKind,
    paper_decision::PaperDecision,
    reason::Reason,
    refusal::Refusal,
    rule_pack::Pair,
    sharing::LegalCitation,
    time::LocalDate,
};

use super::{check_texts, done, organization_name, paper};
use crate::{
    apply::organizations::{is_authority, on_file},
    keys::relations as key,
    ledger::{self, Fact},
    machine::{Law, not_permitted},
    outcome::Outcome,
    tx::Tx,
};

/// Every assignment of a datum, in the order of first days.
fn all(tx: &Tx<'_>, element: &str) -> Vec<ElementSource> {
    tx.rows(&key::sources_of(element), usize::MAX)
        .into_iter()
        .map(|(_, bytes)| crate::codec::decode(&bytes).expect("rows are ours"))
        .collect()
}

/// The source of a datum on a day: the one that a rule makes the only one, else the last named.
pub(crate) fn source_of(tx: &Tx<'_>, element: &str, date: LocalDate) -> Option<ElementSource> {
    let holding: Vec<_> =
        all(tx, &element_key(element)).into_iter().filter(|row| row.period.holds(date)).collect();
    let ruled = holding.iter().position(|row| row.rule.is_some());
    let place = ruled.or_else(|| holding.len().checked_sub(1))?;
    holding.into_iter().nth(place)
}

pub(crate) fn assign(
    tx: &mut Tx<'_>,
    law: &Law,
    element: &str,
    organization: OrganizationId,
    period: Period,
    basis: &LegalCitation,
    decision: Option<&PaperDecision>,
) -> Result<Outcome, Refusal> {
    if !is_authority(tx) {
        return Err(not_permitted(tx, "the authority"));
    }
    let department = on_file(tx, organization)?;
    let class = department.class.ok_or_else(|| {
        Refusal::new(Reason::OrganizationUnverified).fact("name", &department.name)
    })?;
    let pair = Pair::for_catalog(class, DataKind::GovernmentData);
    let resolution = law.resolve(tx, pair, tx.today())?;
    check_texts(&[("element", element), ("basis.title", &basis.title)])?;
    let of = element_key(element);
    if of.is_empty() || !period.is_sound() {
        let field = if of.is_empty() { "element" } else { "period.until" };
        return Err(Refusal::new(Reason::FieldInvalid).field(field, "says nothing", "无有效内容"));
    }
    if let Some(decision) = decision {
        paper::check(tx, &resolution, decision)?;
    }
    let rule = resolution.one_source();
    let others = all(tx, &of);
    let other = others.iter().find(|row| {
        row.period.overlaps(&period) && (row.rule.is_some() || row.organization == organization)
    });
    if let (Some(rule), Some(other)) = (&rule, other) {
        let until = other.period.until.map_or_else(|| "…".to_owned(), |day| day.to_string());
        return Err(Refusal::new(Reason::SourceAlreadyAssigned)
            .under(rule.clone())
            .fact("element", &other.element)
            .fact("source", on_file(tx, other.organization)?.name)
            .fact("from", other.period.from)
            .fact("until", until));
    }
    let row = key::element_source(&of, period.from);
    if tx.has(&row) {
        return Err(Refusal::new(Reason::AlreadyExists).fact("name", element));
    }
    let source = ElementSource {
        element: element.to_owned(),
        organization,
        period,
        basis: basis.clone(),
        decision: decision.cloned(),
        rule: rule.clone(),
        assigned_time: tx.clock,
    };
    tx.put(&row, &source);
    let name = organization_name(tx, organization);
    let fact =
        Fact::SourceAssigned { organization: name.clone(), from: period.from, until: period.until };
    let number = decision.map_or("", |decision| decision.document_number.as_str());
    let texts = [("element", element), ("document_number", number)];
    ledger::append(tx, &name, fact, rule, &texts);
    Ok(done(tx, name))
}

pub(crate) fn end(
    tx: &mut Tx<'_>,
    element: &str,
    from: LocalDate,
    until: LocalDate,
) -> Result<Outcome, Refusal> {
    if !is_authority(tx) {
        return Err(not_permitted(tx, "the authority"));
    }
    let row = key::element_source(&element_key(element), from);
    let Some(source) = tx.get::<ElementSource>(&row) else {
        return Err(Refusal::new(Reason::NotFound).fact("name", element));
    };
    let period = Period { from, until: Some(until) };
    // An assignment is only ever made shorter: a longer one could meet another.
    if !period.is_sound() || source.period.until.is_some_and(|end| end < until) {
        let (en, zh) = ("not within the assignment", "不在指定期限内");
        return Err(Refusal::new(Reason::FieldInvalid).field("until", en, zh));
    }
    let name = organization_name(tx, source.organization);
    tx.put(&row, &ElementSource { period, ..source });
    let fact = Fact::SourceEnded { from, until };
    ledger::append(tx, &name, fact, None, &[("element", element)]);
    Ok(done(tx, name))
}

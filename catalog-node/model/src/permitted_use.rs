//! Permitted use: may this call have these data under this grant, now?
//!
//! The one question that the data plane asks of the law (SHR-10, SHR-24, must-refuse 12 and 13).
//! It does not ask who calls (identity) nor whether the data can be had (delivery). Each way of
//! going beyond a grant has its own reason; the rules are those in force on the day of the call,
//! because conduct is judged by the law of its day.

use crate::{
    grant::{Grant, GrantState, WiderUse, WiderUseKind},
    name::ResourceName,
    reason::Reason,
    refusal::Refusal,
    rule::RuleRef,
    rule_pack::{HouseSwitch, Resolution},
    time::LocalDate,
};

/// What a call wants.
#[derive(Debug, Clone)]
pub struct Use<'a> {
    /// The system that calls.
    pub system: &'a ResourceName,
    /// The scenario that it names.
    pub scenario: &'a str,
    /// The items that it asks for.
    pub items: &'a [String],
    /// The rows, in the words of the grant.
    pub row_scope: &'a str,
    /// The third party for whom it fetches, if it does.
    pub third_party: Option<&'a str>,
    /// The day.
    pub date: LocalDate,
    /// Calls under the grant on this day before this one, as the gateway counted them.
    pub calls_before: u32,
}

/// Whether the grant covers the use. `rules` are those in force on its day for the grant's pair.
pub fn may_use(grant: &Grant, rules: &Resolution, wanted: &Use<'_>) -> Result<(), Refusal> {
    check_in_force(grant, rules)?;
    if let Some((_, rule)) =
        rules.supervision_agreement().zip(rules.house_switch(HouseSwitch::AgreementBeforeUse))
        && grant.course.as_ref().is_none_or(|course| course.agreement.is_none())
    {
        return Err(Refusal::new(Reason::AgreementMissing).under(rule));
    }
    let term = grant.term;
    if wanted.date < term.from || wanted.date > term.to {
        let refusal = Refusal::new(Reason::UseOutsideTerm);
        return Err(under(refusal, grant.rule.clone()).fact("from", term.from).fact("to", term.to));
    }
    if *wanted.system != grant.system {
        let refusal = Refusal::new(Reason::UseByOtherSystem).fact("system", wanted.system);
        return Err(under(refusal, grant.rule.clone()));
    }
    let wider = wider_use(grant, rules, wanted)?;
    let of = wider.map_or(&grant.items, |wider| &wider.items);
    if let Some(item) = wanted.items.iter().find(|item| !of.contains(item)) {
        let refusal = Refusal::new(Reason::UseOutsideItems).fact("item", item);
        return Err(under(refusal, rules.purpose_rule()));
    }
    if !grant.row_scope.is_empty() && wanted.row_scope != grant.row_scope {
        let refusal = Refusal::new(Reason::UseOutsideRows).fact("rows", &grant.row_scope);
        return Err(under(refusal, rules.purpose_rule()));
    }
    match grant.rate_per_day {
        Some(rate) if wanted.calls_before >= rate => {
            Err(under(Refusal::new(Reason::UseRateExceeded), grant.rule.clone()).fact("rate", rate))
        }
        _ => Ok(()),
    }
}

fn check_in_force(grant: &Grant, rules: &Resolution) -> Result<(), Refusal> {
    if grant.state == GrantState::Suspended {
        let refusal = Refusal::new(Reason::GrantSuspended);
        let refusal = match &grant.suspension {
            Some(suspension) => refusal.fact("date", suspension.rectify_by),
            None => refusal,
        };
        return Err(under(refusal, rules.misuse_suspension().map(|order| order.rule)));
    }
    if grant.state.has_ended() {
        let refusal = Refusal::new(Reason::GrantEnded).fact("state", grant.state.word());
        let rule = match grant.state {
            GrantState::Terminated => rules.misuse_termination().map(|order| order.rule),
            GrantState::PurposeEnded | GrantState::Disposed => rules.disposal(),
            _ => None,
        };
        return Err(under(refusal, rule));
    }
    let service = grant.course.as_ref().and_then(|course| course.service.as_ref());
    match service.filter(|service| service.stopped_time.is_some()) {
        Some(service) => {
            Err(Refusal::new(Reason::ServiceStopped).fact("cause", service.cause.word()))
        }
        None => Ok(()),
    }
}

/// What the provider consented to beyond the declared scenario, where the use needs it. A consent
/// counts only while the rules permit such a use.
fn wider_use<'a>(
    grant: &'a Grant,
    rules: &Resolution,
    wanted: &Use<'_>,
) -> Result<Option<&'a WiderUse>, Refusal> {
    let kind = match wanted.third_party {
        Some(_) => WiderUseKind::ThirdParty,
        None if wanted.scenario == grant.scenario => return Ok(None),
        None => WiderUseKind::OtherPurpose,
    };
    let consented = grant.course.iter().flat_map(|course| &course.wider_uses).find(|wider| {
        wider.kind == kind
            && match wanted.third_party {
                Some(recipient) => wider.recipient == recipient,
                None => wider.purpose == wanted.scenario,
            }
    });
    let permitted = rules.wider_use_permitted(kind);
    match (kind, consented, permitted) {
        (_, Some(wider), Ok(_)) => Ok(Some(wider)),
        (WiderUseKind::ThirdParty, _, Err(forbidden)) => Err(forbidden.refusal()),
        (WiderUseKind::ThirdParty, None, Ok(rule)) => {
            Err(Refusal::new(Reason::WiderUseNotPermitted).under(rule).fact("rules", "none"))
        }
        (WiderUseKind::OtherPurpose, ..) => {
            let refusal = Refusal::new(Reason::UseOutsideScenario);
            let refusal = refusal.fact("scenario", &grant.scenario);
            Err(under(refusal, rules.purpose_rule()))
        }
    }
}

fn under(refusal: Refusal, rule: Option<RuleRef>) -> Refusal {
    match rule {
        Some(rule) => refusal.under(rule),
        None => refusal,
    }
}

#[cfg(test)]
mod tests;

//! Paper decisions: is the record of one complete, and does it name a decider (must-refuse 48)?

use catalog_model::{
    paper_decision::PaperDecision, reason::Reason, refusal::Refusal, rule_pack::Resolution,
};

use crate::tx::Tx;

/// Checks what the rule on records of paper decisions asks for. Who enters a decision is never the
/// one who made it: the issuing body is not the caller's organization, unless that is the government.
pub(crate) fn check(
    tx: &Tx<'_>,
    resolution: &Resolution,
    decision: &PaperDecision,
) -> Result<(), Refusal> {
    super::super::text::check("decision.document_number", &decision.document_number)?;
    super::super::text::check("decision.issuing_body", &decision.issuing_body)?;
    super::super::text::check("decision.recorded_for", &decision.recorded_for)?;
    let Some((parts, rule)) = resolution.paper_decision_parts() else { return Ok(()) };
    let mut refusal = Refusal::new(Reason::DecisionRecordIncomplete).under(rule);
    for part in parts {
        let missing = match part.as_str() {
            "document_number" => decision.document_number.trim().is_empty(),
            "digest" => decision.digest == [0; 32],
            "issuing_body" => decision.issuing_body.trim().is_empty(),
            "recorded_for" => decision.recorded_for.trim().is_empty(),
            _ => false,
        };
        if missing {
            refusal = refusal.field(&format!("decision.{part}"), "missing", "缺少");
        }
        if part == "date" && decision.date > tx.today() {
            refusal = refusal.field("decision.date", "lies in the future", "日期在将来");
        }
        let clerk = tx.caller_organization().is_some_and(|caller| {
            caller.name == decision.issuing_body
                && caller.platform_role
                    != Some(catalog_model::organization::PlatformRole::Government)
        });
        if part == "issuing_body" && clerk {
            let (en, zh) = ("names the clerk as decider", "将经办人记为决定人");
            refusal = refusal.field("decision.issuing_body", en, zh);
        }
    }
    if refusal.fields.is_empty() { Ok(()) } else { Err(refusal) }
}

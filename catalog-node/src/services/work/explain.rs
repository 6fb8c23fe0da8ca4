//! What became of a call: the first outcome under its key, with what the caller can do, in the
//! language of the one who asks.

use catalog_model::{reason::Lang, refusal::Refusal};
use luqiao_proto::{
    convert::{case_rules::rule_ref_message, name::domain_name, time::timestamp},
    work::v1::{ExplainCallRequest, ExplainCallResponse, WrongField},
};

use super::super::{Call, Reply, not_found};

pub(super) async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: ExplainCallRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let lang = call.lang;
    call.read(move |look| {
        look.own(&domain)?;
        // Under the caller's own keys only: what others were refused is nobody's business.
        let row = look.view().outcome_of(look.caller, &request.call_request_id);
        let row = row.ok_or_else(|| not_found(&request.call_request_id))?;
        let told = match &row.refusal {
            Some(refusal) => refused(refusal, lang),
            None => ExplainCallResponse {
                done: true,
                resource: row.resource.map_or_else(String::new, |name| name.to_string()),
                ..Default::default()
            },
        };
        Ok(ExplainCallResponse { outcome_time: Some(timestamp(row.time)), ..told })
    })
    .await
}

fn refused(refusal: &Refusal, lang: Lang) -> ExplainCallResponse {
    ExplainCallResponse {
        reason: refusal.reason.name().to_owned(),
        message: refusal.text(lang),
        advice: refusal.reason.caller_move(lang).unwrap_or_default().to_owned(),
        rule: refusal.rule.as_ref().map(rule_ref_message),
        fields: refusal
            .fields
            .iter()
            .map(|violation| WrongField {
                field: violation.field.clone(),
                description: match lang {
                    Lang::Zh => violation.zh.clone(),
                    Lang::En => violation.en.clone(),
                },
            })
            .collect(),
        facts: refusal.facts.clone().into_iter().collect(),
        ..Default::default()
    }
}

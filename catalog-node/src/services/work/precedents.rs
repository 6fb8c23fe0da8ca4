//! Precedents of a case: the provider and the platform see the cases, the asker what came of them.

use catalog_model::{
    name::{Resource, ResourceName},
    reason::{Lang, Reason},
    refusal::Refusal,
    share_request::Answer,
};
use catalog_state::precedents::Precedent;
use luqiao_proto::{
    convert::{
        answer::answer_message,
        case_rules::rule_ref_message,
        name::{full_name, request_name},
    },
    work::v1::{self as message, ListPrecedentsRequest, ListPrecedentsResponse},
};

use super::super::{Call, Look, Reply, not_found, sharing};

/// How many without a wish.
const DEFAULT: usize = 10;
/// How many at most: nobody reads more beside a case.
const MAX: usize = 50;
/// How many of the provider's newest cases are looked at.
const SCAN: usize = 5_000;

pub(super) async fn list(call: &Call) -> Result<Reply, Refusal> {
    let request: ListPrecedentsRequest = call.decode()?;
    let limit = match usize::try_from(request.page_size) {
        Ok(0) => DEFAULT,
        Ok(asked) => asked.min(MAX),
        Err(_) => {
            let (en, zh) = ("must not be negative", "不得为负数");
            return Err(Refusal::new(Reason::FieldInvalid).field("page_size", en, zh));
        }
    };
    let (domain, id) = request_name(&request.name, "name")?;
    let name = ResourceName::new(domain, Resource::Request(id));
    let lang = call.lang;
    call.read(move |look| {
        let case = sharing::case(look, &name).ok_or_else(|| not_found(&name))?;
        let found = look.view().precedents(&case, limit, SCAN);
        let precedents = found.iter().map(|precedent| shown(look, precedent, lang)).collect();
        Ok(ListPrecedentsResponse { precedents })
    })
    .await
}

fn shown(look: &Look<'_>, precedent: &Precedent, lang: Lang) -> message::Precedent {
    let case = &precedent.case;
    let given = case.answer.as_ref();
    let sees = look.sees_request(case);
    let seen = |text: String| if sees { text } else { String::new() };
    let answer = given.map(|given| answer_message(&given.answer)).unwrap_or_default();
    let items = match given.map(|given| &given.answer) {
        Some(Answer::Agreed) => case.content.items.clone(),
        Some(Answer::AgreedInPart { items, .. }) => items.clone(),
        Some(Answer::Refused { .. }) | None => Vec::new(),
    };
    let rule = given.and_then(|given| given.rule.as_ref());
    message::Precedent {
        request: seen(full_name(&case.domain, Resource::Request(case.id))),
        case_number: seen(case.case_number.clone()),
        kind: answer.kind,
        items,
        ground: answer.ground,
        reason: seen(answer.reason),
        rule: rule.map(rule_ref_message),
        answer_date: given
            .map_or_else(String::new, |given| given.given_time.local_date().to_string()),
        late: given.is_some_and(|given| given.late),
        same_scenario: precedent.same_scenario,
        common_items: precedent.common_items.clone(),
        requester: seen(case.requester.name.clone()),
        citation: rule.map_or_else(String::new, |rule| rule.cite(lang)),
    }
}

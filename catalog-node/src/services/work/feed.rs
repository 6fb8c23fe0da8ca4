//! The calendar feed: the same work where people look for their days.

use catalog_model::refusal::Refusal;
use luqiao_proto::{
    convert::name::domain_name,
    work::v1::{GetCalendarFeedRequest, GetCalendarFeedResponse},
};

use super::{
    super::{Call, Reply},
    ics,
    list::{Asked, page},
};

/// Most events of a feed: calendars are for people.
const EVENTS_MAX: usize = 2_000;

pub(super) async fn get(call: &Call) -> Result<Reply, Refusal> {
    let request: GetCalendarFeedRequest = call.decode()?;
    let domain = domain_name(&request.parent, "parent")?;
    let lang = call.lang;
    call.read(move |look| {
        look.own(&domain)?;
        let asked = Asked::read(look, &request.organization, &request.person, None)?;
        let mut items = Vec::new();
        let mut from = None;
        // A page may be short and still have a next one.
        while items.len() < EVENTS_MAX {
            let found = page(look, &asked, from.as_deref(), EVENTS_MAX - items.len());
            items.extend(found.items.into_iter().filter(|item| item.due.is_some()));
            from = found.next;
            if from.is_none() {
                break;
            }
        }
        let clock = look.view().clock();
        Ok(GetCalendarFeedResponse {
            calendar: ics::calendar(&asked.organization, &items, clock, lang),
            truncated: from.is_some(),
        })
    })
    .await
}

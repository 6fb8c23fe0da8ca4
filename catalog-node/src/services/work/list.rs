//! Lists of work: what does an organization, or one of its persons, do next?

use catalog_model::{
    calendar::WorkingDayCalendar,
    ids::OrganizationId,
    organization::{Organization, Person, PersonRole},
    refusal::Refusal,
    time::{LocalDate, UtcMillis},
};
use catalog_state::{
    statistics::working_days,
    work::{Band, WorkItem},
};
use luqiao_proto::{
    convert::{
        case_rules::rule_ref_message,
        name::{domain_name, person_name},
        time::{read_date, timestamp},
    },
    organization::v1 as organization_message,
    work::v1::{self as message, ListWorkRequest, ListWorkResponse},
};

use super::{
    super::{Call, Look, Reply, not_found, organizations::next, paging},
    asked_organization,
};
use crate::work_index::{self, Question};

/// Where agreements on the use begin: after every band of the index.
const AGREEMENTS: u8 = 3;

pub(super) async fn list(call: &Call) -> Result<Reply, Refusal> {
    let mut request: ListWorkRequest = call.decode()?;
    let size = paging::size(std::mem::take(&mut request.page_size))?;
    let token = std::mem::take(&mut request.page_token);
    let domain = domain_name(&request.parent, "parent")?;
    let until = match request.until.as_str() {
        "" => None,
        day => Some(read_date(day, "until")?),
    };
    let query = paging::query_digest(call.method.path, &call.caller.to_string(), &request);
    let lang = call.lang;
    call.read(move |look| {
        look.own(&domain)?;
        let from = paging::open(look.page_key(), &query, &token)?;
        let asked = Asked::read(look, &request.organization, &request.person, until)?;
        let page = page(look, &asked, from.as_deref(), size);
        let shown = Shown::of(look);
        Ok(ListWorkResponse {
            items: page.items.iter().map(|item| shown.message(item, lang)).collect(),
            next_page_token: next(look, &query, page.next),
            as_of: Some(timestamp(look.view().clock())),
            organization_name: asked.organization.name,
        })
    })
    .await
}

/// Whose work is asked for.
pub(super) struct Asked {
    pub(super) organization: Organization,
    person: Option<Person>,
    until: Option<LocalDate>,
}

impl Asked {
    pub(super) fn read(
        look: &Look<'_>,
        organization: &str,
        person: &str,
        until: Option<LocalDate>,
    ) -> Result<Self, Refusal> {
        let organization = asked_organization(look, organization)?;
        let person = match person {
            "" => None,
            named => {
                let (domain, employer, id) = person_name(named, "person")?;
                let person = look.view().person(&domain, employer, id);
                let own = person.filter(|_| employer == organization.id);
                Some(own.ok_or_else(|| not_found(named))?)
            }
        };
        Ok(Self { organization, person, until })
    }

    fn id(&self) -> OrganizationId {
        self.organization.id
    }

    /// Whether the person acts on it. Who has no other role than to consent is shown what waits for
    /// the consent; everyone else works on all that the organization has to do.
    fn concerns(&self, item: &WorkItem, today: LocalDate) -> bool {
        let Some(person) = &self.person else { return true };
        let others =
            [PersonRole::Operator, PersonRole::DepartmentHead, PersonRole::ChiefDataOfficer];
        others.iter().any(|role| person.holds(*role, today))
            || item.needs.is_some_and(|role| person.holds(role, today))
    }
}

/// A page of work with the place where the next one begins.
pub(super) struct WorkPage {
    pub(super) items: Vec<WorkItem>,
    pub(super) next: Option<Vec<u8>>,
}

/// What an organization must do, from `from` on.
pub(super) fn page(look: &Look<'_>, asked: &Asked, from: Option<&[u8]>, size: usize) -> WorkPage {
    let view = look.view();
    let today = view.clock().local_date();
    let until = asked.until.map(LocalDate::end);
    // What is due by the end of a day is due at the instant after it.
    let before = until.map(|until| until.plus(1));
    let mut items = Vec::new();
    let resumed = from.filter(|from| from.first() == Some(&AGREEMENTS)).map(|from| &from[1..]);
    if resumed.is_none() {
        let question = Question {
            owners: &view.work_owners(asked.id()),
            until: before,
            from,
            limit: size,
            scan: paging::SCAN,
        };
        let found = work_index::list(look.state, &question, |item| asked.concerns(item, today));
        items = found.items;
        if found.next.is_some() {
            return WorkPage { items, next: found.next };
        }
    }
    let rest = size - items.len();
    if rest == 0 {
        return WorkPage { items, next: Some(vec![AGREEMENTS]) };
    }
    let owed = view.agreements_owed(asked.id(), resumed, rest, paging::SCAN);
    let by_then = |due: Option<UtcMillis>| due.zip(until).is_none_or(|(due, until)| due <= until);
    let owed_here = owed.rows.into_iter();
    items.extend(owed_here.filter(|item| by_then(item.due) && asked.concerns(item, today)));
    let next = owed.next.map(|key| [&[AGREEMENTS], key.as_slice()].concat());
    WorkPage { items, next }
}

/// What items are shown with.
pub(super) struct Shown {
    clock: UtcMillis,
    calendar: Option<WorkingDayCalendar>,
}

impl Shown {
    pub(super) fn of(look: &Look<'_>) -> Self {
        let view = look.view();
        Self { clock: view.clock(), calendar: view.calendar_in_force() }
    }

    pub(super) fn message(
        &self,
        item: &WorkItem,
        lang: catalog_model::reason::Lang,
    ) -> message::WorkItem {
        let today = self.clock.local_date();
        let due = item.due_date();
        let left = due.zip(self.calendar.as_ref());
        message::WorkItem {
            kind: item.kind as i32,
            task: item.kind.text(lang).to_owned(),
            subject: item.subject.to_string(),
            title: item.title.clone(),
            case_number: item.number.clone(),
            counterpart: item.counterpart.clone(),
            due_date: due.map_or_else(String::new, |day| day.to_string()),
            due_time: item.due.map(timestamp),
            overdue: item.is_overdue(self.clock),
            working_days_left: left.map_or(0, |(due, calendar)| working_days(calendar, today, due)),
            basis: match item.band() {
                Band::Statutory => message::DueBasis::Statutory,
                Band::House => message::DueBasis::House,
                Band::Undated => message::DueBasis::Undated,
            }
            .into(),
            rule: item.rule.as_ref().map(rule_ref_message),
            since_time: Some(timestamp(item.since)),
            acts: item.needs.map_or(0, role_number),
            citation: item.rule.as_ref().map_or_else(String::new, |rule| rule.cite(lang)),
        }
    }
}

fn role_number(role: PersonRole) -> i32 {
    use organization_message::PersonRole as Role;
    match role {
        PersonRole::DepartmentHead => Role::DepartmentHead,
        PersonRole::SharingOfficeHead => Role::SharingOfficeHead,
        PersonRole::ChiefDataOfficer => Role::ChiefDataOfficer,
        PersonRole::Operator => Role::Operator,
    }
    .into()
}

#[cfg(test)]
mod tests {
    use catalog_state::work::WorkKind;

    use super::*;

    /// Numbers and words of the two tables are the same: a list says what the state means.
    #[test]
    fn kinds_of_work_are_those_of_the_protocol() {
        for kind in WorkKind::ALL {
            let known =
                message::WorkKind::try_from(*kind as i32).expect("a number of the protocol");
            assert_eq!(known.as_str_name(), format!("WORK_KIND_{}", kind.word()));
        }
    }
}

//! What if: which cases would have ended differently under another rule pack?
//!
//! The cases received since a day are held against the pack of their receipt and against a draft,
//! with the same facts: what was asked, of what kind the items were, when the answer came. The
//! difference is therefore the law's alone. Cases are read one after the other and only
//! differences are kept by whoever collects them. A request that was refused at once left no text,
//! only its record, and is counted but not judged again.

use std::{collections::BTreeMap, sync::Arc};

use catalog_model::{
    calendar::WorkingDayCalendar,
    catalog_entry::{CatalogEntry, DataItem, ItemType},
    deadline::WorkingDays,
    name::{Resource, ResourceName},
    policy::{self, EntryFacts, Route},
    rule_pack::{Pair, Resolution, RulePack, Ruling},
    share_request::{RequestContent, ShareRequest},
    sharing::{SharingAttribute, SharingKind},
    time::{LocalDate, UtcMillis},
};
use sha2::{Digest, Sha256};

use crate::{
    codec,
    keys::{Key, Table},
    law::CaseOutcome,
    ledger::{Fact, Ledger},
    rows::{Consent, ConsentKind},
    store::Store,
    view::View,
};

/// Resolutions that are kept: pairs and days repeat, and each resolution costs more than a case.
const RESOLUTIONS_KEPT: usize = 4096;

/// A case that would have ended differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The case.
    pub case: ResourceName,
    /// Its number for people.
    pub case_number: String,
    /// When it was received.
    pub received: UtcMillis,
    /// What differs.
    pub what: Vec<Changed>,
    /// What comes of it under the pack of its receipt.
    pub old: CaseOutcome,
    /// And under the draft.
    pub new: CaseOutcome,
}

/// In what a case would have ended differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// Refused, granted at once, or a case with a decision.
    Route,
    /// What a request must state.
    Contents,
    /// Who decides.
    Decider,
    /// Who owes the answer.
    Debtor,
    /// The last day.
    DueDate,
    /// Whether the answer was in time.
    Timeliness,
}

/// Version of the pack of receipt, whether the draft takes its place, pair, day and composition.
type Asked = (u64, bool, Pair, LocalDate, String);

/// What was found in a portion of the cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portion {
    /// The cases that would have ended differently.
    pub differences: Vec<Difference>,
    /// Cases that were looked at.
    pub looked_at: u64,
    /// Where the next portion begins; none after the last.
    pub next: Option<Vec<u8>>,
}

/// Whether a case is looked at.
type Sees<'a> = Box<dyn Fn(&ShareRequest) -> bool + 'a>;

/// The cases since a day, one difference after the other.
pub struct WhatIf<'a> {
    view: View<'a>,
    cases: Box<dyn Iterator<Item = crate::store::Row> + 'a>,
    sees: Sees<'a>,
    draft: &'a RulePack,
    calendar: WorkingDayCalendar,
    since: LocalDate,
    /// By version of receipt: the pack, and the draft with the rulings of that time.
    packs: BTreeMap<u64, [RulePack; 2]>,
    known: BTreeMap<Asked, Option<Arc<Resolution>>>,
    looked_at: u64,
}

impl std::fmt::Debug for WhatIf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WhatIf").field("looked_at", &self.looked_at).finish_non_exhaustive()
    }
}

/// Replays the cases of this domain that were received since a day under a draft; `None` before
/// bootstrap.
pub fn what_if<'a>(view: View<'a>, draft: &'a RulePack, since: LocalDate) -> Option<WhatIf<'a>> {
    let calendar = view.calendar_in_force()?;
    let table = Key::table(Table::Request);
    Some(WhatIf {
        view,
        cases: view.0.range(table.as_slice(), &table.end()),
        sees: Box::new(|_| true),
        draft,
        calendar,
        since,
        packs: BTreeMap::new(),
        known: BTreeMap::new(),
        looked_at: 0,
    })
}

/// Requests that were refused at once since a day: they left no text to be judged again.
pub fn refused_at_once(view: View<'_>, since: LocalDate) -> u64 {
    let ledger = Ledger(view.0);
    (0..ledger.size())
        .rev()
        .map_while(|place| ledger.record(place).filter(|record| record.time >= since.start()))
        .filter(|record| matches!(record.fact, Fact::RequestRefusedAtOnce { .. }))
        .count() as u64
}

impl<'a> WhatIf<'a> {
    /// The same, of the cases for which `sees` holds.
    #[must_use]
    pub fn only(self, sees: impl Fn(&ShareRequest) -> bool + 'a) -> Self {
        Self { sees: Box::new(sees), ..self }
    }

    /// Looks at no more than `rows` cases on file, from `from` on, and stops earlier where `limit`
    /// of them differ: a long question is asked in portions, so that none takes long.
    pub fn portion(mut self, from: Option<&[u8]>, limit: usize, rows: usize) -> Portion {
        let table = Key::table(Table::Request);
        let from = from.filter(|from| *from >= table.as_slice()).unwrap_or(table.as_slice());
        let cases = self.view.0.range(from, &table.end());
        let mut differences = Vec::new();
        for (place, (key, bytes)) in cases.enumerate() {
            if differences.len() == limit || place == rows {
                return Portion { differences, looked_at: self.looked_at, next: Some(key) };
            }
            let case: ShareRequest = codec::decode(&bytes).expect("rows are ours");
            differences.extend(self.difference(&case));
        }
        Portion { differences, looked_at: self.looked_at, next: None }
    }
}

impl WhatIf<'_> {
    /// Cases looked at so far.
    pub fn looked_at(&self) -> u64 {
        self.looked_at
    }

    fn difference(&mut self, case: &ShareRequest) -> Option<Difference> {
        let received = case.received_time?;
        let rules = case.rules.as_ref()?;
        let cluster = self.view.cluster()?;
        let ours = case.owner_domain == cluster.domain && received.local_date() >= self.since;
        if !ours || !(self.sees)(case) {
            return None;
        }
        self.looked_at += 1;
        let facts = Facts::of(self.view.0, case)?;
        let now = self.view.clock();
        let date = received.local_date();
        let composition = &rules.composition;
        let old = self.resolution(rules.pack_version, false, facts.pair, date, composition)?;
        let old = judge(&old, &facts, &self.calendar, case, now);
        let new = self.resolution(rules.pack_version, true, facts.pair, date, composition)?;
        let new = judge(&new, &facts, &self.calendar, case, now);
        let what = differences(&old, &new);
        (!what.is_empty()).then(|| Difference {
            case: crate::apply::requests::name(case),
            case_number: case.case_number.clone(),
            received,
            what,
            old,
            new,
        })
    }

    /// What holds under a version of the law, or under the draft in its place.
    fn resolution(
        &mut self,
        version: u64,
        draft: bool,
        pair: Pair,
        date: LocalDate,
        composition: &str,
    ) -> Option<Arc<Resolution>> {
        let key = (version, draft, pair, date, composition.to_owned());
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        if !self.packs.contains_key(&version) {
            let own = self.view.pack(version)?;
            let draft = under_rulings_of(&own, self.draft);
            self.packs.insert(version, [own, draft]);
        }
        let pack = &self.packs[&version][usize::from(draft)];
        let resolved = pack.resolve(composition, pair, date).ok().map(Arc::new);
        if self.known.len() >= RESOLUTIONS_KEPT {
            self.known.clear();
        }
        self.known.insert(key, resolved.clone());
        resolved
    }
}

/// The rules of `later` with the rulings of `own`: a ruling binds what is received after it, so a
/// case is held against other rules under the rulings of its receipt.
pub(crate) fn under_rulings_of(own: &RulePack, later: &RulePack) -> RulePack {
    if own.rulings() == later.rulings() {
        return later.clone();
    }
    // A ruling on a rule that the later pack has lost is void.
    let rulings: Vec<Ruling> = own
        .rulings()
        .iter()
        .filter(|ruling| ruling.rules().into_iter().all(|rule| later.rule(rule).is_some()))
        .cloned()
        .collect();
    later.with_rulings(&rulings).expect("their rules are in the pack")
}

impl Iterator for WhatIf<'_> {
    type Item = Difference;

    fn next(&mut self) -> Option<Difference> {
        loop {
            let (_, bytes) = self.cases.next()?;
            let case: ShareRequest = codec::decode(&bytes).expect("rows are ours");
            if let Some(difference) = self.difference(&case) {
                return Some(difference);
            }
        }
    }
}

/// In what two outcomes differ that a party would notice.
pub fn differences(old: &CaseOutcome, new: &CaseOutcome) -> Vec<Changed> {
    let route = |outcome: &CaseOutcome| (outcome.refused.is_some(), outcome.at_once);
    let fields = |outcome: &CaseOutcome| {
        outcome.refused.as_ref().map(|refusal| (refusal.reason, refusal.fields.clone()))
    };
    let mut what = Vec::new();
    let mut add = |differs: bool, changed| what.extend(differs.then_some(changed));
    add(route(old) != route(new), Changed::Route);
    add(fields(old) != fields(new), Changed::Contents);
    // Of a refused request nobody decides anything, and where a standing answer answers nobody does.
    if old.refused.is_none() && new.refused.is_none() {
        let decided = !(old.at_once && new.at_once);
        add(decided && old.decider != new.decider, Changed::Decider);
        add(decided && old.debtor != new.debtor, Changed::Debtor);
        add(old.due_date != new.due_date, Changed::DueDate);
        add(old.late != new.late, Changed::Timeliness);
    }
    what
}

/// What is the same under any pack: the pair, and the entry as it was asked for.
struct Facts {
    pair: Pair,
    attribute: Option<SharingAttribute>,
    items: Vec<DataItem>,
    standing_answer: bool,
}

impl Facts {
    fn of(store: &dyn Store, case: &ShareRequest) -> Option<Self> {
        let Resource::Entry(id) = case.content.entry.resource else { return None };
        let domain = &case.content.entry.domain;
        let view = View(store);
        let published = view.published_entry(domain, id);
        let entry: CatalogEntry = published.or_else(|| view.entry(domain, id))?;
        let pair =
            Pair { asker: case.requester.class?, provider: case.provider.class?, data: entry.kind };
        let consent: Option<Consent> =
            view.consent(ConsentKind::StandingAnswer, &case.content.entry);
        let digest: [u8; 32] = Sha256::digest(codec::encode(&entry.content)).into();
        // An entry that has changed since is no witness of what was asked for then: the case knows
        // the attribute that applied.
        let same = entry.version == case.entry_version;
        let was_at_once = case.answer.as_ref().is_some_and(|given| given.standing);
        let (attribute, items, standing_answer) = if same {
            let standing = consent.is_some_and(|consent| consent.digest == digest);
            (entry.content.sharing, entry.content.items, standing)
        } else {
            let items = case.content.items.iter().map(|name| item(name, case.sharing)).collect();
            let attribute = entry.content.sharing.filter(|known| known.kind() == case.sharing);
            let attribute = attribute.unwrap_or_else(|| attribute_of(case.sharing));
            (Some(attribute), items, was_at_once)
        };
        Some(Self { pair, attribute, items, standing_answer })
    }
}

fn item(name: &str, sharing: SharingKind) -> DataItem {
    DataItem {
        name: name.to_owned(),
        name_en: String::new(),
        item_type: ItemType::Character,
        description: String::new(),
        sharing: Some(sharing),
        grade: None,
        personal: false,
        basis: None,
    }
}

fn attribute_of(kind: SharingKind) -> SharingAttribute {
    match kind {
        SharingKind::Unconditional => SharingAttribute::Unconditional,
        SharingKind::Conditional => SharingAttribute::Conditional {
            scope: String::new(),
            purpose: String::new(),
            basis: None,
        },
        SharingKind::NotShared => {
            SharingAttribute::NotShared { reason: String::new(), basis: None }
        }
    }
}

/// What comes of a case under its own pack and under a later one; `None` if it was never received
/// here, or one of the packs has not its composition.
pub(crate) fn outcomes(
    store: &dyn Store,
    packs: [&RulePack; 2],
    calendar: &WorkingDayCalendar,
    case: &ShareRequest,
    now: UtcMillis,
) -> Option<[CaseOutcome; 2]> {
    let facts = Facts::of(store, case)?;
    let date = case.received_time?.local_date();
    let composition = &case.rules.as_ref()?.composition;
    let [old, new] = packs.map(|pack| {
        let resolution = pack.resolve(composition, facts.pair, date).ok()?;
        Some(judge(&resolution, &facts, calendar, case, now))
    });
    Some([old?, new?])
}

fn judge(
    resolution: &Resolution,
    facts: &Facts,
    calendar: &WorkingDayCalendar,
    case: &ShareRequest,
    now: UtcMillis,
) -> CaseOutcome {
    let mut outcome = CaseOutcome {
        refused: None,
        at_once: false,
        decider: None,
        debtor: None,
        decider_rule: None,
        answer_days: None,
        answer_rule: None,
        due_date: None,
        late: None,
    };
    let entry = EntryFacts {
        listed: true,
        sharing: facts.attribute.as_ref(),
        items: &facts.items,
        standing_answer: facts.standing_answer,
    };
    let received = case.received_time.unwrap_or_default();
    let asked: &RequestContent = &case.content;
    let rules = match policy::decide(resolution, &entry, asked, received.local_date()) {
        Err(refusal) => {
            outcome.refused = Some(resolution.name_expired(refusal));
            return outcome;
        }
        Ok(Route::GrantAtOnce { rules, .. }) => {
            outcome.at_once = true;
            rules
        }
        Ok(Route::OpenCase { rules, answer: (days, rule), .. }) => {
            outcome.answer_days = Some(days.0);
            outcome.answer_rule = Some(rule);
            let added = case
                .answer_clock
                .as_ref()
                .map_or(0, |clock| clock.extended.0.saturating_add(clock.suspended.0));
            let total = WorkingDays(days.0.saturating_add(added));
            let due = calendar.add_working_days(received.local_date(), total).date;
            outcome.due_date = Some(due);
            outcome.late = match &case.answer {
                Some(given) => Some(given.given_time >= due.end()),
                None if case.state.is_open() => Some(now >= due.end()),
                None => None,
            };
            rules
        }
    };
    outcome.decider = Some(rules.decider);
    outcome.debtor = Some(rules.debtor);
    outcome.decider_rule = Some(rules.decider_rule);
    outcome
}

#[cfg(test)]
mod tests;

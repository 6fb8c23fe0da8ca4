//! Catalog entries: shown, written by their provider, imported, followed from another domain.

use catalog_model::{
    catalog_entry::{
        Assessment, CatalogEntry, DataItem, EntryContent, EntryOrigin, Grade, SourceLink,
    },
    ids::{DomainId, OrganizationId},
    name::Resource,
    organization::DataKind,
    refusal::Refusal,
    sharing::{LegalCitation, SharingAttribute, SharingKind},
};
use prost_types::FieldMask;

mod particulars;

use self::particulars::{
    library_message, library_value, nothing_is_absent, particulars, self_check_message,
    self_check_value,
};
use crate::{
    catalog::v1 as message,
    convert::{
        enumeration::{Enumerated as _, number, numbers},
        etag,
        mask::masked,
        name::{self, full_name},
        reading::{At, Reading},
        time::timestamp,
    },
};

/// The fields that a provider edits, by their names in the message and in masks.
pub const EDITABLE: &[&str] = &[
    "title",
    "title_en",
    "abstract",
    "abstract_en",
    "classification",
    "resource_code",
    "formats",
    "items",
    "update_cycle",
    "sharing",
    "sharing_method",
    "conditions_of_use",
    "open_type",
    "grade",
    "assessments",
    "links",
    "duty_basis",
    "related_codes",
    "keywords",
    "region_code",
    "issued_date",
    "synthetic",
    "library",
    "self_checks",
    "secrecy",
];

/// An entry as a provider registers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The domain in the provider's name.
    pub domain: DomainId,
    /// The organization that is answerable for it.
    pub provider: OrganizationId,
    /// Which of the two catalogs (CAT-01).
    pub kind: DataKind,
    /// What it says.
    pub content: EntryContent,
}

/// A line of a foreign catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedEntry {
    /// Name of the provider; empty if the line has none.
    pub provider_name: String,
    /// Its English name; empty if none.
    pub provider_name_en: String,
    /// Which of the two catalogs; absent if not stated.
    pub kind: Option<DataKind>,
    /// What the line states; everything else is absent.
    pub content: EntryContent,
    /// Where it comes from.
    pub origin: EntryOrigin,
}

/// The entry as a message, its working or its published version alike.
pub fn entry_message(entry: &CatalogEntry) -> message::CatalogEntry {
    let content = &entry.content;
    let particulars = content.particulars.as_ref();
    message::CatalogEntry {
        name: full_name(&entry.domain, Resource::Entry(entry.id)),
        provider: full_name(&entry.domain, Resource::Organization(entry.provider)),
        provider_name: entry.provider_name.clone(),
        kind: entry.kind.number(),
        state: entry.state.number(),
        title: content.title.clone(),
        title_en: content.title_en.clone(),
        r#abstract: content.abstract_text.clone(),
        abstract_en: content.abstract_en.clone(),
        classification: content.classification.clone(),
        resource_code: content.resource_code.clone(),
        formats: numbers(&content.formats),
        items: content.items.iter().map(item_message).collect(),
        update_cycle: number(content.update_cycle),
        sharing: content.sharing.as_ref().map(sharing_message),
        sharing_method: number(content.sharing_method),
        conditions_of_use: content.conditions_of_use.clone(),
        open_type: number(content.open_type),
        grade: content.grade.map(grade_message),
        assessments: content.assessments.iter().map(assessment_message).collect(),
        links: content
            .links
            .iter()
            .map(|link| message::SourceLink {
                system: full_name(&entry.domain, Resource::System(entry.provider, link.system)),
                dataset: link.dataset.clone(),
            })
            .collect(),
        duty_basis: content.duty_basis.clone(),
        related_codes: content.related_codes.clone(),
        keywords: content.keywords.clone(),
        region_code: content.region_code.clone(),
        issued_date: content.issued_date.map(String::from).unwrap_or_default(),
        synthetic: content.synthetic,
        origin: origin_message(&entry.origin),
        gaps: entry.gaps().into_iter().map(str::to_owned).collect(),
        return_reason: entry.return_reason.clone(),
        version: entry.version,
        published_version: entry.published_version,
        etag: etag(entry.version),
        create_time: Some(timestamp(entry.created_time)),
        update_time: Some(timestamp(entry.updated_time)),
        publish_time: entry.published_time.map(timestamp),
        provider_class: number(entry.provider_class),
        library: particulars.and_then(|known| known.library.as_ref()).map(library_message),
        self_checks: particulars
            .map(|known| known.self_checks.iter().map(self_check_message).collect())
            .unwrap_or_default(),
        secrecy: number(particulars.and_then(|known| known.secrecy)),
    }
}

/// An entry of another domain, whole, as [`entry_message`] wrote it there.
pub fn read_entry(entry: &message::CatalogEntry, field: &str) -> Result<CatalogEntry, Refusal> {
    let mut reading = Reading::new();
    let value = entry_value(&mut reading, At::Root(field), entry);
    reading.finish(value)
}

fn entry_value(
    reading: &mut Reading,
    at: At<'_>,
    entry: &message::CatalogEntry,
) -> Option<CatalogEntry> {
    let named = reading.name(at.field("name"), &entry.name, &name::ENTRY);
    let provider = reading.name(at.field("provider"), &entry.provider, &name::ORGANIZATION);
    if let (Some((owner, _)), Some((home, _))) = (&named, &provider)
        && owner != home
    {
        reading.wrong(
            at.field("provider"),
            format!("is of domain {home}, the entry of {owner}"),
            format!("属于域 {home}，而目录条目属于 {owner}"),
        );
    }
    let kind = reading.required(at.field("kind"), entry.kind);
    let state = reading.required(at.field("state"), entry.state);
    let origin = match &entry.origin {
        None => EntryOrigin::Registered,
        Some(origin) => portal_origin(origin),
    };
    let content = content_value(reading, at, entry);
    let created_time = reading.instant(at.field("create_time"), entry.create_time.as_ref());
    let updated_time = reading.instant(at.field("update_time"), entry.update_time.as_ref());
    let published_time =
        reading.optional_instant(at.field("publish_time"), entry.publish_time.as_ref());
    let provider_class = reading.optional(at.field("provider_class"), entry.provider_class);
    let (domain, id) = named?;
    Some(CatalogEntry {
        id,
        domain,
        provider: provider?.1,
        provider_name: entry.provider_name.clone(),
        kind: kind?,
        state: state?,
        origin,
        content,
        version: entry.version,
        published_version: entry.published_version,
        return_reason: entry.return_reason.clone(),
        created_time: created_time?,
        updated_time: updated_time?,
        published_time,
        provider_class,
    })
}

/// An entry as a provider registers it; `field` is `entry` there.
pub fn read_new_entry(entry: &message::CatalogEntry, field: &str) -> Result<NewEntry, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let provider = reading.name(at.field("provider"), &entry.provider, &name::ORGANIZATION);
    let kind = reading.required(at.field("kind"), entry.kind);
    let content = content_value(&mut reading, at, entry);
    let new = provider.zip(kind).map(|((domain, provider), kind)| NewEntry {
        domain,
        provider,
        kind,
        content,
    });
    reading.finish(new)
}

/// Everything editable that the message states.
pub fn read_entry_content(
    entry: &message::CatalogEntry,
    field: &str,
) -> Result<EntryContent, Refusal> {
    let mut reading = Reading::new();
    let content = content_value(&mut reading, At::Root(field), entry);
    reading.finish(Some(content))
}

/// `current` with the masked fields as `entry` states them; a masked field that `entry` leaves
/// out becomes absent. No mask, an empty one and `*` mean every [`EDITABLE`] field; fields
/// outside the mask are not even read.
pub fn apply_entry_mask(
    mut current: EntryContent,
    entry: &message::CatalogEntry,
    mask: Option<&FieldMask>,
    field: &str,
) -> Result<EntryContent, Refusal> {
    let mut reading = Reading::new();
    for path in masked(&mut reading, mask, EDITABLE) {
        read_field(&mut reading, At::Root(field), entry, path, &mut current);
    }
    reading.finish(Some(nothing_is_absent(current)))
}

/// A line of a foreign catalog: only what it states. `field` is `entries[i]`.
pub fn read_import(line: &message::ImportEntry, field: &str) -> Result<ImportedEntry, Refusal> {
    let (mut reading, at) = (Reading::new(), At::Root(field));
    let origin = reading.message(at.field("origin"), line.origin.as_ref()).map(portal_origin);
    let entry_at = at.field("entry");
    let stated = reading.message(entry_at, line.entry.as_ref()).map(|entry| {
        let kind = reading.optional(entry_at.field("kind"), entry.kind);
        (kind, content_value(&mut reading, entry_at, entry))
    });
    let line = stated.zip(origin).map(|((kind, content), origin)| ImportedEntry {
        provider_name: line.provider_name.clone(),
        provider_name_en: line.provider_name_en.clone(),
        kind,
        content,
        origin,
    });
    reading.finish(line)
}

fn content_value(reading: &mut Reading, at: At<'_>, entry: &message::CatalogEntry) -> EntryContent {
    let mut content = EntryContent::default();
    for path in EDITABLE {
        read_field(reading, at, entry, path, &mut content);
    }
    nothing_is_absent(content)
}

/// Reads one editable field; the one place that knows what each path means.
fn read_field(
    reading: &mut Reading,
    at: At<'_>,
    entry: &message::CatalogEntry,
    path: &'static str,
    content: &mut EntryContent,
) {
    let here = at.field(path);
    match path {
        "title" => content.title.clone_from(&entry.title),
        "title_en" => content.title_en.clone_from(&entry.title_en),
        "abstract" => content.abstract_text.clone_from(&entry.r#abstract),
        "abstract_en" => content.abstract_en.clone_from(&entry.abstract_en),
        "classification" => content.classification.clone_from(&entry.classification),
        "resource_code" => content.resource_code.clone_from(&entry.resource_code),
        "formats" => content.formats = reading.set(here, &entry.formats),
        "items" => {
            content.items = entry
                .items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| item_value(reading, here.index(index), item))
                .collect();
        }
        "update_cycle" => content.update_cycle = reading.optional(here, entry.update_cycle),
        "sharing" => {
            content.sharing =
                entry.sharing.as_ref().and_then(|sharing| sharing_value(reading, here, sharing));
        }
        "sharing_method" => content.sharing_method = reading.optional(here, entry.sharing_method),
        "conditions_of_use" => content.conditions_of_use.clone_from(&entry.conditions_of_use),
        "open_type" => content.open_type = reading.optional(here, entry.open_type),
        "grade" => {
            content.grade =
                entry.grade.as_ref().and_then(|grade| grade_value(reading, here, *grade));
        }
        "assessments" => {
            content.assessments = entry
                .assessments
                .iter()
                .enumerate()
                .filter_map(|(index, made)| assessment_value(reading, here.index(index), made))
                .collect();
        }
        "links" => {
            content.links = entry
                .links
                .iter()
                .enumerate()
                .filter_map(|(index, link)| {
                    link_value(reading, here.index(index), link, &entry.provider)
                })
                .collect();
        }
        "duty_basis" => content.duty_basis.clone_from(&entry.duty_basis),
        "related_codes" => content.related_codes.clone_from(&entry.related_codes),
        "keywords" => content.keywords.clone_from(&entry.keywords),
        "region_code" => content.region_code.clone_from(&entry.region_code),
        "issued_date" => content.issued_date = reading.optional_date(here, &entry.issued_date),
        "synthetic" => content.synthetic = entry.synthetic,
        "library" => {
            let library = entry.library.as_ref();
            particulars(content).library =
                library.and_then(|library| library_value(reading, here, library));
        }
        "self_checks" => {
            particulars(content).self_checks = entry
                .self_checks
                .iter()
                .enumerate()
                .filter_map(|(index, made)| self_check_value(reading, here.index(index), made))
                .collect();
        }
        "secrecy" => particulars(content).secrecy = reading.optional(here, entry.secrecy),
        // Only paths of EDITABLE get here; a test walks the list.
        unread => unreachable!("{unread} is editable but not read"),
    }
}

fn item_message(item: &DataItem) -> message::DataItem {
    message::DataItem {
        name: item.name.clone(),
        name_en: item.name_en.clone(),
        r#type: item.item_type.number(),
        description: item.description.clone(),
        sharing: number(item.sharing),
        grade: item.grade.map(grade_message),
        personal: item.personal,
        basis: item.basis.as_ref().map(citation_message),
    }
}

fn item_value(reading: &mut Reading, at: At<'_>, item: &message::DataItem) -> Option<DataItem> {
    if item.name.is_empty() {
        reading.missing(at.field("name"));
    }
    let item_type = reading.required(at.field("type"), item.r#type);
    let sharing = reading.optional(at.field("sharing"), item.sharing);
    let grade =
        item.grade.as_ref().and_then(|grade| grade_value(reading, at.field("grade"), *grade));
    let basis =
        item.basis.as_ref().and_then(|basis| citation_value(reading, at.field("basis"), basis));
    Some(DataItem {
        name: item.name.clone(),
        name_en: item.name_en.clone(),
        item_type: item_type?,
        description: item.description.clone(),
        sharing,
        grade,
        personal: item.personal,
        basis,
    })
}

fn grade_message(grade: Grade) -> message::Grade {
    let (level, grade) = match grade {
        Grade::General(grade) => (message::DataLevel::General, grade),
        Grade::Important => (message::DataLevel::Important, 0),
        Grade::Core => (message::DataLevel::Core, 0),
    };
    message::Grade { level: level as i32, grade: u32::from(grade) }
}

fn grade_value(reading: &mut Reading, at: At<'_>, grade: message::Grade) -> Option<Grade> {
    use message::DataLevel as Level;
    match (Level::try_from(grade.level), u8::try_from(grade.grade)) {
        (Ok(Level::General), Ok(number @ 1..=4)) => Some(Grade::General(number)),
        (Ok(Level::Important), Ok(0)) => Some(Grade::Important),
        (Ok(Level::Core), Ok(0)) => Some(Grade::Core),
        (Ok(Level::General), _) => {
            reading.wrong(
                at.field("grade"),
                format!("general data have a grade from 1 to 4, not {}", grade.grade),
                format!("一般数据的级别为 1 至 4，而非 {}", grade.grade),
            );
            None
        }
        (Ok(Level::Important | Level::Core), _) => {
            reading.wrong(at.field("grade"), "only general data have a grade", "仅一般数据有级别");
            None
        }
        (Ok(Level::Unspecified), _) => {
            reading.missing(at.field("level"));
            None
        }
        (Err(_), _) => {
            reading.wrong(
                at.field("level"),
                format!("{} is not a value of this enumeration", grade.level),
                format!("{} 不是该枚举的取值", grade.level),
            );
            None
        }
    }
}

pub(crate) fn sharing_message(sharing: &SharingAttribute) -> message::SharingAttribute {
    let kind = sharing.kind().number();
    match sharing {
        SharingAttribute::Unconditional => message::SharingAttribute { kind, ..Default::default() },
        SharingAttribute::Conditional { scope, purpose, basis } => message::SharingAttribute {
            kind,
            scope: scope.clone(),
            purpose: purpose.clone(),
            basis: basis.as_ref().map(citation_message),
            ..Default::default()
        },
        SharingAttribute::NotShared { reason, basis } => message::SharingAttribute {
            kind,
            reason: reason.clone(),
            basis: basis.as_ref().map(citation_message),
            ..Default::default()
        },
    }
}

/// What does not belong to the kind is refused rather than dropped: whoever wrote it meant it.
pub(crate) fn sharing_value(
    reading: &mut Reading,
    at: At<'_>,
    sharing: &message::SharingAttribute,
) -> Option<SharingAttribute> {
    let message::SharingAttribute { kind, scope, purpose, reason, basis } = sharing;
    let kind: SharingKind = reading.required(at.field("kind"), *kind)?;
    let mut foreign = |field, stated: bool| {
        if stated {
            reading.wrong(
                at.field(field),
                format!("does not belong to the sharing attribute {kind}"),
                format!("不属于共享属性 {kind} 的内容"),
            );
        }
    };
    if kind != SharingKind::Conditional {
        foreign("scope", !scope.is_empty());
        foreign("purpose", !purpose.is_empty());
    }
    if kind != SharingKind::NotShared {
        foreign("reason", !reason.is_empty());
    }
    if kind == SharingKind::Unconditional {
        foreign("basis", basis.is_some());
    }
    let basis = basis.as_ref().and_then(|basis| citation_value(reading, at.field("basis"), basis));
    Some(match kind {
        SharingKind::Unconditional => SharingAttribute::Unconditional,
        SharingKind::Conditional => {
            SharingAttribute::Conditional { scope: scope.clone(), purpose: purpose.clone(), basis }
        }
        SharingKind::NotShared => SharingAttribute::NotShared { reason: reason.clone(), basis },
    })
}

pub(crate) fn citation_message(citation: &LegalCitation) -> message::LegalCitation {
    message::LegalCitation {
        title: citation.title.clone(),
        article: citation.article.clone(),
        rank: citation.rank.number(),
        quote: citation.quote.clone(),
    }
}

pub(crate) fn citation_value(
    reading: &mut Reading,
    at: At<'_>,
    citation: &message::LegalCitation,
) -> Option<LegalCitation> {
    let rank = reading.required(at.field("rank"), citation.rank);
    Some(LegalCitation {
        title: citation.title.clone(),
        article: citation.article.clone(),
        rank: rank?,
        quote: citation.quote.clone(),
    })
}

fn assessment_message(made: &Assessment) -> message::Assessment {
    message::Assessment {
        kind: made.kind.number(),
        passed: made.passed,
        date: made.date.to_string(),
        note: made.note.clone(),
    }
}

fn assessment_value(
    reading: &mut Reading,
    at: At<'_>,
    made: &message::Assessment,
) -> Option<Assessment> {
    let kind = reading.required(at.field("kind"), made.kind);
    let date = reading.date(at.field("date"), &made.date);
    Some(Assessment { kind: kind?, passed: made.passed, date: date?, note: made.note.clone() })
}

/// A link names a system of the provider, so that the value needs to keep the system's id only.
/// Where the call does not repeat the provider, state looks the id up among its systems.
fn link_value(
    reading: &mut Reading,
    at: At<'_>,
    link: &message::SourceLink,
    provider: &str,
) -> Option<SourceLink> {
    let at = at.field("system");
    let (domain, organization, system) = reading.name(at, &link.system, &name::SYSTEM)?;
    if !provider.is_empty() && full_name(&domain, Resource::Organization(organization)) != provider
    {
        reading.wrong(at, "is not a system of the provider", "不是该数据提供单位的系统");
    }
    Some(SourceLink { system, dataset: link.dataset.clone() })
}

fn origin_message(origin: &EntryOrigin) -> Option<message::PortalOrigin> {
    match origin {
        EntryOrigin::Registered => None,
        EntryOrigin::OpenPortal { portal, seq, open_type_raw, update_cycle_raw } => {
            Some(message::PortalOrigin {
                portal: portal.clone(),
                seq: *seq,
                open_type_raw: open_type_raw.clone(),
                update_cycle_raw: update_cycle_raw.clone(),
            })
        }
    }
}

fn portal_origin(origin: &message::PortalOrigin) -> EntryOrigin {
    EntryOrigin::OpenPortal {
        portal: origin.portal.clone(),
        seq: origin.seq,
        open_type_raw: origin.open_type_raw.clone(),
        update_cycle_raw: origin.update_cycle_raw.clone(),
    }
}

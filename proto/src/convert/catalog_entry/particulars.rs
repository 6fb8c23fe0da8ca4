//! What an entry states beyond the national guide: library, self-checks, secrecy mark.

use catalog_model::catalog_entry::{EntryContent, EntryParticulars, Library, SelfCheck};

use crate::{
    catalog::v1 as message,
    convert::{
        enumeration::Enumerated as _,
        reading::{At, Reading},
    },
};

/// Particulars that state nothing are none: whoever has nothing to say beyond the guide is not
/// asked for the command level of those who have.
pub(super) fn nothing_is_absent(mut content: EntryContent) -> EntryContent {
    content.particulars = content.particulars.filter(|stated| *stated != Default::default());
    content
}

/// The particulars, to state something in them.
pub(super) fn particulars(content: &mut EntryContent) -> &mut EntryParticulars {
    content.particulars.get_or_insert_default()
}

pub(super) fn library_message(library: &Library) -> message::Library {
    let kind = match library {
        Library::Base(_) => message::LibraryKind::Base,
        Library::Theme(_) => message::LibraryKind::Theme,
    };
    message::Library { kind: kind.into(), name: library.name().to_owned() }
}

pub(super) fn library_value(
    reading: &mut Reading,
    at: At<'_>,
    library: &message::Library,
) -> Option<Library> {
    if library.name.trim().is_empty() {
        reading.missing(at.field("name"));
    }
    match message::LibraryKind::try_from(library.kind) {
        Ok(message::LibraryKind::Base) => Some(Library::Base(library.name.clone())),
        Ok(message::LibraryKind::Theme) => Some(Library::Theme(library.name.clone())),
        Ok(message::LibraryKind::Unspecified) => {
            reading.missing(at.field("kind"));
            None
        }
        Err(_) => {
            reading.wrong(
                at.field("kind"),
                format!("{} is not a value of this enumeration", library.kind),
                format!("{} 不是该枚举的取值", library.kind),
            );
            None
        }
    }
}

pub(super) fn self_check_message(made: &SelfCheck) -> message::SelfCheck {
    message::SelfCheck {
        kind: made.kind.number(),
        passed: made.passed,
        date: made.date.to_string(),
        checker: made.checker.clone(),
    }
}

pub(super) fn self_check_value(
    reading: &mut Reading,
    at: At<'_>,
    made: &message::SelfCheck,
) -> Option<SelfCheck> {
    let kind = reading.required(at.field("kind"), made.kind);
    let date = reading.date(at.field("date"), &made.date);
    let checker = made.checker.clone();
    Some(SelfCheck { kind: kind?, passed: made.passed, date: date?, checker })
}

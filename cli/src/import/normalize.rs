//! Normalize: what of one line of a foreign catalog can stand in a draft here, and in which words?
//!
//! Known words are mapped, the portal's own words are kept beside them, unknown ones quarantine
//! the line (POL-06). What the line does not say is a gap; a gap is counted, never filled.

use catalog_model::time::LocalDate;
use luqiao_proto::catalog::v1::{
    CatalogEntry, DataFormat, DataItem, ImportEntry, ItemType, OpenType, PortalOrigin, UpdateCycle,
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{both, language::Bilingual};

/// Keys that are read. Every other key of a line is passed over and counted.
const KEYS: [&str; 17] = [
    "portal",
    "seq",
    "title",
    "title_en",
    "provider",
    "provider_en",
    "description",
    "description_en",
    "theme",
    "open_type",
    "open_type_norm",
    "update_cycle",
    "update_cycle_norm",
    "published",
    "formats",
    "keywords",
    "items",
];

/// Words of `open_type_norm`.
const OPEN_TYPES: [(&str, OpenType); 3] = [
    ("unconditional", OpenType::Unconditional),
    ("on_application", OpenType::OnApplication),
    ("secure", OpenType::Secure),
];

/// Words of `update_cycle_norm`.
const UPDATE_CYCLES: [(&str, UpdateCycle); 9] = [
    ("realtime", UpdateCycle::Realtime),
    ("sub_day", UpdateCycle::SubDay),
    ("day", UpdateCycle::Day),
    ("week", UpdateCycle::Week),
    ("month", UpdateCycle::Month),
    ("quarter", UpdateCycle::Quarter),
    ("half_year", UpdateCycle::HalfYear),
    ("year", UpdateCycle::Year),
    ("irregular", UpdateCycle::Irregular),
];

/// The national guide's letters of 数据类型.
const ITEM_TYPES: [(&str, ItemType); 11] = [
    ("C", ItemType::Character),
    ("N", ItemType::Numeric),
    ("Y", ItemType::Currency),
    ("D", ItemType::Date),
    ("T", ItemType::DateTime),
    ("L", ItemType::Logical),
    ("M", ItemType::Memo),
    ("G", ItemType::General),
    ("B", ItemType::Double),
    ("I", ItemType::Integer),
    ("F", ItemType::Float),
];

/// File formats of portals under the guide's 信息资源格式. A word in Chinese stands for every word
/// that begins with it, as in `数据库-mysql`.
const FORMATS: [(DataFormat, &[&str]); 7] = [
    (
        DataFormat::Document,
        &[
            "doc",
            "docx",
            "html",
            "ofd",
            "pdf",
            "ppt",
            "pptx",
            "rtf",
            "txt",
            "wps",
            "xml",
            "电子文件",
        ],
    ),
    (DataFormat::Spreadsheet, &["csv", "et", "excel", "xls", "xlsx", "电子表格"]),
    (
        DataFormat::Database,
        &["accdb", "db", "dbf", "db数据库", "dm", "mdb", "mysql", "oracle", "sql", "数据库"],
    ),
    (DataFormat::Image, &["bmp", "gif", "jpeg", "jpg", "png", "tif", "tiff", "图形图像"]),
    (DataFormat::Media, &["avi", "mov", "mp3", "mp4", "mpg", "rm", "swf", "wav", "流媒体"]),
    (
        DataFormat::SelfDescribing,
        &["geojson", "json", "jsonld", "kml", "n3", "nt", "rdf", "shp", "ttl", "自描述格式"],
    ),
    (
        DataFormat::ServiceInterface,
        &["api", "rest", "webservice", "wfs", "wms", "接口", "服务接口"],
    ),
];

/// Why a line is set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Longer than [`LINE_BYTES_MAX`](super::reader::LINE_BYTES_MAX).
    LineTooLong {
        /// Its length.
        bytes: u64,
    },
    /// Not UTF-8.
    NotUtf8 {
        /// The first byte that is wrong, from 0.
        at: usize,
    },
    /// Not JSON, or more than one value.
    NotJson {
        /// What the parser met.
        detail: String,
    },
    /// JSON, but not an object.
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// A field holds something else than it should.
    FieldWrong {
        /// Its path.
        field: String,
        /// What it should be.
        expected: &'static str,
    },
    /// No title.
    TitleMissing,
    /// No provider.
    ProviderMissing,
    /// A word for open type or update cycle is `other`, or none that we know.
    WordUnknown {
        /// The field.
        field: &'static str,
        /// The normalized word.
        word: String,
        /// The portal's own word; empty if it has none.
        raw: String,
    },
    /// The platform's checks, here or at the server, did not let it pass.
    Refused {
        /// The stable reason.
        reason: String,
        /// The sentence.
        message: Bilingual,
    },
}

impl Fault {
    /// A stable name.
    pub fn reason(&self) -> &str {
        match self {
            Self::LineTooLong { .. } => "line_too_long",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::NotJson { .. } => "not_json",
            Self::NotAnObject { .. } => "not_an_object",
            Self::FieldWrong { .. } => "field_wrong",
            Self::TitleMissing => "title_missing",
            Self::ProviderMissing => "provider_missing",
            Self::WordUnknown { .. } => "word_unknown",
            Self::Refused { reason, .. } => reason,
        }
    }

    /// What is wrong with the line.
    pub fn message(&self) -> Bilingual {
        match self {
            Self::LineTooLong { bytes } => both!(
                "the line has {bytes} bytes; at most 1,048,576 are read",
                "该行长 {bytes} 字节，最多读取 1,048,576 字节"
            ),
            Self::NotUtf8 { at } => {
                both!("byte {at} of the line is not UTF-8", "该行第 {at} 字节不是 UTF-8")
            }
            Self::NotJson { detail } => {
                both!(
                    "the line is not one JSON object: {detail}",
                    "该行不是一个 JSON 对象：{detail}"
                )
            }
            Self::NotAnObject { found } => both!(
                "the line is a JSON {found}, an object is expected",
                "该行是 JSON 的其他值（{found}），应为对象"
            ),
            Self::FieldWrong { field, expected } => {
                both!("`{field}` should be {expected}", "字段 {field} 类型不符，应为 {expected}")
            }
            Self::TitleMissing => both!("there is no title", "缺少名称（title）"),
            Self::ProviderMissing => both!("there is no provider", "缺少提供单位（provider）"),
            Self::WordUnknown { field, word, raw } => both!(
                "`{field}` is `{word}`, which says nothing certain (the portal writes `{raw}`)",
                "{field} 为“{word}”，含义不明（门户原文“{raw}”）"
            ),
            Self::Refused { message, .. } => message.clone(),
        }
    }
}

/// The texts of a line, trimmed; what is null, empty or blank counts as absent.
#[derive(Debug)]
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    portal: Option<&'a str>,
    title: Option<&'a str>,
    provider: Option<&'a str>,
    description: Option<&'a str>,
}

impl<'a> Fields<'a> {
    /// Reads the four texts that say which entry a line is.
    pub fn of(object: &'a Map<String, Value>) -> Result<Self, Fault> {
        Ok(Self {
            object,
            portal: text(object, "portal")?,
            title: text(object, "title")?,
            provider: text(object, "provider")?,
            description: text(object, "description")?,
        })
    }

    /// Equal for lines of which these four agree, absent ones included.
    ///
    /// Half a SHA-256: for a million lines the chance that two that differ agree is below 10⁻²⁶.
    pub fn identity(&self) -> [u8; 16] {
        let mut hash = Sha256::new();
        for field in [self.portal, self.title, self.provider, self.description] {
            // Lengths keep the fields apart; no text has this length.
            hash.update(field.map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
            hash.update(field.unwrap_or_default());
        }
        let digest: [u8; 32] = hash.finalize().into();
        digest.first_chunk().copied().expect("16 is less than 32")
    }

    /// What stands in the draft. A record without a number of its own gets that of its line.
    pub fn draft(&self, line: u64) -> Result<Draft, Fault> {
        let object = self.object;
        let title = self.title.ok_or(Fault::TitleMissing)?;
        let provider = self.provider.ok_or(Fault::ProviderMissing)?;
        let optional = |key| text(object, key).map(Option::unwrap_or_default);

        let open_type = word(object, "open_type_norm", "open_type", &OPEN_TYPES)?;
        let update_cycle = word(object, "update_cycle_norm", "update_cycle", &UPDATE_CYCLES)?;
        let theme = text(object, "theme")?;
        let published = text(object, "published")?.and_then(|day| day.parse::<LocalDate>().ok());
        let (formats, formats_unmapped) = formats(object)?;
        let keywords = texts(object, "keywords")?;
        let items = items(object)?;
        let seq = match object.get("seq") {
            None | Some(Value::Null) => line,
            Some(value) => value.as_u64().ok_or_else(|| Fault::FieldWrong {
                field: "seq".to_owned(),
                expected: "a whole number",
            })?,
        };

        let absent = [
            ("description", self.description.is_none()),
            ("theme", theme.is_none()),
            ("open_type", open_type.is_none()),
            ("update_cycle", update_cycle.is_none()),
            ("published", published.is_none()),
            ("formats", formats.is_empty()),
            ("keywords", keywords.is_empty()),
            ("items", items.is_empty()),
            // No open catalog carries these; the provider states them before submission.
            ("sharing_attribute", true),
            ("grade", true),
            ("links", true),
            ("credit_code", true),
        ];
        let entry = CatalogEntry {
            title: title.to_owned(),
            title_en: optional("title_en")?.to_owned(),
            r#abstract: self.description.unwrap_or_default().to_owned(),
            abstract_en: optional("description_en")?.to_owned(),
            classification: theme.unwrap_or_default().to_owned(),
            formats: formats.into_iter().map(i32::from).collect(),
            items,
            update_cycle: update_cycle.map_or(0, i32::from),
            open_type: open_type.map_or(0, i32::from),
            keywords,
            issued_date: published.map(|day| day.to_string()).unwrap_or_default(),
            ..Default::default()
        };
        Ok(Draft {
            entry: ImportEntry {
                provider_name: provider.to_owned(),
                provider_name_en: optional("provider_en")?.to_owned(),
                entry: Some(entry),
                origin: Some(PortalOrigin {
                    portal: self.portal.unwrap_or_default().to_owned(),
                    seq,
                    open_type_raw: optional("open_type")?.to_owned(),
                    update_cycle_raw: optional("update_cycle")?.to_owned(),
                }),
            },
            gaps: absent
                .into_iter()
                .filter(|(_, absent)| *absent)
                .map(|(field, _)| field)
                .collect(),
            formats_unmapped,
            not_taken: object.keys().filter(|key| !KEYS.contains(&key.as_str())).cloned().collect(),
        })
    }
}

/// A line as it would be sent, with what it lacks.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The entry, its provider and where it comes from.
    pub entry: ImportEntry,
    /// Fields of the national guide that the source does not state.
    pub gaps: Vec<&'static str>,
    /// Format words that stand for no 信息资源格式 we know. The guide's list is closed: the entry
    /// goes without them.
    pub formats_unmapped: Vec<String>,
    /// Keys that have no place in an entry.
    pub not_taken: Vec<String>,
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
        Some(_) => Err(Fault::FieldWrong { field: key.to_owned(), expected: "text" }),
    }
}

/// The texts of a list, each once, in order.
fn texts(object: &Map<String, Value>, key: &str) -> Result<Vec<String>, Fault> {
    let wrong = || Fault::FieldWrong { field: key.to_owned(), expected: "a list of texts" };
    let list = match object.get(key) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(wrong()),
    };
    let mut texts: Vec<String> = Vec::with_capacity(list.len());
    for value in list {
        let text = value.as_str().ok_or_else(wrong)?.trim();
        if !text.is_empty() && !texts.iter().any(|known| known == text) {
            texts.push(text.to_owned());
        }
    }
    Ok(texts)
}

fn word<T: Copy>(
    object: &Map<String, Value>,
    key: &'static str,
    raw_key: &str,
    known: &[(&str, T)],
) -> Result<Option<T>, Fault> {
    let Some(word) = text(object, key)? else {
        return Ok(None);
    };
    match known.iter().find(|(name, _)| *name == word) {
        Some((_, value)) => Ok(Some(*value)),
        None => Err(Fault::WordUnknown {
            field: key,
            word: word.to_owned(),
            raw: text(object, raw_key)?.unwrap_or_default().to_owned(),
        }),
    }
}

fn formats(object: &Map<String, Value>) -> Result<(Vec<DataFormat>, Vec<String>), Fault> {
    let mut known = Vec::new();
    let mut unmapped = Vec::new();
    for word in texts(object, "formats")? {
        let small = word.to_lowercase();
        match FORMATS.iter().find(|(_, words)| words.iter().any(|known| is_format(&small, known))) {
            Some((format, _)) if known.contains(format) => {}
            Some((format, _)) => known.push(*format),
            None => unmapped.push(small),
        }
    }
    known.sort_unstable();
    Ok((known, unmapped))
}

fn is_format(word: &str, known: &str) -> bool {
    word == known || (!known.starts_with(|c: char| c.is_ascii()) && word.starts_with(known))
}

fn items(object: &Map<String, Value>) -> Result<Vec<DataItem>, Fault> {
    let list = match object.get("items") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => {
            return Err(Fault::FieldWrong {
                field: "items".to_owned(),
                expected: "a list of objects",
            });
        }
    };
    list.iter().enumerate().map(|(index, value)| item(index, value)).collect()
}

fn item(index: usize, value: &Value) -> Result<DataItem, Fault> {
    let wrong = |field: &str, expected| Fault::FieldWrong {
        field: format!("items[{index}]{field}"),
        expected,
    };
    let object = value.as_object().ok_or_else(|| wrong("", "an object"))?;
    let optional = |key: &str| {
        text(object, key)
            .map(Option::unwrap_or_default)
            .map_err(|_| wrong(&format!(".{key}"), "text"))
    };
    let name = optional("name")?;
    if name.is_empty() {
        return Err(wrong(".name", "text that is not empty"));
    }
    let letter = optional("type")?;
    let (_, item_type) = ITEM_TYPES
        .iter()
        .find(|(known, _)| *known == letter)
        .ok_or_else(|| wrong(".type", "one of C N Y D T L M G B I F"))?;
    let personal = match object.get("personal") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(personal)) => *personal,
        Some(_) => return Err(wrong(".personal", "true or false")),
    };
    Ok(DataItem {
        name: name.to_owned(),
        name_en: optional("name_en")?.to_owned(),
        r#type: i32::from(*item_type),
        description: optional("description")?.to_owned(),
        personal,
        ..Default::default()
    })
}

//! Case bag: how does somebody take a whole case home, and check it without us?
//!
//! One HTML file in Chinese and English: the minutes, the law that was quoted, the days that were
//! counted, the proofs, and a verifier that recomputes them. It is opened from a disk, fetches
//! nothing and sends nothing; its own policy forbids it. What a browser cannot know, above all
//! whether to believe the certificate of the head, the page says it leaves open.
//!
//! A renderer of values: what the case is comes from whoever asks the state. Every text is escaped,
//! because reasons and scenarios are written by people.

use std::fmt::{self, Write as _};

use catalog_model::{
    reason::Lang,
    rule::RuleRef,
    time::{LocalDate, UtcMillis},
};
use serde_json::json;

use crate::{Hash, head::SignedHead, hex};

const STYLE: &str = include_str!("case_bag/page.css");
const VERIFIER: &str = include_str!("case_bag/verifier.js");

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Both {
    /// 简体中文
    pub zh: String,
    /// English
    pub en: String,
}

impl Both {
    /// A text in both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseBag {
    /// Its heading, for instance the title of the entry that was asked for.
    pub title: Both,
    /// The resource name of the case.
    pub name: String,
    /// Label and value: who asked whom for what.
    pub facts: Vec<(Both, Both)>,
    /// What happened, in order.
    pub minutes: Vec<Minute>,
    /// The rules that decided, each once, in the order in which they are first cited.
    pub law: Vec<RuleRef>,
    /// The days from receipt to the due date.
    pub days: Vec<CountedDay>,
    /// The proofs of its records.
    pub proofs: Vec<BagProof>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minute {
    /// Committed time.
    pub time: UtcMillis,
    /// What happened.
    pub text: Both,
    /// Who caused it, as the ledger names them.
    pub by: String,
    /// The rule on which it rests: its place in [`CaseBag::law`].
    pub rule: Option<usize>,
    /// Its record in the ledger.
    pub record: Option<u64>,
}

/// One day of the count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedDay {
    /// The day.
    pub date: LocalDate,
    /// Which working day of the term it is; absent = it does not count.
    pub number: Option<u16>,
    /// Why, where the weekday does not say it: a holiday, a make-up day, a standing clock.
    pub why: Both,
}

/// A receipt, and the texts beside its record as far as the reader may see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BagProof {
    /// What the record is about.
    pub name: String,
    /// Its place, from 0.
    pub leaf_index: u64,
    /// Its stored bytes.
    pub record: Vec<u8>,
    /// RFC 9162 §2.1.3.
    pub inclusion_proof: Vec<Hash>,
    /// The signed head.
    pub head: SignedHead,
    /// The salt of the texts; absent = the texts are not shown, or erased.
    pub salt: Option<[u8; 16]>,
    /// Label and text.
    pub texts: Vec<(String, String)>,
}

/// Renders the page.
pub fn case_bag(bag: &CaseBag) -> String {
    let mut page = String::new();
    render(&mut page, bag).expect("a string takes everything");
    page
}

fn render(page: &mut String, bag: &CaseBag) -> fmt::Result {
    let title = Escaped(&bag.title.zh);
    write!(
        page,
        "<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n<p lang=\"en\">{}</p>\n<p><code>{}</code></p>\n",
        Escaped(&bag.title.en),
        Escaped(&bag.name),
    )?;

    page.push_str("<table>\n");
    for (label, value) in &bag.facts {
        writeln!(page, "<tr><th>{}</th><td>{}</td></tr>", Shown(label), Shown(value))?;
    }
    page.push_str("</table>\n");

    heading(page, "办理记录", "Minutes")?;
    page.push_str("<table>\n");
    for minute in &bag.minutes {
        write!(page, "<tr><td>{}</td><td>{}", minute.time, Shown(&minute.text))?;
        if let Some(rule) = minute.rule.and_then(|at| bag.law.get(at)) {
            let at = minute.rule.unwrap_or_default() + 1;
            write!(page, " <a href=\"#law-{at}\">{}</a>", Shown(&cite(rule)))?;
        }
        write!(page, "</td><td>{}", Escaped(&minute.by))?;
        if let Some(record) = minute.record {
            write!(page, "<br><small>№ {record}</small>")?;
        }
        page.push_str("</td></tr>\n");
    }
    page.push_str("</table>\n");

    heading(page, "所引依据", "The law quoted")?;
    for (number, rule) in (1..).zip(&bag.law) {
        writeln!(page, "<p id=\"law-{number}\">{}</p>", Shown(&cite(rule)))?;
        if rule.quote.is_empty() {
            let house =
                Both::new("平台内部规则，非法律条文。", "A rule of the house; no law says it.");
            writeln!(page, "<p>{}</p>", Shown(&house))?;
        } else {
            writeln!(page, "<blockquote>{}</blockquote>", Escaped(&rule.quote))?;
        }
    }

    heading(page, "期限计算", "The days counted")?;
    page.push_str("<table>\n");
    for day in &bag.days {
        let class = if day.number.is_some() { "" } else { " class=\"off\"" };
        let number = day.number.map_or_else(|| "–".to_owned(), |number| number.to_string());
        writeln!(
            page,
            "<tr{class}><td>{}</td><td>{}</td><td>{number}</td><td>{}</td></tr>",
            day.date,
            Shown(&weekday(day.date)),
            Shown(&day.why),
        )?;
    }
    page.push_str("</table>\n");

    heading(page, "证明", "Proofs")?;
    let both = Both::new(
        "下列核验在本页内完成，不联网。",
        "What follows is computed in this page, which asks nobody.",
    );
    writeln!(page, "<p>{}</p>", Shown(&both))?;
    let (again, flip) = (
        Both::new("重新核验", "check again"),
        Both::new("改动一位后核验", "change one bit and check"),
    );
    writeln!(
        page,
        "<p><button id=\"again\">{}</button> <button id=\"flip\">{}</button></p>",
        Shown(&again),
        Shown(&flip)
    )?;
    let off = Both::new(
        "浏览器未运行脚本：请用命令行核验。",
        "Scripts are off in this browser: check with the command line.",
    );
    writeln!(page, "<ol id=\"checks\"></ol>\n<noscript><p>{}</p></noscript>", Shown(&off))?;
    writeln!(page, "<script type=\"application/json\" id=\"bag\">{}</script>", data(bag))?;
    write!(page, "<script>\n{VERIFIER}</script>\n</body>\n</html>\n")
}

fn heading(page: &mut String, zh: &str, en: &str) -> fmt::Result {
    writeln!(page, "<h2>{}</h2>", Shown(&Both::new(zh, en)))
}

fn cite(rule: &RuleRef) -> Both {
    Both::new(rule.cite(Lang::Zh), rule.cite(Lang::En))
}

fn weekday(date: LocalDate) -> Both {
    let en = date.weekday();
    let zh = match en {
        "Mon" => "星期一",
        "Tue" => "星期二",
        "Wed" => "星期三",
        "Thu" => "星期四",
        "Fri" => "星期五",
        "Sat" => "星期六",
        _ => "星期日",
    };
    Both::new(zh, en)
}

/// What the verifier reads. A `<` would end the element it stands in, so that none is left.
fn data(bag: &CaseBag) -> String {
    let proofs: Vec<_> = bag.proofs.iter().map(proof).collect();
    let text = json!({ "name": bag.name, "proofs": proofs }).to_string();
    text.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn proof(proof: &BagProof) -> serde_json::Value {
    let SignedHead { head, signature, certificate } = &proof.head;
    let path: Vec<String> = proof.inclusion_proof.iter().map(|hash| base64(hash)).collect();
    let texts = if proof.salt.is_some() { proof.texts.as_slice() } else { &[] };
    json!({
        "name": proof.name,
        "leaf_index": proof.leaf_index,
        "record": base64(&proof.record),
        "inclusion_proof": path,
        "salt": base64(&proof.salt.unwrap_or_default()),
        "texts": texts,
        "tree_head": {
            "domain": head.domain.as_str(),
            "cluster_id": hex(&head.cluster_id),
            "generation": head.generation,
            "tree_size": head.tree_size,
            "root_hash": base64(&head.root_hash),
            "time_ms": head.time.0,
            "hash_algorithm": head.suite.hash_name(),
            "signature_algorithm": head.suite.signature_name(),
            "signature": base64(signature),
            "certificate": base64(certificate),
        },
    })
}

/// RFC 4648 §4, as a browser's `atob` reads it.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// Both languages, the English one marked.
struct Shown<'a>(&'a Both);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Both { zh, en } = self.0;
        if zh == en {
            return write!(f, "{}", Escaped(zh));
        }
        write!(f, "{} <span lang=\"en\">{}</span>", Escaped(zh), Escaped(en))
    }
}

/// A text in HTML: nothing in it is markup.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Controls and marks that turn the direction of text have no place in minutes.
                c if c.is_control() && c != '\n' => f.write_char('\u{fffd}')?,
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

//! Language: in which language does this caller want to be told why?
//!
//! The header is `accept-language` (RFC 9110 §12.5.4), in gRPC a metadata entry of that name. We
//! speak Chinese and English; the greater weight wins, at equal weight the first named. A caller
//! who says nothing, or names neither, is answered in English, as `Status.message` is.

use catalog_model::reason::Lang;
use http::HeaderMap;

/// The name of the header.
pub const ACCEPT_LANGUAGE: &str = "accept-language";

/// The language for a call with these headers.
pub fn of(headers: &HeaderMap) -> Lang {
    headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map_or(Lang::En, preferred)
}

/// The language that the value of an `accept-language` header asks for.
pub fn preferred(header: &str) -> Lang {
    let mut best = (0, Lang::En);
    for range in header.split(',') {
        let mut parts = range.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let weight = parts.find_map(|part| thousandths(part.trim())).unwrap_or(1000);
        let primary = tag.split('-').next().unwrap_or_default();
        let lang = if primary.eq_ignore_ascii_case("zh") {
            Lang::Zh
        } else if primary.eq_ignore_ascii_case("en") {
            Lang::En
        } else {
            continue;
        };
        if weight > best.0 {
            best = (weight, lang);
        }
    }
    best.1
}

/// The tag that goes into `LocalizedMessage.locale`.
pub fn tag(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "zh-CN",
        Lang::En => "en",
    }
}

/// `q=0.75` as 750. What is not a weight is `None`; a weight that cannot be read counts as 0.
fn thousandths(parameter: &str) -> Option<u16> {
    let text = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    Some(match whole {
        "1" => 1000,
        "0" if digits => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    })
}

#[cfg(test)]
mod tests;

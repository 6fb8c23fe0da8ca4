use catalog_model::reason::Lang;
use http::{HeaderMap, HeaderValue};

use super::{of, preferred};

#[test]
fn the_greater_weight_wins_and_then_the_first_named() {
    let table = [
        ("zh-CN", Lang::Zh),
        ("zh", Lang::Zh),
        ("ZH-Hans-CN, en;q=0.8", Lang::Zh),
        ("en", Lang::En),
        ("en-GB,zh;q=0.9", Lang::En),
        ("en;q=0.2, zh;q=0.75", Lang::Zh),
        ("en;q=0.75, zh;q=0.8", Lang::Zh),
        ("fr, de;q=0.9, zh;q=0.1", Lang::Zh),
        ("fr", Lang::En),
        ("zh;q=0", Lang::En),
        ("zh;q=rubbish", Lang::En),
        ("zh, en", Lang::Zh),
        ("en, zh", Lang::En),
        ("*", Lang::En),
        ("", Lang::En),
        (";;,,q=1", Lang::En),
        ("zhuang", Lang::En),
    ];
    for (header, expected) in table {
        assert_eq!(preferred(header), expected, "{header:?}");
    }
}

#[test]
fn no_header_or_an_unreadable_one_means_english() {
    let mut headers = HeaderMap::new();
    assert_eq!(of(&headers), Lang::En);
    headers.insert("accept-language", HeaderValue::from_bytes(b"zh\xff").unwrap());
    assert_eq!(of(&headers), Lang::En);
    headers.insert("accept-language", HeaderValue::from_static("zh-CN"));
    assert_eq!(of(&headers), Lang::Zh);
}

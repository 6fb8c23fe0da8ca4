use super::*;

#[test]
fn texts_are_cut_into_terms() {
    let check = |text: &str, expected: &[&str]| {
        let found: Vec<String> = terms(text).into_keys().collect();
        let mut expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        expected.sort();
        assert_eq!(found, expected, "{text}");
    };
    check("维修信息", &["维修", "修信", "信息", "息"]);
    check("维修 信息", &["维修", "修", "信息", "息"]);
    check("Bus Stops, 2024", &["bus", "stops", "2024"]);
    check("2024年度", &["2024", "年度", "度"]);
    check("ＡＢＣ１２３　水", &["abc123", "水"]);
    check("A股证券代码", &["a", "股证", "证券", "券代", "代码", "码"]);
    check("……！", &[]);
    check("", &[]);
}

#[test]
fn queries_are_cut_into_what_is_needed() {
    let exact = |text: &str| Term::Exact(text.to_owned());
    let prefix = |text: &str| Term::Prefix(text.to_owned());
    assert_eq!(words("维修信息"), [exact("信息"), exact("修信"), exact("维修")]);
    assert_eq!(words("水"), [prefix("水")]);
    assert_eq!(words("Bus stop"), [prefix("bus"), prefix("stop")]);
    assert_eq!(words("公交 公交"), [exact("公交")]);
    assert_eq!(words(" ,。"), []);
}

#[test]
fn long_words_and_texts_stay_bounded() {
    let word = "x".repeat(100_000);
    let found: Vec<String> = terms(&word).into_keys().collect();
    assert_eq!(found, ["x".repeat(WORD_CHARS_MAX)]);
    assert_eq!(words(&word), [Term::Prefix("x".repeat(WORD_CHARS_MAX))]);
    assert!(terms(&"维修".repeat(100_000)).len() < 10);
}

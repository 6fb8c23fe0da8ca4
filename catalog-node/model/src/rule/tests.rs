use super::*;

/// "Must refuse" 52: a house rule shown with an article.
#[test]
fn cites() {
    let check = |rank, article: &str, paragraph, zh: &str, en: &str| {
        let rule = RuleRef {
            id: "X-1".to_owned(),
            title: "条例".to_owned(),
            article: article.to_owned(),
            paragraph,
            rank,
            quote: String::new(),
        };
        assert_eq!(rule.cite(Lang::Zh), zh);
        assert_eq!(rule.cite(Lang::En), en);
    };
    check(Rank::AdministrativeRegulation, "21", 1, "《条例》第21条第1款", "《条例》 art. 21¶1");
    check(Rank::SpecialZoneRegulation, "60", 0, "《条例》第60条", "《条例》 art. 60");
    check(Rank::Plan, "二(三)1", 1, "《条例》二(三)1", "《条例》二(三)1");
    check(Rank::HouseRule, "7", 1, "内部规则 X-1", "house rule X-1");
}

use super::Refusal;
use crate::{
    reason::{Lang, Reason},
    rule::RuleRef,
};

#[test]
fn facts_fill_the_text_once() {
    let refusal =
        Refusal::new(Reason::EtagMismatch).fact("actual", "{expected}").fact("expected", "v1");
    assert_eq!(refusal.text(Lang::En), "the resource is at {expected}, not at v1");
    assert_eq!(Refusal::new(Reason::NotFound).text(Lang::En), "{name} does not exist");
}

#[test]
fn a_fact_may_be_said_in_chinese() {
    let refusal = Refusal::new(Reason::MemberChangeRefused)
        .fact("node", 3)
        .fact("cause", "it is the last voter")
        .fact("cause_zh", "它是最后一个投票成员");
    assert_eq!(refusal.text(Lang::En), "the change of node 3 is refused: it is the last voter");
    assert_eq!(refusal.text(Lang::Zh), "拒绝对节点 3 的变更：它是最后一个投票成员");
}

#[test]
fn pol_04_a_house_rule_is_named_as_such_and_shows_no_article() {
    let refusal = Refusal::new(Reason::ReasonMissing)
        .under(RuleRef::house("HOUSE-x"))
        .field("reason", "is empty", "为空");
    assert_eq!(
        refusal.text(Lang::En),
        "a reason in words is needed (house rule HOUSE-x); reason: is empty"
    );
    assert_eq!(refusal.text(Lang::Zh), "必须写明理由（内部规则 HOUSE-x）；reason: 为空");
}

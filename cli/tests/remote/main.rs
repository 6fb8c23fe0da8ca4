//! The program against a gateway over mutual TLS: how a context is used, what becomes of answers
//! and refusals.

mod cluster;
mod gateway;
mod members;

use catalog_model::reason::{Lang, Reason};

use crate::gateway::Gateway;

#[test]
fn the_next_gateway_is_tried_and_the_caller_s_domain_is_meant() {
    let gateway = Gateway::start("spiffe://city.luqiao/gateway/1");
    let (code, status, talk) = gateway.json(&["status"]);
    assert_eq!((code, talk.as_str()), (0, ""));
    assert_eq!((&status["domain"], &status["term"]), (&"city".into(), &4.into()));

    let output = gateway.luqiao(&["status", "--lang", "zh"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("可容许故障节点数: 1") && text.contains("节点"), "{text}");
}

#[test]
fn an_alarm_ends_with_3() {
    let gateway = Gateway::start("spiffe://city.luqiao/gateway/1");
    let (code, status, _) = gateway.json(&["status", "--domain", "sick"]);
    assert_eq!((code, &status["alarms"][0]["name"]), (3, &"clock-ahead".into()));
}

#[test]
fn a_refusal_keeps_reason_and_language_and_has_its_exit_code() {
    let gateway = Gateway::start("spiffe://city.luqiao/gateway/1");
    let check = |domain: &str, lang: &str, expected: i32, reason: &str, words: &str| {
        let (code, object, talk) = gateway.json(&["status", "--domain", domain, "--lang", lang]);
        assert_eq!((code, &object["error"]["reason"]), (expected, &reason.into()), "{talk}");
        assert!(talk.contains(words), "{talk}");
    };
    let advice = |lang| Reason::NotFound.caller_move(lang).expect("something can be done");
    check("nowhere", "en", 4, "NOT_FOUND", advice(Lang::En));
    check("nowhere", "zh", 4, "NOT_FOUND", advice(Lang::Zh));
    check("forbidden", "en", 5, "CALLER_NOT_PERMITTED", "it takes the authority");
    check("forbidden", "zh", 5, "CALLER_NOT_PERMITTED", "无权执行该操作");
    check("headless", "en", 8, "NO_LEADER", "what to do");
}

#[test]
fn a_certificate_of_another_authority_is_explained() {
    let gateway = Gateway::start("spiffe://city.luqiao/gateway/1");
    let (code, object, talk) = gateway.json(&["status", "--context", "stranger", "--lang", "en"]);
    assert_eq!((code, &object["error"]["reason"]), (5, &"unreachable".into()), "{talk}");
    assert!(talk.contains(&format!("{} answers, but", gateway.address)), "{talk}");
}

#[test]
fn a_server_that_is_no_gateway_of_our_domain_is_told_nothing() {
    let gateway = Gateway::start("spiffe://city.luqiao/node/1");
    let (code, object, talk) = gateway.json(&["status", "--lang", "en"]);
    assert_eq!((code, &object["error"]["reason"]), (5, &"unreachable".into()), "{talk}");
}

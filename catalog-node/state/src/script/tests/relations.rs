use std::fs;

use super::{World, testdata};

/// CAT-05, CAT-08, CAT-12, CAT-13, SHR-15, SHR-29, QLT-03, QLT-04: a rule that is taken out of the
/// pack is missed by a story, because what rests on it is not refused, owed or cited any more.
#[test]
fn each_rule_is_missed_by_a_story() {
    let check = |rule: &str, story: &str| {
        let text = fs::read_to_string(testdata().join(format!("{story}.txt"))).unwrap();
        let clusters: Vec<_> =
            text.lines().filter(|line| line.starts_with("cluster ")).map(str::to_owned).collect();
        let mut without = text.clone();
        for line in &clusters {
            without = without.replace(line, &format!("{line} without={rule}"));
        }
        let told = World::play(&without).replace(&format!(" without={rule}"), "");
        assert_ne!(told, text, "nobody misses {rule} in {story}");
    };
    for (rule, story) in [
        ("N809-19-1-no-recollection", "nothing_is_collected_twice"),
        ("REG22-19-2-no-recollection", "nothing_is_collected_twice"),
        ("N809-19-2-source-department", "one_datum_one_source"),
        ("PLAN24-2.2.2-1-one-source", "one_datum_one_source"),
        ("PLAN24-2.2.2-1-function-transfer", "function_transfer_refused_with_one_signature"),
        ("REG22-26-5-objection", "attribute_objection_agreed"),
        ("HOUSE-paper-decision", "attribute_objection_to_government"),
        ("N809-26-2-correction", "error_report_corrected"),
        ("N809-26-2-correction-recipient", "error_report_corrected"),
        ("HOUSE-correction-auto-close", "error_report_late_and_silent"),
        ("HOUSE-escalation", "error_report_late_and_silent"),
        ("HOUSE-vague-words", "emergency_data"),
        ("REG22-23-2-objection", "person_concerned_objects"),
        ("REG22-23-2-objection-answer", "person_concerned_objects"),
    ] {
        check(rule, story);
    }
}

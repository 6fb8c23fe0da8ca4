use std::{env, fs, path::PathBuf};

use super::{World, domain};
use crate::{invariants, keys, view::View};

mod case_life;
mod case_limits;
mod case_rules;
mod deadline_vectors;
mod fuzzed_refusals;
mod law;
#[cfg(feature = "mutations")]
mod mutations;
mod random;
mod random_grants;
mod random_life;
mod recount;
mod rules_off;
mod state_hashes;
mod work;

fn testdata() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn play(name: &str) {
    let path = testdata().join(format!("{name}.txt"));
    let story = fs::read_to_string(&path).unwrap();
    let told = World::play(&story);
    assert!(told.matches("----").count() > 1, "{name} tells nothing");
    assert!(!told.contains("VIOLATED"), "{name} breaks an invariant:\n{told}");
    if env::var_os("REWRITE").is_some() {
        if told != story {
            fs::write(&path, &told).unwrap();
        }
        return;
    }
    let difference = told.lines().zip(story.lines()).find(|(new, old)| new != old);
    assert!(
        told == story,
        "{name} is told differently now, first at {difference:?}. All of it:\n{told}"
    );
}

macro_rules! stories {
    ($($name:ident),* $(,)?) => {
        $(#[test] fn $name() { play(stringify!($name)); })*

        #[test]
        fn every_story_is_played() {
            let mut found: Vec<String> = fs::read_dir(testdata())
                .unwrap()
                .map(|file| file.unwrap().path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
                .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            found.sort();
            let mut known = vec![$(stringify!($name)),*];
            known.sort_unstable();
            assert_eq!(found, known);
        }
    };
}

stories! {
    agreed_in_part,
    answer_at_the_due_instant,
    bootstrap,
    clock_far_ahead,
    completion_list_once,
    conditional_agreed,
    conditional_refused,
    development_clock,
    extension,
    feed_to_a_follower,
    forwarded_case,
    forwarded_case_refused,
    grant_across_domains,
    grant_agreement,
    grant_delivered_on_proof,
    grant_delivery_overdue,
    grant_delivery_promptly,
    grant_purpose_end_and_disposal,
    grant_rectified,
    grant_terminated_after_rectification,
    grant_third_party_national,
    grant_third_party_xiamen,
    grant_use_beyond_the_right,
    grant_use_records,
    grant_use_records_fuzhou,
    import_open_portal,
    members_change_one_at_a_time,
    members_of_an_older_cluster,
    messages_gone_astray,
    no_standing_answer,
    not_shared,
    opinion_clock,
    outage_on_record,
    overdue_over_national_day,
    probe_calls_repeated,
    publish_with_every_refusal,
    retry_with_request_id,
    service_change_filed,
    service_change_leak,
    service_change_outside_the_decree,
    suspend_and_terminate,
    unconditional_granted_at_once,
    update_published_entry,
    attribute_narrowed_and_widened,
    basis_too_weak_by_a_new_law,
    change_of_a_whole_department,
    change_of_law_starts_the_update_clock,
    entry_needs_self_check_while_the_plan_holds,
    entry_versions_and_diffs,
    fuzhou_asks_a_basis_of_conditions,
    imported_draft_keeps_its_gaps,
    leak_suspended_at_once,
    libraries_of_the_catalog,
    persons_come_and_go,
    personal_data_needs_a_duty,
    reclassification_in_portions,
    secret_entry_refused_at_intake,
    update_overdue_and_met_late,
    law_loaded_late,
    expired_rule_continued,
    adaptation_for_the_special_zone,
    rule_packs_refused,
    clusters_below_level_3,
    spring_festival_with_make_up_saturdays,
    year_end_into_a_provisional_year,
    late_correction_of_the_calendar,
    closed_for_a_typhoon,
    outage_on_the_due_day,
    recount_in_portions,
    shorter_local_limit_stands,
    recount_of_forwarded_and_waiting_cases,
    what_if_a_draft_were_law,
    answer_in_the_instant_of_the_deadline,
    case_answer_in_the_instant_it_is_late,
    case_clock_jumps_over_everything,
    case_commands_of_an_older_cluster,
    case_demand_for_what_is_missing,
    case_dispute_between_levels,
    case_dispute_to_the_government,
    case_extension_of_the_authority_itself,
    case_extension_proposed_and_consented,
    case_filed_at_a_window,
    case_hearing_over_during_an_outage,
    case_hop_of_a_passing_domain,
    case_late_list_does_not_suspend,
    case_mixed_request,
    case_never_completed,
    case_opinion_asked_and_silent,
    case_overdue_of_authority_and_provider,
    case_overdue_reason_rejected,
    case_overdue_silence_is_no_reason,
    case_person_asserted_by_a_system,
    case_request_over_several_entries,
    case_separation_of_duties,
    case_submitter_does_not_publish,
    case_warnings_are_fractions,
    // Relations and quality.
    one_ledger_of_data,
    system_of_entries_stays,
    duties_without_entries,
    one_datum_one_source,
    no_rule_no_single_source,
    nothing_is_collected_twice,
    collection_before_level_3,
    function_transfer_in_2025,
    function_transfer_refused_with_one_signature,
    function_transfer_after_the_plan,
    transfer_in_batches,
    attribute_objection_agreed,
    attribute_objection_to_government,
    emergency_data,
    bought_and_entrusted,
    project_gate_and_platforms,
    error_report_corrected,
    error_report_late_and_silent,
    error_report_without_number,
    error_report_at_the_authority,
    person_concerned_objects,

    cosignature_of_another_ledger,
    head_of_a_rewritten_past,
    heads_held_and_cosigned,
    heads_late_and_twice,
    heads_after_a_failover,
    heads_of_strangers,
    ledger_with_sm3,
    purge_before_retention_ends,
    segments_sealed_and_archived,
    text_erased_and_chain_whole,
    drill_given_up,
    drill_of_a_lost_leader,
    notices_and_webhooks,
    work_of_a_day,
    // Sites.
    dr_policy_and_graded_acts,
    fork_of_a_city,
    fork_refused,
    sites_before_level_4,
    switchover_planned,
    witness_of_a_city,
    witness_that_forgot,
}

// Relations and quality.
mod relations;

/// What a watch remembers spares work and hides nothing that comes later.
#[test]
fn a_watch_goes_on_where_it_was() {
    let mut world = World::default();
    for line in [
        "cluster xiamen clock=\"2026-09-21 09:00\"",
        "organization police",
        "listed plates provider=police",
    ] {
        world.run(line);
    }
    let before = world.clusters[&domain("xiamen")].store.clone();
    let mut watch = invariants::Watch::default();
    assert_eq!(invariants::check_on(&mut watch, &before), []);
    for line in ["listed beds provider=police", "listed fees provider=police"] {
        world.run(line);
    }
    let after = world.into_store("xiamen");
    let newest = keys::ledger_record(View(&after).counters().ledger - 1).into_vec();
    let mut holed = after.clone();
    holed.0.remove(&newest);
    assert!(!invariants::check_on(&mut watch.clone(), &holed).is_empty());
    assert_eq!(invariants::check_on(&mut watch, &after), []);
    // Put back to what was durable.
    assert_eq!(invariants::check_on(&mut watch, &before), []);
    assert_eq!(invariants::check_on(&mut watch, &after), []);
}

use clap::CommandFactory;
use luqiao_proto::{
    catalog::v1::{EntryState, SharingKind},
    organization::v1::PartyClass,
};

use super::*;

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    Arguments::try_parse_from(line.split_whitespace())
}

#[test]
fn the_tree_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn every_command_of_the_contract_is_understood() {
    for line in [
        "luqiao dev --data d --catalog city=x.jsonl.gz --processes --exit --json --break import",
        "luqiao catalog import f --dry-run",
        "luqiao catalog import f --quarantine q",
        "luqiao catalog register f",
        "luqiao catalog update f --mask title,items --etag v3",
        "luqiao catalog consent n --person p --standing-answer",
        "luqiao catalog submit n",
        "luqiao catalog return n --reason r",
        "luqiao catalog publish n",
        "luqiao catalog withdraw n --reason r",
        "luqiao catalog search 维修 --domain - --sharing not-shared",
        "luqiao catalog get n --working",
        "luqiao catalog list --state imported_draft --page-size 5",
        "luqiao organization create --name n --class government-department --capacity government_data",
        "luqiao organization update n --credit-code c",
        "luqiao organization get n",
        "luqiao organization list",
        "luqiao person create o --name n --role department-head",
        "luqiao person get n",
        "luqiao person list o",
        "luqiao system create o --name n",
        "luqiao system get n",
        "luqiao system list o",
        "luqiao request create --entry e --scenario s --item a --item b --item-reason a,b=r --from 2026-09-21 --to 2027-09-20 --commit scenario-authentic",
        "luqiao request show n",
        "luqiao request list --due-soon",
        "luqiao request precedents n --limit 3",
        "luqiao today",
        "luqiao today --organization o --person p --until 2026-10-30 --print",
        "luqiao today --ics work.ics",
        "luqiao statistics --from 2026-09-01 --to 2026-09-30",
        "luqiao statistics --all --from 2026-09-01 --to 2026-09-30",
        "luqiao explain 0f2c",
        "luqiao explain",
        "luqiao notice list --from 0 --kind overdue --kind due-soon",
        "luqiao notice ack 7",
        "luqiao webhook register https://oa.example/luqiao --kind answered",
        "luqiao webhook list",
        "luqiao webhook deliveries n",
        "luqiao webhook remove n --etag v1",
        "luqiao request complete n --missing m",
        "luqiao request complete n --scenario s",
        "luqiao request consent n refused --reason r --person p",
        "luqiao request opinion n --in-favor false --text t",
        "luqiao request answer n agreed-in-part --item a --reason r",
        "luqiao request extend n --working-days 5 --reason r",
        "luqiao request withdraw n --reason r",
        "luqiao grant list --state granted",
        "luqiao grant show n",
        "luqiao grant suspend n --reason r --rectify-by 2026-10-30",
        "luqiao grant terminate n --reason r",
        "luqiao receipt get n",
        "luqiao receipt verify f --trust t",
        "luqiao status",
        "luqiao cluster list --domain city",
        "luqiao cluster add 4 --address node-4.city.example:7443 --dry-run",
        "luqiao cluster add 4 --address [::1]:7443 --request-id u",
        "luqiao cluster promote 4",
        "luqiao cluster remove 1 --dry-run",
        "luqiao cluster replace 1 --by 4 --address 10.0.0.4:7443 --wait 60m --dry-run",
        "luqiao cluster transfer-leader",
        "luqiao cluster transfer-leader 2 --dry-run",
        "luqiao cluster history --page-size 5",
        "luqiao cluster raise-level",
        "luqiao cluster raise-level 2 --dry-run",
        "luqiao calendar due --from 2026-09-21 --working-days 10 --explain -o json",
        "luqiao completions bash",
        "luqiao --context city-transport --lang zh --timeout 5s -v status",
    ] {
        if let Err(error) = parse(line) {
            panic!("{line}\n{error}");
        }
    }
}

#[test]
fn wrong_words_are_refused_with_the_known_ones() {
    let check = |line: &str, expected: &str| {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(expected), "{line}\n{error}");
    };
    check("luqiao catalog list --sharing public", "unconditional, conditional, not_shared");
    check("luqiao calendar due --from 2026-02-30 --working-days 1", "2026-02-30");
    check("luqiao calendar due --from 2026-02-03 --working-days -1", "-1");
    check("luqiao --lang fr status", "zh and en");
    check("luqiao --timeout 0s status", "30s");
    check("luqiao cluster add 0 --address h:1", "from 1 on");
    check("luqiao cluster add 4 --address h", "HOST:PORT");
    check("luqiao cluster add 4 --address h:0", "HOST:PORT");
    check("luqiao cluster replace 1 --by four --address h:1", "from 1 on");
    check("luqiao cluster raise-level 0", "0 is not in");
    check("luqiao dev --catalog city", "DOMAIN=FILE");
    check("luqiao request create --from 2026-09-21", "--to");
    check("luqiao request complete n --missing m --scenario s", "cannot be used with");
}

#[test]
fn words_are_read_with_hyphens_or_underscores_and_never_as_unspecified() {
    assert_eq!(catalog::sharing_kind("Not-Shared"), Ok(SharingKind::NotShared));
    assert_eq!(catalog::entry_state("change_pending"), Ok(EntryState::ChangePending));
    assert_eq!(
        organization::party_class("public-service-organization"),
        Ok(PartyClass::PublicServiceOrganization)
    );
    catalog::sharing_kind("unspecified").unwrap_err();
}

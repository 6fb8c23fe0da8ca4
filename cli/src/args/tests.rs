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
        "luqiao backup run --config c",
        "luqiao backup list --config c",
        "luqiao backup verify --config c --bases 3 --scratch s",
        "luqiao backup prune --config c --keep days=35,daily=7 --dry-run",
        "luqiao restore --config c --to latest --into d",
        "luqiao restore --config c --to 2026-11-22T09:00:00+08:00 --without-comparison",
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
        "luqiao catalog check n",
        "luqiao catalog change n --trigger administrative-regulation --day 2026-09-01 --citation c",
        "luqiao catalog more-time n --working-days 5 --reason r",
        "luqiao catalog updated o e1 e2",
        "luqiao catalog owed",
        "luqiao catalog review n --outcome kept --note t",
        "luqiao catalog suspend n --ground state-secret --reason r",
        "luqiao catalog resume n --reason r --etag v3",
        "luqiao catalog archive n",
        "luqiao catalog important n --no-longer --document-number d --digest ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad --date 2026-09-01 --issuing-body b --recorded-for f",
        "luqiao catalog versions n --page-size 5",
        "luqiao catalog diff n --from 1 --to 3",
        "luqiao catalog file n",
        "luqiao worklist start --cause c",
        "luqiao worklist rule n --document-number d --digest-file f --date 2026-09-01 --issuing-body b --recorded-for f",
        "luqiao worklist list --all",
        "luqiao worklist pass",
        "luqiao person update n --term department-head,2026-01-01,2026-12-31 --term operator,2027-01-01",
        "luqiao dr status --domain d",
        "luqiao dr approve failover --from main --to standby --pair 1.1 --expires 2026-12-01T00:00:00Z --release no -O f",
        "luqiao dr check a b --trust ca.pem",
        "luqiao dr policy --document-number n --digest-file f --approver a --approver b --witness fujian",
        "luqiao dr sites 1=main 2=standby --active main",
        "luqiao dr release-act --approval a --approval b --reason r",
        "luqiao dr close-window 2 --reason r",
        "luqiao person update n --left 2026-12-31 --name m",
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
        "luqiao request propose-extension n --working-days 5 --reason r",
        "luqiao request answer-extension n --consents true",
        "luqiao request answer-extension n --consents false --reason r",
        "luqiao request claim-reason n --text t",
        "luqiao request rule-on-reason n --debtor o --accepted false --reason r",
        "luqiao request file-for request --organization o --entry e --item a --head p --window w --document-number 1 --digest ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad --date 2026-09-21 --issuing-body b --recorded-for o",
        "luqiao request file-for answer n agreed --head p --window w --document-number 1 --digest-file f --date 2026-09-21 --issuing-body b --recorded-for o",
        "luqiao request file-for opinion n --in-favor true --text t --window w --document-number 1 --digest-file f --date 2026-09-21 --issuing-body b --recorded-for o",
        "luqiao request create-mixed a.json b.json --consenting-person p",
        "luqiao request case n",
        "luqiao dispute raise n --text t",
        "luqiao dispute position n --text t",
        "luqiao dispute position n --text t --document-number 1 --digest-file f --date 2026-09-21 --issuing-body b --recorded-for o",
        "luqiao dispute end-consultation n --agreed false --minutes m",
        "luqiao dispute coordinate n --agreed false --minutes m",
        "luqiao dispute decide n --result r --document-number 1 --digest-file f --date 2026-09-21 --issuing-body b --recorded-for o",
        "luqiao dispute list --state before-government --request n",
        "luqiao demand file --title t --text x",
        "luqiao demand pre-review n --note x",
        "luqiao demand route n --provider o --note x",
        "luqiao demand answer n --confirmed true --note x",
        "luqiao demand supply n --entry e",
        "luqiao demand close n --reason r",
        "luqiao demand list --state pre-reviewed --owner o",
        "luqiao separation show",
        "luqiao separation switch on --reason r",
        "luqiao organization punctuality o --month 2026-10",
        "luqiao grant list --state granted",
        "luqiao grant show n",
        "luqiao grant suspend n --reason r --rectify-by 2026-10-30",
        "luqiao grant terminate n --reason r",
        "luqiao catalog acquired n --by purchased --through p",
        "luqiao catalog acquisition n",
        "luqiao catalog check-collection n --item a --law l --quote q",
        "luqiao catalog collection n",
        "luqiao contract close n f --returned",
        "luqiao contract consent n --to t",
        "luqiao contract end n --reason r",
        "luqiao contract list --state ended",
        "luqiao contract open --contractor c --matter m --purpose p --scope s --manner w",
        "luqiao contract process n --by b",
        "luqiao contract show n",
        "luqiao dataset add --kind table --title t",
        "luqiao dataset bind n --to e --from 2026-09-21",
        "luqiao dataset delete n --etag v3",
        "luqiao dataset list --organization o",
        "luqiao dataset orphans entry-without-data --day 2026-09-21",
        "luqiao dataset show n",
        "luqiao dataset unbind n --to e --until 2026-09-30",
        "luqiao duties gaps --day 2026-09-21",
        "luqiao duties set --duty a --duty b",
        "luqiao duties show o",
        "luqiao emergency assess n f",
        "luqiao emergency close n f",
        "luqiao emergency end n",
        "luqiao emergency list --state apps-closed",
        "luqiao emergency open --event e --law l --purpose p --scope s --manner m --entry e --application a",
        "luqiao emergency show n",
        "luqiao emergency treat n f",
        "luqiao emergency use n --system s --event e",
        "luqiao grant acknowledge n --etag v2",
        "luqiao grant agreement n --number 7 --digest-file f --signed 2026-09-30",
        "luqiao grant end-purpose n --kind not-needed",
        "luqiao grant judge n --adequate false --reason r",
        "luqiao grant may-use n --item a --third-party t --calls-before 3",
        "luqiao grant misuse n --ground third-party --reason r --digest-file f --rectify-by 2026-10-30",
        "luqiao grant offer n --method batch-exchange",
        "luqiao grant prove-disposal n --manner destroyed --digest-file f",
        "luqiao grant rectify n --text t --refused",
        "luqiao grant require-disposal n --manner destroyed",
        "luqiao grant use list n --page-size 5",
        "luqiao grant use purge n --before 2029-10-01",
        "luqiao grant use record n --field scenario=s --field effect=e",
        "luqiao grant wider-use n --kind third-party --recipient r --purpose p --item a",
        "luqiao objection decide n --sharing unconditional --document-number n --digest-file f --date 2026-09-01 --issuing-body b --recorded-for w",
        "luqiao objection escalate n --reason r",
        "luqiao objection list --state escalated",
        "luqiao objection raise e --wanted unconditional --reason r",
        "luqiao objection settle n --sharing conditional --scope s --purpose p",
        "luqiao objection show n",
        "luqiao objection state n --side provider --text t",
        "luqiao platform list",
        "luqiao platform record --title t --cross-department --migrate-by 2026-12-31",
        "luqiao project accept n",
        "luqiao project enter n --asset 0 --entry e",
        "luqiao project list",
        "luqiao project open --title t --asset a",
        "luqiao project show n",
        "luqiao purchase approve n",
        "luqiao purchase buy n f",
        "luqiao purchase list",
        "luqiao purchase merge n --into m",
        "luqiao purchase refuse n --reason r",
        "luqiao purchase request --need n --item i",
        "luqiao purchase show n",
        "luqiao quality answer n correct --batch b --reason r",
        "luqiao quality answer n verify",
        "luqiao quality batch e --batch b --system s --person p --rows 10 --check 非空,completeness,10,1",
        "luqiao quality batches e",
        "luqiao quality close n",
        "luqiao quality confirm n",
        "luqiao quality correct n --batch b --before f --after g",
        "luqiao quality feed-back n --text t",
        "luqiao quality hand-over n",
        "luqiao quality list --entry e --state closed",
        "luqiao quality object e --desk o --window 7 --stamped 2026-09-18 --identity f --description d",
        "luqiao quality objection n",
        "luqiao quality objections",
        "luqiao quality propagate n",
        "luqiao quality reject n --reason r",
        "luqiao quality reopen n --reason r",
        "luqiao quality report e --item i --description d --desk authority",
        "luqiao quality show n",
        "luqiao quality trace n",
        "luqiao quality verify n",
        "luqiao request create --entry e --rate-per-day 500 --renews g",
        "luqiao service-change abandon n --reason r",
        "luqiao service-change effect n",
        "luqiao service-change file n",
        "luqiao service-change list --entry e",
        "luqiao service-change negotiated n --digest-file f",
        "luqiao service-change propose --entry e --kind narrow --item a --cause leak --reason r --effective 2026-10-09",
        "luqiao service-change show n",
        "luqiao service-change state n --agrees true --text t",
        "luqiao source assign 住址 --organization o --from 2026-09-21 --law l --article 9",
        "luqiao source assign 住址 --organization o --from 2026-09-21 --law l --document-number n --digest-file f --date 2026-09-01 --issuing-body b --recorded-for w",
        "luqiao source end 住址 --from 2026-09-21 --until 2026-10-21",
        "luqiao source list 住址",
        "luqiao source sharers 住址 --page-size 5",
        "luqiao source show 住址 --day 2026-09-21",
        "luqiao system delete n",
        "luqiao transfer approve n",
        "luqiao transfer cosign n",
        "luqiao transfer draft --to o --entry e --entry f --law l --article 3 --change-date 2026-09-18",
        "luqiao transfer file n",
        "luqiao transfer list --state filed",
        "luqiao transfer return n --reason r",
        "luqiao transfer show n",
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
        "luqiao rules show --asker public-service-organization --data public-service-data --date 2026-09-21",
        "luqiao rules explain sharing.conditional.answer --composition xiamen-today --pack-version 1",
        "luqiao rules check f",
        "luqiao rules check f --offline --date 2026-09-21",
        "luqiao rules what-if f --since 2026-09-21",
        "luqiao rules load f --reason r --request-id u",
        "luqiao rules rule continue N --reason r",
        "luqiao drill abandon n --reason r --etag v3",
        "luqiao drill approve",
        "luqiao drill history --page-size 5",
        "luqiao rules rule choose N --over M --from 2026-09-21 --to 2026-12-31 --reason r --document-number 8 --digest ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad --date 2026-09-01 --issuing-body b --recorded-for w",
        "luqiao drill list",
        "luqiao drill plan leader-kill --plan-file f",
        "luqiao drill probe n --list f --rate 50 --writers 4 --due-every 5 --due-after-ms 900",
        "luqiao drill run leader-kill --why w --results d --town --data c --resume",
        "luqiao drill run site-loss --confirm xiamen",
        "luqiao drill show",
        "luqiao drill verify f --trust t --page p",
        "luqiao rules unrule n --reason r",
        "luqiao rules rulings --page-size 5",
        "luqiao rules proposed",
        "luqiao rules pending",
        "luqiao rules late n",
        "luqiao calendar load f --reason r",
        "luqiao calendar close 2026-09-23 2026-09-24 --document-number 9 --recorded-only",
        "luqiao calendar reopen 2026-09-23 --document-number 9",
        "luqiao outage record --from 2026-10-12T09:00 --until 2026-10-12T12:00 --second-source s --reason r",
        "luqiao outage rule n does-not-count --reason r",
        "luqiao outage list",
        "luqiao outage rulings --wanted",
        "luqiao request explain n",
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
    check("luqiao grant use record n --field effect", "FIELD=TEXT");
    check("luqiao grant use record n --field colour=red", "scenario, process, effect");
    check("luqiao grant prove-disposal n --manner burnt --digest-file f", "destroyed, returned");
    check("luqiao grant prove-disposal n --manner sealed --digest 00ff", "64 hexadecimal");
    check("luqiao request create --rate-per-day 0", "0 is not in");
    check("luqiao request create --from 2026-09-21", "--to");
    check("luqiao quality batch e --check a,beauty,1,0", "truth, completeness");
    check("luqiao quality answer n reject", "--reason");
    check("luqiao platform record --title t --document-number n", "--date");
    check("luqiao transfer list --state lost", "cosigned");
    check("luqiao dispute position n --text t --document-number 1", "--issuing-body");
    check("luqiao dispute coordinate n --agreed true --minutes m --date 2026-09-21", "--document");
    check("luqiao dispute list --state open", "before_government");
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

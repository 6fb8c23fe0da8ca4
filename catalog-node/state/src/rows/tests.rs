//! Golden bytes of rows: what any released version has stored is read for ever, and a row that is
//! written today is written as it always was, or replicas of two versions differ.
//! `testdata/golden/rows` is written once (`REWRITE=1` adds missing files) and never rewritten.

use std::{env, fmt::Debug, fs, path::PathBuf};

use catalog_model::name::Resource;

use super::*;
use crate::{
    codec,
    command::MemberChange,
    ledger::{Fact, LedgerRecord},
    snapshot::Progress,
};

fn check<T>(name: &str, row: &T)
where
    T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + Debug,
{
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/golden/rows");
    let file = folder.join(format!("{name}.hex"));
    let bytes = codec::encode(row);
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines: Vec<String> = digits.chunks(40).map(|line| line.concat() + "\n").collect();
    if env::var_os("REWRITE").is_some() && !file.exists() {
        fs::create_dir_all(&folder).unwrap();
        fs::write(&file, lines.concat()).unwrap();
    }
    let golden = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(golden, lines.concat(), "{name} is written differently now");
    assert_eq!(codec::decode::<T>(&bytes).unwrap(), *row, "{name}");
}

#[test]
fn golden_rows_mean_what_they_meant() {
    let domain: DomainId = "xiamen".parse().unwrap();
    let time = UtcMillis(1_790_000_000_000);
    let member = |(id, role)| Member { id, address: format!("node-{id}:7001"), role };
    let roles = [(1, MemberRole::Voter), (2, MemberRole::Learner), (300, MemberRole::Leaving)];
    check(
        "members",
        &Members {
            version: 7,
            members: roles.map(member).into(),
            used_ids: vec![1, 2, 9, 300],
            joint: true,
        },
    );
    check(
        "member_change",
        &MemberChangeRow {
            version: 7,
            time,
            index: 70_000,
            change: MemberChange::Replace { out: 300, replacement: 2 },
            caller: "xiamen/nodes/1".to_owned(),
            voters: vec![1, 2],
            learners: vec![],
        },
    );
    let kind = OutageKind::DiskNearlyFull;
    let (from, until) = (time, time.plus(60_000));
    check("outage", &OutageRow { node: 1, kind, from, until, record: 12 });
    check("level", &2u32);
    let kept = IdempotencyRow {
        call_digest: [12; 32],
        resource: None,
        refusal: None,
        index: 70_000,
        time,
        import: None,
        probe: None,
    };
    check("idempotency_level_1", &kept);
    check("idempotency_probe", &IdempotencyRow { probe: Some(false), ..kept });
    check("snapshot_progress", &Progress::default());

    let record = |fact| LedgerRecord {
        domain: domain.clone(),
        generation: 1,
        sequence: 12,
        time,
        subject: ResourceName::new(domain.clone(), Resource::Domain),
        fact,
        rule: None,
        actor: "xiamen/nodes/1".to_owned(),
        digests: Vec::new(),
    };
    let changed = Fact::MembersChanged {
        version: 7,
        kind: "replace".to_owned(),
        nodes: vec![300, 2],
        voters: vec![1, 2],
        learners: vec![],
    };
    check("record_members_changed", &record(changed));
    check("record_level_raised", &record(Fact::LevelRaised { from: 1, to: 2 }));
    check("record_outage", &record(Fact::OutageRecorded { node: 1, kind, from, until }));
}

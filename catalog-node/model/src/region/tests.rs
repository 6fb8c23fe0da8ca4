use super::*;

#[test]
fn knows_fujian() {
    assert_eq!(Region::all().count(), 94);
    let count = |level| Region::all().filter(|region| region.level == level).count();
    assert_eq!(count(RegionLevel::Province), 1);
    assert_eq!(count(RegionLevel::City), 9);
    for region in Region::all() {
        assert!(region.code.parse::<RegionCode>().is_ok(), "{}", region.code);
        if region.level > RegionLevel::Province {
            assert!(Region::by_code(&region.parent).is_some(), "parent of {}", region.name);
        }
    }
}

#[test]
fn looks_up_both_ways() {
    assert_eq!(Region::by_code("350200").expect("known").name, "厦门市");
    let found = Region::by_name("思明区");
    assert_eq!(found.iter().map(|r| r.code.as_str()).collect::<Vec<_>>(), ["350203"]);
    assert!(Region::by_name("鹭桥市").is_empty());
}

/// 350202 is a gap in today's list: old data may carry it.
#[test]
fn takes_retired_codes_by_form() {
    let retired: RegionCode = "350202".parse().expect("its form is right");
    assert_eq!(retired.region(), None);
    for wrong in ["", "3502", "35020a", "3502000", "950200", "300000", "350003", "３５０２００"]
    {
        assert_eq!(wrong.parse::<RegionCode>(), Err(RegionCodeError(wrong.to_owned())));
    }
}

//! Administrative regions (GB/T 2260): which region does a code name?
//!
//! The product knows the regions of Fujian by name. Other codes, and codes that were retired,
//! are taken if their form is right: old data keep old codes, so a code is a string and its
//! meaning is looked up, never parsed out of it.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::LazyLock};

/// Highest place of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RegionLevel {
    /// 省
    Province,
    /// 设区的市
    City,
    /// 县、区、县级市
    County,
}

/// A region that the product knows by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The six digits.
    pub code: String,
    /// The name, Chinese.
    pub name: String,
    /// The level.
    pub level: RegionLevel,
    /// Code of the region above; empty for a province.
    pub parent: String,
}

impl Region {
    /// The region with this code, if the product knows it.
    pub fn by_code(code: &str) -> Option<&'static Self> {
        REGIONS.get(code)
    }

    /// All regions of this name, by code: the name of a district may occur more than once.
    pub fn by_name(name: &str) -> Vec<&'static Self> {
        REGIONS.values().filter(|region| region.name == name).collect()
    }

    /// All regions that the product knows, by code.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        REGIONS.values()
    }
}

/// A code whose form is right; its region may be unknown or retired.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionCode(String);

impl RegionCode {
    /// The six digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region, if the product knows it.
    pub fn region(&self) -> Option<&'static Region> {
        Region::by_code(&self.0)
    }
}

/// A text that is no region code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a region code (six digits of GB/T 2260)")]
pub struct RegionCodeError(pub String);

impl FromStr for RegionCode {
    type Err = RegionCodeError;

    fn from_str(text: &str) -> Result<Self, RegionCodeError> {
        let digits = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
        // The first digit is the part of the country, 1 to 8; a county lies in a city or, with
        // 90, directly in the province, so "00" in the middle leaves nothing for the end.
        let formed = digits
            && matches!(text.as_bytes()[0], b'1'..=b'8')
            && &text[1..2] != "0"
            && (&text[2..4] != "00" || &text[4..6] == "00");
        if formed { Ok(Self(text.to_owned())) } else { Err(RegionCodeError(text.to_owned())) }
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

static REGIONS: LazyLock<BTreeMap<String, Region>> = LazyLock::new(|| {
    csv::Reader::from_reader(&include_bytes!("../data/fujian_gb2260.csv")[..])
        .records()
        .map(|row| {
            let row = row.expect("the embedded region file is a csv");
            let level = match &row[2] {
                "province" => RegionLevel::Province,
                "city" => RegionLevel::City,
                "district" => RegionLevel::County,
                other => panic!("the embedded region file has the unknown level `{other}`"),
            };
            let region = Region {
                code: row[0].to_owned(),
                name: row[1].to_owned(),
                level,
                parent: row[3].to_owned(),
            };
            (region.code.clone(), region)
        })
        .collect()
});

#[cfg(test)]
mod tests;

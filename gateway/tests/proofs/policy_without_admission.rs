//! To be known is not to be admitted.

use bytes::Bytes;
use gateway::{policy, stage::Identified};

fn permit(rules: &policy::Rules, identified: Identified, call: Bytes) {
    let _ = policy::permit(rules, identified, call);
}

fn main() {}

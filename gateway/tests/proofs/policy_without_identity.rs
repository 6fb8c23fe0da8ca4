//! Policy decides only on calls whose caller is known and has been admitted.

use bytes::Bytes;
use gateway::{policy, stage::Received};

fn permit(rules: &policy::Rules, received: Received, call: Bytes) {
    let _ = policy::permit(rules, received, call);
}

fn main() {}

//! What must be true of notices: nobody has dealt with, and nothing was delivered of, what has not
//! happened.

use super::Inspection;
use crate::{
    keys::{Key, Table},
    notices::{DELIVERIES_KEPT, Webhook},
    view::View,
};

impl Inspection<'_> {
    /// All invariants of notices.
    pub(super) fn notices_are_of_the_ledger(&mut self) {
        const NAME: &str = "notices_are_of_the_ledger";
        let view = View(self.store);
        let size = view.counters().ledger;
        let table = Key::table(Table::NoticeCursor);
        for (key, bytes) in self.store.range(table.as_slice(), &table.end()) {
            let acked: u64 = crate::codec::decode(&bytes).expect("rows are ours");
            if acked > size {
                self.violated(NAME, format!("{key:?} has dealt with {acked} of {size}"));
            }
        }
        let webhooks: Vec<Webhook> = self.rows(Table::Webhook);
        for webhook in webhooks {
            let (id, through) = (webhook.id, webhook.through);
            let tried = webhook.attempt.map(|attempt| attempt.sequence);
            // What is under way is the first that has not arrived.
            if through > size || tried.is_some_and(|tried| tried < through || tried >= size) {
                self.violated(NAME, format!("{id} stands at {through}, {tried:?} of {size}"));
            }
            let kept = view.deliveries(id).len();
            if kept > DELIVERIES_KEPT {
                self.violated(NAME, format!("{id} keeps {kept} deliveries"));
            }
        }
    }
}

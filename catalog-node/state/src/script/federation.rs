//! Stories between domains: what is delivered, what is lost, who follows whom.

use catalog_model::name::Resource;

use super::{Line, World, domain, grant_id};
use crate::{
    command::Body,
    feed::{FeedScope, FeedToken, head_of, link},
    outbox::Message,
    outcome::Outcome,
    view::View,
};

impl World {
    /// `deliver siming xiamen [unacknowledged]`: what siming owes xiamen arrives there, in order;
    /// unacknowledged, siming does not hear that it did and will say it again. `sender=` says who
    /// brings it, `door=` to which catalog it comes instead.
    pub(super) fn deliver(&mut self, line: &Line) {
        let (from, to) = (domain(&line.subjects[0]), domain(&line.subjects[1]));
        let items = View(&self.clusters[&from].store).outbox(&to, 0, usize::MAX);
        if items.is_empty() {
            self.say(format!("{from} owes {to} nothing"));
        }
        let door = line.get("door").map_or_else(|| to.clone(), domain);
        let here = self.here.replace(door.clone());
        let sender = format!("gateway:{from}");
        let sender = line.or("sender", &sender).to_owned();
        for item in &items {
            self.caller = Some(self.caller(&sender));
            let body = match &item.message {
                Message::Forward(request) => {
                    let grant = grant_id(self.draw());
                    let name = super::ResourceName::new(to.clone(), Resource::Grant(grant));
                    let of = Resource::Request(request.id);
                    let case = self.names.iter().find(|(_, name)| name.resource == of);
                    let alias = format!("{}.grant", case.expect("a named case").0);
                    self.names.insert(alias, name);
                    Body::ReceiveForwarded { request: request.clone(), grant }
                }
                Message::Status { request, grant } => {
                    Body::ReceiveStatus { request: request.clone(), grant: grant.clone() }
                }
            };
            let outcome = self.commit(body, None, None, "");
            let shown = self.shown(&outcome);
            self.say(format!("{door}: {shown}"));
        }
        if let Some(last) = items.last()
            && !line.subjects.iter().any(|word| word == "unacknowledged")
        {
            self.here = Some(from.clone());
            self.caller = Some(self.caller(&format!("gateway:{from}")));
            let through = last.sequence;
            let body = Body::AckOutbox { destination: to, through };
            let outcome = self.commit(body, None, None, "");
            assert_eq!(outcome, Outcome::Done(None));
        }
        self.here = here;
    }

    /// `follow xiamen [scope=full] [batch=N] [forged] [from_beginning]`: this catalog takes the next
    /// batch of that feed.
    pub(super) fn follow(&mut self, line: &Line) {
        let source = domain(line.subject());
        let scope = match line.or("scope", "shared") {
            "full" => FeedScope::Full,
            _ => FeedScope::Shared,
        };
        let flag = |wanted: &str| line.subjects.iter().any(|word| word == wanted);
        let expected = self.view().feed_cursor(&source, scope).filter(|_| !flag("from_beginning"));
        let theirs = View(&self.clusters[&source].store);
        let config = theirs.cluster().expect("a cluster of the story");
        let head = head_of(&theirs.counters(), scope).clone();
        let after = expected.as_ref().map_or(0, |token| token.revision);
        let batch: u64 = line.get("batch").map_or(u64::MAX, |n| n.parse().expect("a number"));
        let last = head.revision.min(after.saturating_add(batch));
        let mut hash = expected.as_ref().map_or([0; 32], |token| token.hash);
        let mut records = Vec::new();
        for revision in after + 1..=last {
            let mut bytes = theirs.feed_record_bytes(scope, revision).expect("revisions are dense");
            hash = link(&hash, &bytes);
            if flag("forged") {
                *bytes.last_mut().expect("a record has bytes") ^= 1;
            }
            records.push(bytes.into());
        }
        let token = FeedToken {
            cluster_id: config.cluster_id,
            generation: config.generation,
            scope,
            revision: last,
            hash,
        };
        let count = records.len();
        let own = format!("gateway:{}", self.domain());
        let body = Body::ApplyFeedBatch { source: source.clone(), scope, expected, records, token };
        if self.call(line, &own, body) == Outcome::Done(None) {
            self.say(format!("{count} records, now at {last} of {}", head.revision));
        }
    }
}

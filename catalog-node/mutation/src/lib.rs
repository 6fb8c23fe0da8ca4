//! Mutations: would our tests notice if this line were wrong?
//!
//! Each [`Mutation`] names one line of production code that it makes faulty. The line asks
//! [`active`]; without the feature `enabled` the answer is a constant `false` that the compiler
//! removes, so that no program we ship carries a fault. With it, a thread chooses one mutation, and
//! the simulation on that thread must fail within a bounded number of seeds: a simulation that
//! cannot see a fault proves nothing by its silence.

macro_rules! mutations {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $line:literal, $row:literal;)*) => {
        /// A fault, by the mistake that it imitates.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mutation {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Mutation {
            /// Every mutation, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The production code that it makes faulty: file and function.
            pub fn line(self) -> &'static str {
                match self { $(Self::$variant => $line,)* }
            }

            /// The row of the list of likely mistakes that it stands for, or what it is otherwise.
            pub fn mistake(self) -> &'static str {
                match self { $(Self::$variant => $row,)* }
            }

            /// The mutation of that name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|mutation| mutation.name() == name)
            }
        }
    };
}

mutations! {
    /// A sync of the log does nothing and says that it did.
    NoSync = "no-sync", "log/src/segment_log.rs sync", "1: acknowledged before it is durable";
    /// Entries that raft-rs batched behind the wrong entry are sent all the same.
    MisplacedBatchSent = "misplaced-batch-sent", "replica/src/replica.rs drop_misplaced",
        "1: a peer acknowledges what it was not sent";
    /// Votes and acknowledgments leave before what they rest on is written.
    AnswersBeforeWrite = "answers-before-write", "replica/src/replica.rs ready",
        "1: acknowledged before it is durable";
    /// Only entries are synced, a vote is not.
    VoteNotSynced = "vote-not-synced", "replica/src/drive.rs persist",
        "1: voted before it is durable";
    /// A write is reported as durable before it is begun.
    WriteReportedFirst = "write-reported-first", "replica/src/drive.rs settle",
        "2: reported as persisted out of order";
    /// A write that failed is reported as durable.
    FailedWriteReported = "failed-write-reported", "replica/src/drive.rs persist",
        "2: reported as persisted after a failed write";
    /// A state that is ahead of the commit index on disk is not believed.
    CommitBehindApplied = "commit-behind-applied", "replica/src/replica.rs start",
        "3: applied is saved before the commit index";
    /// A conflicting entry replaces one entry and keeps those after it.
    SuffixKept = "suffix-kept", "log/src/index.rs push",
        "4: a conflicting suffix is not truncated";
    /// A proposal is taken for done when any entry is applied at its place.
    ProposalByIndex = "proposal-by-index", "replica/src/replica.rs is_entry",
        "6: proposals are matched by index only";
    /// A change of the membership that raft-rs neutralized is reported as proposed.
    NeutralizedChangeTaken = "neutralized-change-taken", "replica/src/replica/members.rs propose_members",
        "7: a neutralized change waits for ever";
    /// A read that leadership outran is forgotten.
    DroppedReadForgotten = "dropped-read-forgotten", "replica/src/replica.rs settle_reads",
        "7: a dropped read waits for ever";
    /// Every read asks with the same context.
    ReadContextReused = "read-context-reused", "replica/src/replica.rs read",
        "8: a context is used again";
    /// A read that comes while another is under way is answered with it.
    ReadBatchOpen = "read-batch-open", "replica/src/replica.rs settle_reads",
        "8: a batch of reads is open after it was sent";
    /// Reads rely on the lease of raft-rs.
    LeaseReads = "lease-reads", "replica/src/replica.rs raft_config",
        "9: reads by lease";
    /// A member that lost its log starts on an empty one, and votes.
    LostLogAccepted = "lost-log-accepted", "replica/src/replica.rs start",
        "14: a raft id is used again after a disk was lost";
    /// The log belongs to a new state before that state is whole.
    InstallDecidedFirst = "install-decided-first", "replica/src/drive.rs install_state",
        "15: the order of an install";
    /// The log is truncated up to what is applied, durably or not.
    TruncatedBeyondDurable = "truncated-beyond-durable", "replica/src/replica.rs compact_to",
        "16: the log is truncated beyond the durable state";
    /// Nobody hears that a snapshot did not arrive.
    SnapshotFailureUnheard = "snapshot-failure-unheard", "replica/src/replica/snapshots.rs tick_snapshots",
        "17: report_snapshot is not called";
    /// raft-rs is to leave a joint configuration by itself.
    AutoLeave = "auto-leave", "replica/src/membership.rs to_raft",
        "runner-up: auto_leave";
    /// Leadership is handed to a replica that receives a snapshot.
    TransferDuringSnapshot = "transfer-during-snapshot", "replica/src/replica/members.rs lead_fitness",
        "runner-up: transfer during a snapshot";
    /// A hash that is missing counts as equal.
    MissingHashIsEqual = "missing-hash-is-equal", "replica/src/divergence.rs judge",
        "runner-up: failing open without a hash";
    /// The folder is not synced after a segment was removed from it.
    FreedWithoutSync = "freed-without-sync", "log/src/segment_log.rs free_segments",
        "own: segments vanish out of order";
    /// A machine that has just started counts time differently.
    ApplyKnowsTheProcess = "apply-knows-the-process", "state/src/machine.rs apply",
        "5: apply is not deterministic";
    /// The committed clock follows every stamp, also an earlier one.
    ClockMovesBack = "clock-moves-back", "state/src/machine.rs clock_after",
        "21: deadlines by a clock that is not replicated";
    /// A compare-and-set writes, whatever it compares.
    CompareIgnored = "compare-ignored", "state/src/apply/probe.rs compare_and_set",
        "own: a refusal has effects";
    /// A change is based on any version.
    VersionIgnored = "version-ignored", "state/src/apply/organizations.rs same_version",
        "own: a stale writer wins";
    /// A body that needs a higher level is applied all the same.
    LevelIgnored = "level-ignored", "state/src/machine.rs decide",
        "own: versions that differ apply differently";
    /// A repeated call is not recognized.
    RetryNotRecognized = "retry-not-recognized", "state/src/idempotency.rs look_up",
        "20: retries are not idempotent";
    /// The record of a call is forgotten after a second.
    RetryForgottenEarly = "retry-forgotten-early", "state/src/idempotency.rs look_up",
        "20: the window is too short";
    /// Records of calls go by the gateway's clock, which nothing bounds.
    RetryEvictedByGatewayClock = "retry-evicted-by-gateway-clock", "state/src/idempotency.rs evict",
        "20: pruned by a clock that is not replicated";
    /// A snapshot lacks the records of calls.
    SnapshotWithoutRetries = "snapshot-without-retries", "state/src/snapshot.rs cut",
        "20: lost in a snapshot";
    /// The blocks of a snapshot are believed without their digests.
    SnapshotNotVerified = "snapshot-not-verified", "state/src/snapshot.rs read_block",
        "15: the manifest is not verified";
    /// A proposer's wall clock is believed however far it is ahead.
    StampUnbounded = "stamp-unbounded", "state/src/stamp.rs stamp",
        "21: an unbounded stamp";
    /// A deadline stays due once it has fired.
    DeadlineFiresTwice = "deadline-fires-twice", "state/src/apply/clock.rs advance",
        "21: fired twice";
    /// A deadline fires a day before it is due.
    DeadlineFiresEarly = "deadline-fires-early", "state/src/apply/clock.rs advance",
        "21: fired early";
    /// Of several deadlines that are due, the first fires and the others are forgotten.
    DeadlineLost = "deadline-lost", "state/src/apply/clock.rs advance",
        "21: lost";
    /// A follower takes a batch of a feed wherever it stands.
    FeedCursorIgnored = "feed-cursor-ignored", "state/src/apply/federation.rs apply_feed_batch",
        "22: resumed somewhere else";
    /// Every fourth revision of a feed is left out.
    FeedGap = "feed-gap", "state/src/feed.rs append",
        "22: a gap in a feed";
    /// What leaves a feed leaves no tombstone.
    FeedTombstoneLost = "feed-tombstone-lost", "state/src/feed.rs append",
        "22: a tombstone is lost";
    /// Every fourth record does not get into the ledger's tree.
    LedgerLeafSkipped = "ledger-leaf-skipped", "state/src/ledger.rs append",
        "own: history that nothing proves";
    /// A grant is given that its request does not know of.
    GrantWithoutRequest = "grant-without-request", "state/src/apply/grants.rs give",
        "own: a right without its reason";
    /// A node id that was removed may come back.
    MemberIdReused = "member-id-reused", "state/src/members.rs consider",
        "14: a raft id is used again after a disk was lost";
    /// Only one node knows the site rule.
    RuleOnOneNode = "rule-on-one-node", "replica/src/replica/rule.rs derive_rule",
        "10: the site rule is not set on all nodes";
    /// A new leader takes the mode from its state, not from its log.
    ModeFromAppliedState = "mode-from-applied-state", "replica/src/replica/rule.rs mode",
        "two sites: the mode of the tail is missed";
    /// A leader commits alone without the witness's loan.
    LeaseIgnored = "lease-ignored", "replica/src/replica/rule.rs regate",
        "two sites: the lease is ignored";
    /// In sync, a read is answered without the other site.
    ReadWithoutStandby = "read-without-standby", "replica/src/replica/rule.rs suffices",
        "two sites: a read without contact to standby";
    /// A loan counts from when the answer came.
    LeaseFromAnswer = "lease-from-answer", "replica/src/keeper.rs answered",
        "two sites: the lease counts from the answer";
    /// On the way out of sync the log says so before the witness knows.
    LogBeforeCell = "log-before-cell", "replica/src/keeper.rs go_on",
        "12: async without telling the witness first";
    /// On the way back to sync the witness is told before the log says so.
    CellBeforeLog = "cell-before-log", "replica/src/keeper.rs wish",
        "two sites: the cell promises more than the log";
    /// The other site's learners are taken for voters on the way back to sync.
    ReturnsWithLearners = "returns-with-learners", "replica/src/keeper.rs go_on",
        "two sites: a learner counted as protection";
    /// The node with the highest commit index is promoted.
    PromotesHighestCommit = "promotes-highest-commit", "replica/src/failover/survey.rs greatest",
        "11: promoted by commit index";
    /// The same node is promoted always.
    PromotesFixedNode = "promotes-fixed-node", "replica/src/failover/survey.rs greatest",
        "11: one node is promoted always";
    /// A failover asks the sealed nodes' own configuration only, not those in their logs.
    ConditionOfOneConfiguration = "condition-of-one-configuration",
        "replica/src/failover/condition.rs may_promote",
        "two sites: voters of one configuration only";
    /// A failover does not wait for the old leader's lease.
    LeaseNotWaited = "lease-not-waited", "replica/src/failover/condition.rs may_promote",
        "two sites: the lease is ignored by who opens";
    /// A failover takes it that no release was given.
    ReleaseNotAsked = "release-not-asked", "replica/src/failover/condition.rs may_promote",
        "two sites: a release without the witness is not asked for";
    /// The tail begins after the promoted node's own commit index.
    TailOfOwnCommit = "tail-of-own-commit", "replica/src/failover/survey.rs settled",
        "two sites: a committed change is neutralised";
    /// The promoted log keeps the terms of its tail.
    TailKeepsTerms = "tail-keeps-terms", "replica/src/failover/surgery.rs rewrite",
        "two sites: logs that differ look the same";
}

#[cfg(feature = "enabled")]
mod chosen {
    use std::cell::Cell;

    use crate::Mutation;

    thread_local! {
        static CHOSEN: Cell<Option<Mutation>> = const { Cell::new(None) };
    }

    /// Whether the code that asks is to be faulty on this thread.
    pub fn active(mutation: Mutation) -> bool {
        CHOSEN.get() == Some(mutation)
    }

    /// Makes the code of `mutation` faulty on this thread, or all of it sound again.
    pub fn choose(mutation: Option<Mutation>) {
        CHOSEN.set(mutation);
    }
}

#[cfg(feature = "enabled")]
pub use chosen::{active, choose};

/// Whether the code that asks is to be faulty: never, in this build.
#[cfg(not(feature = "enabled"))]
#[inline(always)]
#[expect(clippy::inline_always, reason = "the question must vanish from production code")]
pub const fn active(_: Mutation) -> bool {
    false
}

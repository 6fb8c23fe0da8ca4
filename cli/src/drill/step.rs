//! Steps: which acts and checks are there, and which of them can be carried out by this program?
//!
//! The words stand in plans, in the ledger and in reports, so that they never change. An act that
//! needs what is not there yet says so here; whoever builds it takes the line out.

use crate::{both, language::Bilingual};

macro_rules! words {
    (
        $(#[$doc:meta])* $kind:ident;
        $($variant:ident $word:literal $en:literal $zh:literal;)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $kind {
            $(#[doc = $en] $variant,)*
        }

        impl $kind {
            /// All of them.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            /// The word in plans, in the ledger and in reports.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What it is, for people.
            pub fn title(self) -> Bilingual {
                match self { $(Self::$variant => both!($en, $zh),)* }
            }

            /// The one of that word.
            pub fn named(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// What is done to a cluster.
    Act;
    KillLeader "kill-leader" "the leader's process is killed" "终止主节点进程";
    RestartEach "restart-each" "every node is restarted in turn, the leader last" "逐个重启节点，主节点最后";
    StartLost "start-lost" "the node that was lost is started again" "重新启动消失的节点";
    Switchover "switchover" "the cluster moves to the standby site" "切换到备站点";
    SwitchBack "switch-back" "the cluster moves back to the first site" "切回原站点";
    LoseMain "lose-main" "every process of the main site is killed" "终止主站点全部进程";
    LoseStandby "lose-standby" "every process of the standby site is killed" "终止备站点全部进程";
    StartStandby "start-standby" "the standby site is started again" "重新启动备站点";
    Failover "failover" "the standby site is sealed, promoted and opened" "封存、提升并启用备站点";
    RejoinMain "rejoin-main" "the old main site rejoins as learner" "原主站点作为学习节点重新加入";
    CutSites "cut-sites" "the sites are cut off from each other" "切断两站点之间的网络";
    HealSites "heal-sites" "the sites hear each other again" "恢复两站点之间的网络";
    StopProber "stop-prober" "the prober stops, so that its last number is known" "停止探测写入，固定最后一笔";
    SealBackup "seal-backup" "the last segment of the backup is sealed" "封存备份的最后一段";
    LoseAll "lose-all" "everything but the backup is lost" "除备份外全部丢失";
    RestoreBackup "restore-backup" "a new cluster is restored from the backup" "从备份恢复新集群";
}

words! {
    /// What is looked at.
    Check;
    OneLeader "one-leader" "one node leads, and it is known to the others" "有且仅有一个主节点";
    NodesUp "nodes-up" "every node answers and has caught up" "全部节点在线且已追平";
    SameState "same-state" "every node holds the same state by its hash" "各节点状态哈希一致";
    NoAlarms "no-alarms" "no alarm is raised" "没有告警";
    WritesAgain "writes-again" "the prober's writes are acknowledged again" "探测写入重新得到确认";
    LeaderChanged "leader-changed" "another node leads, in a later term" "已由其他节点在更高任期担任主节点";
    NothingLost "nothing-lost" "what was acknowledged is there, once; what was due fired once" "已确认的写入均在且不重复，到期仅触发一次";
    LedgerExtends "ledger-extends" "the ledger extends the head of before the act" "账本延续演练前的树头";
    SiteChanged "site-changed" "the other site is active, in a later epoch" "另一站点已在更高纪元启用";
    ModeAsync "mode-async" "the mode is async, and says so" "运行模式为异步并已标示";
    OldMainRefuses "old-main-refuses" "the old main refuses every write and linearizable read" "原主站点拒绝一切写入与线性一致读";
    NothingRevived "nothing-revived" "nothing withdrawn, suspended, ended or erased came back" "已撤回、暂停、终止或删除的内容未复活";
}

impl Act {
    /// Whether it undoes an act, instead of being one.
    pub fn is_back(self) -> bool {
        matches!(
            self,
            Self::StartLost
                | Self::SwitchBack
                | Self::StartStandby
                | Self::RejoinMain
                | Self::HealSites
        )
    }

    /// Why this program cannot carry it out; `None` if it can.
    pub fn missing(self) -> Option<Bilingual> {
        match self {
            Self::KillLeader | Self::RestartEach | Self::StartLost | Self::StopProber => None,
            Self::Switchover | Self::SwitchBack => {
                Some(both!("the planned switchover of two sites", "两站点计划内切换"))
            }
            Self::LoseMain
            | Self::LoseStandby
            | Self::StartStandby
            | Self::CutSites
            | Self::HealSites => Some(both!("a cluster on two sites", "两站点集群")),
            Self::Failover | Self::RejoinMain => {
                Some(both!("the forced failover of two sites", "两站点强制切换"))
            }
            Self::SealBackup | Self::LoseAll | Self::RestoreBackup => {
                Some(both!("backups and their restore", "备份与恢复"))
            }
        }
    }
}

impl Check {
    /// Whether it says something only after the act.
    pub fn needs_act(self) -> bool {
        !matches!(self, Self::OneLeader | Self::NodesUp | Self::SameState | Self::NoAlarms)
    }

    /// Why this program cannot make it; `None` if it can.
    pub fn missing(self) -> Option<Bilingual> {
        match self {
            Self::SiteChanged | Self::ModeAsync | Self::OldMainRefuses => {
                Some(both!("sites, modes and epochs", "站点、模式与纪元"))
            }
            Self::NothingRevived => Some(both!("the restore of a backup", "备份恢复")),
            _ => None,
        }
    }
}

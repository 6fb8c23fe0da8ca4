//! Why a cell was not written, and under which stable reason the world hears of it.

use crate::{
    reason::Reason,
    refusal::Refusal,
    site::{Mode, Pair, SiteId},
    time::UtcMillis,
};

/// Why a cell was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellRefusal {
    /// Nobody registered this domain.
    Unregistered,
    /// The cell was written since the caller read it.
    Changed {
        /// Its revision now; 0 = there is none.
        revision: u64,
    },
    /// A later leader has written, or another one of the same term.
    TermPast {
        /// The term in the cell.
        term: u64,
    },
    /// The writer belongs to another opening than the cell's.
    PairDiffers {
        /// The pair in the cell.
        pair: Pair,
    },
    /// The write is the active site's.
    NotActive {
        /// The active site.
        active: SiteId,
    },
    /// The cell knows no such site, or the list of sites is no list of two to five.
    SiteUnknown,
    /// This needs the other mode.
    ModeWrong {
        /// The mode in the cell.
        mode: Mode,
    },
    /// The lease is another term's: the cell is to be taken first.
    LeaseElsewhere,
    /// A failover is in progress.
    FailoverInProgress {
        /// The pair that it opens.
        pair: Pair,
    },
    /// No failover is in progress.
    NoFailover,
    /// Fewer than two approvals.
    TooFewApprovals {
        /// How many.
        given: usize,
    },
    /// One person approved twice.
    SamePersonTwice,
    /// An approval is of something else.
    ApprovalDiffers {
        /// In what: `domain`, `act`, `direction`, `epoch` or `approver`.
        what: &'static str,
    },
    /// An approval is no more.
    ApprovalExpired {
        /// Since when.
        expired: UtcMillis,
    },
    /// The deposit is behind the one held.
    DepositFalls {
        /// The index held.
        index: u64,
    },
    /// Names of acts are unordered, out of their range, miscounted, or too many.
    ActsWrong,
    /// The witness forgot, and has not been confirmed since.
    Unconfirmed,
    /// The node reported another end before; it seals once per failover.
    SealDiffers {
        /// The node.
        node: u64,
    },
    /// The node is not of the site that is sealed, or too many were.
    SealElsewhere {
        /// The site.
        site: SiteId,
    },
    /// The writer was not sealed, or another sealed node's log is greater.
    NotPromotable,
    /// The nodes that open are not named as they should be.
    NodesWrong,
    /// What was found does not allow so good a verdict.
    VerdictTooGood {
        /// The best that it allows.
        best: super::Verdict,
    },
    /// The write is a node's.
    NotANode,
}

impl CellRefusal {
    /// The stable reason.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unregistered => Reason::CellUnknown,
            Self::Changed { .. } => Reason::CellChanged,
            Self::TermPast { .. } | Self::LeaseElsewhere => Reason::CellTermPast,
            Self::PairDiffers { .. } => Reason::CellPairDiffers,
            Self::NotActive { .. } | Self::SiteUnknown | Self::NotANode => Reason::CellSiteWrong,
            Self::ModeWrong { .. } => Reason::CellModeWrong,
            Self::FailoverInProgress { .. } => Reason::FailoverInProgress,
            Self::NoFailover => Reason::FailoverNotInProgress,
            Self::TooFewApprovals { .. } | Self::SamePersonTwice => Reason::ApprovalsMissing,
            Self::ApprovalDiffers { .. } => Reason::ApprovalDiffers,
            Self::ApprovalExpired { .. } => Reason::ApprovalExpired,
            Self::DepositFalls { .. } | Self::ActsWrong => Reason::DepositWrong,
            Self::Unconfirmed => Reason::WitnessUnconfirmed,
            Self::SealDiffers { .. } | Self::SealElsewhere { .. } => Reason::SealWrong,
            Self::NotPromotable | Self::NodesWrong | Self::VerdictTooGood { .. } => {
                Reason::PromotionRefused
            }
        }
    }

    /// The refusal as the world hears it.
    pub fn refusal(&self) -> Refusal {
        let refusal = Refusal::new(self.reason());
        match self {
            Self::Changed { revision } => refusal.fact("revision", revision),
            Self::TermPast { term } => {
                cause(refusal, &format!("term {term} has written"), &format!("任期 {term} 已写入"))
            }
            Self::LeaseElsewhere => cause(
                refusal,
                "the lease was given to another term: take the cell first",
                "租约属于其他任期，须先接管",
            ),
            Self::PairDiffers { pair } | Self::FailoverInProgress { pair } => {
                refusal.fact("pair", pair)
            }
            Self::NotActive { active } => cause(
                refusal,
                &format!("the active site is {active}"),
                &format!("当前主用站点为 {active}"),
            ),
            Self::SiteUnknown => cause(
                refusal,
                "no such site; a cell knows two to five",
                "站点不存在；见证记录包含二至五个站点",
            ),
            Self::NotANode => cause(refusal, "only a node writes this", "仅节点可写入"),
            Self::ModeWrong { mode } => refusal.fact("mode", mode),
            Self::TooFewApprovals { given } => cause(
                refusal,
                &format!("{given} approvals, two persons needed"),
                &format!("仅有 {given} 份批准，须由两人批准"),
            ),
            Self::SamePersonTwice => cause(refusal, "one person approved twice", "同一人重复批准"),
            Self::ApprovalDiffers { what } => {
                let what_zh = match *what {
                    "domain" => "域",
                    "act" => "事项",
                    "direction" => "方向",
                    "epoch" => "代次和纪元",
                    _ => "批准人",
                };
                refusal.fact("what", what).fact("what_zh", what_zh)
            }
            Self::ApprovalExpired { expired } => refusal.fact("expired", expired),
            Self::DepositFalls { index } => cause(
                refusal,
                &format!("index {index} is deposited already"),
                &format!("已存证至 {index}"),
            ),
            Self::ActsWrong => cause(
                refusal,
                "the names of acts are not in order, not up to the deposit, or not counted",
                "行为清单未排序、超出存证位置或计数不符",
            ),
            Self::SealDiffers { node } => cause(
                refusal,
                &format!("node {node} reported another end before"),
                &format!("节点 {node} 此前上报的日志末尾不同"),
            ),
            Self::SealElsewhere { site } => cause(
                refusal,
                &format!("{site} is being sealed, with at most {} nodes", super::SEALS_MAX),
                &format!("正在封存站点 {site}，至多 {} 个节点", super::SEALS_MAX),
            ),
            Self::NotPromotable => cause(
                refusal,
                "the node is not sealed, or another sealed node's log is greater",
                "节点未封存，或其他封存节点的日志更新",
            ),
            Self::NodesWrong => cause(
                refusal,
                "the nodes that open are the writer and those that joined it, each once",
                "开放节点须为写入节点及已加入节点，且不得重复",
            ),
            Self::VerdictTooGood { best } => cause(
                refusal,
                &format!("what was found allows {} at best", best.name()),
                &format!("依据所见状态，结论至多为 {}", best.name()),
            ),
            Self::Unregistered | Self::NoFailover | Self::Unconfirmed => refusal,
        }
    }
}

fn cause(refusal: Refusal, en: &str, zh: &str) -> Refusal {
    refusal.fact("cause", en).fact("cause_zh", zh)
}

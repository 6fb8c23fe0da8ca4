//! Walk: the main job from end to end, step by step, on three domains.
//!
//! Each step does what people of a department would do, through the gateway and with their own
//! certificates, and then believes nothing of what it was answered: it reads again through another
//! node than the one that took the write ([`Telling::saw`]). A step in which nothing was looked at
//! again fails. The order of [`Step::ALL`] is the order of the story; later steps build on earlier
//! ones, so the walk ends at the first that does not hold.

mod catalog;
mod delivery;
mod entry_life;
mod extension;
mod failover;
mod federation;
mod lateness;
mod law;
mod proofs;
mod relations;
mod requests;
mod search;
mod unanswered;
mod work;

use std::{collections::BTreeMap, path::PathBuf, pin::Pin, sync::Arc, time::Instant};

use luqiao_proto::{catalog::v1::CatalogEntry, sharing::v1::ShareRequest};

use crate::{both, language::Bilingual};

use super::{
    actor::Actor,
    cast::Level,
    story::{Narrator, StepEnd, StepFailed, Telling, failed},
    town::Town,
};

macro_rules! steps {
    ($($variant:ident $name:literal $en:literal $zh:literal;)*) => {
        /// The steps of the walk.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Step {
            $(#[doc = $en] $variant,)*
        }

        impl Step {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the output and for `--break`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The heading.
            pub fn title(self) -> Bilingual {
                match self { $(Self::$variant => both!($en, $zh),)* }
            }
        }
    };
}

steps! {
    Start "start" "Three domains begin: province, city, district" "省、市、区三级平台启动";
    Import "import" "A foreign catalog becomes drafts" "导入外部目录为草稿";
    Verify "verify" "Its organizations are verified, their systems registered" "核验单位，登记业务系统";
    Complete "complete" "Drafts are completed; what is incomplete goes nowhere" "补全草稿；不完整的不能提交";
    Publish "publish" "Heads consent, providers submit, the authority publishes" "负责人同意、单位提交、主管部门发布";
    Search "search" "Full-text search in Chinese" "中文全文检索";
    Unconditional "unconditional" "Unconditional: granted at once, with a receipt" "无条件共享：即时授权并出具回执";
    Delivery "delivery" "What was granted is delivered by a day, acknowledged, and its use recorded" "授权后按期提供、确认收到并记录使用";
    Conditional "conditional" "Conditional: a case with its due date explained" "有条件共享：立案并逐日说明期限";
    RefusalWithoutReason "refusal-without-reason" "A refusal without a reason is rejected" "未说明理由的拒绝不被接受";
    Refusal "refusal" "A refusal with ground and reason" "说明依据与理由的拒绝";
    Partial "partial" "An agreement in part, with fewer items" "部分同意，数据项减少";
    Extension "extension" "More time to answer: proposed, consented to, the asker told" "延期：提出、经同意并告知申请方";
    NotShared "not-shared" "Not shared: refused at once, citing the basis" "不予共享：当即拒绝并说明依据";
    Jointly "jointly" "A public-service pair: the authority answers after the provider's opinion" "公共服务组织：主管部门听取意见后会同答复";
    DistrictToCity "district-to-city" "A district asks the city; the link is cut mid-case" "区向市申请，办理中链路中断";
    DeliveryAcross "delivery-across" "A user of another domain acts where the right was given" "他域使用单位经本域网关向授权所在域确认";
    CityToProvince "city-to-province" "The city asks the province while the link is cut" "市向省申请，链路先断后通";
    LeaderLost "leader-lost" "The city's leader vanishes under its writers" "市级主节点在写入中突然消失";
    LeaderBack "leader-back" "The lost node returns and catches up" "消失的节点恢复并追平";
    Overdue "overdue" "An unanswered case crosses the National Day holiday" "无人答复的申请跨越国庆假期";
    Today "today" "What must be done next: the overdue answer leads the list" "今日待办：逾期的答复列在其中";
    OverdueOrder "overdue-order" "The order to correct, the hearing of the reason, and what counts" "责令改正、听取理由与是否计入";
    LateAnswer "late-answer" "A late answer is possible, and marked" "逾期答复仍可作出，并予标记";
    Figures "figures" "How it was answered: figures that the ledger reproduces" "办理统计：可由账本复算";
    Objection "objection" "The authority objects to an attribute; the government decides" "主管部门对共享属性提出异议，市政府决定";
    Transfer "transfer" "A function goes to another department, and its entries with it" "职能划转，目录随之转出";
    ErrorReport "error-report" "A user finds an error: verified, corrected, everybody told" "数据校核：核实、更正、通知使用方";
    Receipts "receipts" "Receipts are verified offline" "离线验证回执";
    CaseBag "case-bag" "The overdue case as one page that proves itself offline" "逾期案件装订成可离线自证的案卷包";
    Withdrawal "withdrawal" "A withdrawn entry vanishes from the followers" "撤回的目录从上下级副本中消失";
    EntryLife "entry-life" "An entry's life: a law changes, versions differ, off the list and back" "目录生命周期：法律调整、版本差异、暂停与恢复";
    CatalogsEqual "catalogs-equal" "Followers hold the same catalog, without ghosts" "上下级副本与原目录一致，无多无少";
    WhatIf "what-if" "A draft of the law is held against the cases; nothing changes" "以规则草案核对已有案件，不作任何更改";
}

impl Step {
    /// The step of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|step| step.name() == name)
    }

    /// Boxed, because each is large and only one is under way.
    fn take<'a>(
        self,
        walk: &'a mut Walk,
        told: &'a mut Telling,
    ) -> Pin<Box<dyn Future<Output = Result<(), StepFailed>> + 'a>> {
        match self {
            Self::Start => Box::pin(begun(walk, told)),
            Self::Import => Box::pin(catalog::import(walk, told)),
            Self::Verify => Box::pin(catalog::verify(walk, told)),
            Self::Complete => Box::pin(catalog::complete(walk, told)),
            Self::Publish => Box::pin(catalog::publish(walk, told)),
            Self::Search => Box::pin(search::search(walk, told)),
            Self::Unconditional => Box::pin(requests::unconditional(walk, told)),
            Self::Delivery => Box::pin(delivery::delivery(walk, told)),
            Self::Conditional => Box::pin(requests::conditional(walk, told)),
            Self::RefusalWithoutReason => Box::pin(requests::refusal_without_reason(walk, told)),
            Self::Refusal => Box::pin(requests::refusal(walk, told)),
            Self::Partial => Box::pin(requests::partial(walk, told)),
            Self::Extension => Box::pin(extension::extension(walk, told)),
            Self::NotShared => Box::pin(requests::not_shared(walk, told)),
            Self::Jointly => Box::pin(requests::jointly(walk, told)),
            Self::DistrictToCity => Box::pin(federation::district_to_city(walk, told)),
            Self::DeliveryAcross => Box::pin(delivery::across(walk, told)),
            Self::CityToProvince => Box::pin(federation::city_to_province(walk, told)),
            Self::LeaderLost => Box::pin(failover::leader_lost(walk, told)),
            Self::LeaderBack => Box::pin(failover::leader_back(walk, told)),
            Self::Overdue => Box::pin(unanswered::overdue(walk, told)),
            Self::Today => Box::pin(work::today(walk, told)),
            Self::OverdueOrder => Box::pin(lateness::overdue_order(walk, told)),
            Self::LateAnswer => Box::pin(unanswered::late_answer(walk, told)),
            Self::Figures => Box::pin(work::figures(walk, told)),
            Self::Objection => Box::pin(relations::objection(walk, told)),
            Self::Transfer => Box::pin(relations::transfer(walk, told)),
            Self::ErrorReport => Box::pin(relations::error_report(walk, told)),
            Self::Receipts => Box::pin(proofs::receipts(walk, told)),
            Self::CaseBag => Box::pin(proofs::case_bag(walk, told)),
            Self::Withdrawal => Box::pin(federation::withdrawal(walk, told)),
            Self::EntryLife => Box::pin(entry_life::entry_life(walk, told)),
            Self::CatalogsEqual => Box::pin(federation::catalogs_equal(walk, told)),
            Self::WhatIf => Box::pin(law::what_if(walk, told)),
        }
    }
}

/// What the walk knows while it goes.
#[derive(Debug)]
pub struct Walk {
    /// The three domains.
    pub town: Town,
    /// The catalog that each domain takes over.
    pub catalogs: BTreeMap<Level, PathBuf>,
    /// The drafts that are completed and published.
    chosen: Vec<CatalogEntry>,
    /// The providers of these, by organization.
    providers: BTreeMap<String, Provider>,
    /// What was published, as it stands in the catalog.
    published: BTreeMap<Level, Vec<CatalogEntry>>,
    /// A grant that a department of the level was given, and by whom.
    granted: BTreeMap<Level, (String, Provider)>,
    /// The case that the refusal is about.
    case: Option<ShareRequest>,
    /// Of what receipts are asked: where, by whom, name.
    proven: Vec<(Level, Arc<Actor>, String)>,
    /// The node that was lost.
    lost: Option<u64>,
}

/// A department that provides.
#[derive(Debug, Clone)]
struct Provider {
    display_name: String,
    /// Its system.
    desk: Arc<Actor>,
    /// Its head.
    head: Arc<Actor>,
}

impl Walk {
    /// A walk that has not begun.
    pub fn new(town: Town, catalogs: BTreeMap<Level, PathBuf>) -> Self {
        Self {
            town,
            catalogs,
            chosen: Vec::new(),
            providers: BTreeMap::new(),
            published: BTreeMap::new(),
            granted: BTreeMap::new(),
            case: None,
            proven: Vec::new(),
            lost: None,
        }
    }

    /// Takes the steps, and tells each, until one does not hold. `started` is when the domains
    /// were told to begin.
    pub async fn go(&mut self, narrator: &mut Narrator, broken: Option<Step>, started: Instant) {
        for step in Step::ALL {
            let began = if *step == Step::Start { started } else { Instant::now() };
            let mut telling = Telling::new(broken == Some(*step));
            let result = step.take(self, &mut telling).await.and_then(|()| {
                if telling.looks() > 0 {
                    return Ok(());
                }
                failed(both!("nothing was read again through another node", "本步未经其他节点复核"))
            });
            let end = StepEnd {
                step: step.name(),
                title: step.title(),
                telling,
                failure: result.err(),
                took: began.elapsed(),
            };
            narrator.tell(&end);
            if end.failure.is_some() {
                return;
            }
        }
    }

    /// A published entry of a level with this sharing kind and at least `items` items.
    fn entry(
        &self,
        level: Level,
        sharing: luqiao_proto::catalog::v1::SharingKind,
        items: usize,
    ) -> Result<CatalogEntry, StepFailed> {
        let published = self.published.get(&level).into_iter().flatten();
        let mut fitting = published.filter(|entry| {
            entry.sharing.as_ref().is_some_and(|attribute| attribute.kind() == sharing)
                && entry.items.len() >= items
        });
        fitting.next().cloned().ok_or_else(|| {
            let level = level.word();
            StepFailed(both!(
                "the {level} has no published entry that is {sharing:?} with {items} items",
                "{level} 没有共享属性为 {sharing:?} 且含 {items} 项以上数据项的目录"
            ))
        })
    }

    /// Who provides `entry`.
    fn provider(&self, entry: &CatalogEntry) -> Result<Provider, StepFailed> {
        self.providers.get(&entry.provider).cloned().ok_or_else(|| {
            let provider = &entry.provider;
            StepFailed(both!(
                "{provider} is no provider of the walk",
                "{provider} 不是本次演示的提供单位"
            ))
        })
    }
}

/// The domains are up, and every cluster tells the day on which the walk begins.
async fn begun(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    use luqiao_proto::operations::v1::{GetStatusRequest, GetStatusResponse};

    for level in Level::ALL {
        let manager = walk.town.office(level, super::cast::MANAGER).await?;
        let question = GetStatusRequest { name: manager.parent() };
        let look: super::actor::Look<GetStatusResponse> =
            walk.town.look(level, &manager, GET_STATUS, &question).await?;
        let status = look.answer;
        let clock = status.clock.map_or(0, |clock| clock.seconds * 1000).unsigned_abs();
        told.saw("clock at the beginning", clock, super::CLOCK_START_MS)?;
        told.saw("nodes", status.nodes.len() as u64, level.nodes())?;
        told.saw("composition", status.composition.as_str(), level.composition())?;
        let (domain, nodes, composition) =
            (level.domain_text(), level.nodes(), level.composition());
        let gateway = walk.town.topology.of(level).gateway;
        told.say(both!(
            "{domain}: {nodes} node(s), gateway at {gateway}, rules {composition}",
            "{domain}：{nodes} 个节点，网关 {gateway}，规则组合 {composition}"
        ));
    }
    told.say(both!(
        "they share no key, no folder and no memory; their clock stands at 2026-09-21 09:00",
        "三者互不共享密钥、目录和内存；演示时钟为 2026-09-21 09:00"
    ));
    told.about("domains/xiamen");
    Ok(())
}

/// Methods that are asked again through single nodes.
const GET_STATUS: &str = "/luqiao.operations.v1.OperationsService/GetStatus";
const GET_ORGANIZATION: &str = "/luqiao.organization.v1.OrganizationService/GetOrganization";
const GET_ENTRY: &str = "/luqiao.catalog.v1.CatalogService/GetEntry";
const GET_ENTRY_FILE: &str = "/luqiao.entry.v1.EntryService/GetEntryFile";
const DIFF_ENTRY: &str = "/luqiao.entry.v1.EntryService/DiffEntry";
const LIST_ENTRIES: &str = "/luqiao.catalog.v1.CatalogService/ListEntries";
const SEARCH_ENTRIES: &str = "/luqiao.catalog.v1.CatalogService/SearchEntries";
const GET_REQUEST: &str = "/luqiao.sharing.v1.SharingService/GetRequest";
const LIST_REQUESTS: &str = "/luqiao.sharing.v1.SharingService/ListRequests";
const GET_CASE_FILE: &str = "/luqiao.sharing.v1.SharingService/GetCaseFile";
const GET_PUNCTUALITY: &str = "/luqiao.sharing.v1.SharingService/GetPunctuality";
const LIST_WORK: &str = "/luqiao.work.v1.WorkService/ListWork";
const GET_STATISTICS: &str = "/luqiao.work.v1.WorkService/GetStatistics";
const GET_GRANT: &str = "/luqiao.sharing.v1.SharingService/GetGrant";
const LIST_USE_RECORDS: &str = "/luqiao.sharing.v1.GrantService/ListUseRecords";
const GET_OBJECTION: &str = "/luqiao.relations.v1.ObjectionService/GetObjection";
const GET_TRANSFER: &str = "/luqiao.relations.v1.TransferService/GetTransfer";
const GET_REPORT: &str = "/luqiao.quality.v1.QualityService/GetReport";
const TRACE_REPORT: &str = "/luqiao.quality.v1.QualityService/TraceReport";
const GET_TREE_HEAD: &str = "/luqiao.ledger.v1.LedgerService/GetTreeHead";
const GET_CASE_BAG: &str = "/luqiao.ledger.v1.LedgerService/GetCaseBag";
const GET_RECEIPT: &str = "/luqiao.ledger.v1.LedgerService/GetReceipt";
const GET_RULE_PACK: &str = "/luqiao.rule.v1.RuleService/GetRulePack";
const WHAT_IF: &str = "/luqiao.law.v1.LawService/WhatIf";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use luqiao_proto::convert::methods;

    use super::*;

    #[test]
    fn every_step_can_be_named_and_no_two_alike() {
        let names: BTreeSet<&str> = Step::ALL.iter().map(|step| step.name()).collect();
        assert_eq!(names.len(), Step::ALL.len());
        for step in Step::ALL {
            assert_eq!(Step::named(step.name()), Some(*step));
        }
        assert_eq!(Step::named("no-such-step"), None);
    }

    #[test]
    fn what_is_asked_again_are_methods_of_the_api() {
        for path in [
            GET_STATUS,
            GET_ORGANIZATION,
            GET_ENTRY,
            GET_ENTRY_FILE,
            DIFF_ENTRY,
            LIST_ENTRIES,
            SEARCH_ENTRIES,
            GET_REQUEST,
            LIST_REQUESTS,
            GET_CASE_FILE,
            GET_PUNCTUALITY,
            GET_STATISTICS,
            LIST_WORK,
            GET_GRANT,
            LIST_USE_RECORDS,
            GET_OBJECTION,
            GET_TRANSFER,
            GET_REPORT,
            TRACE_REPORT,
            GET_TREE_HEAD,
            GET_RECEIPT,
            GET_RULE_PACK,
            WHAT_IF,
        ] {
            assert_eq!(methods::method(path).unwrap().kind, methods::MethodKind::Read, "{path}");
        }
    }
}

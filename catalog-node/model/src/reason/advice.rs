//! What does a person who reads Chinese do about a refusal?
//!
//! The Chinese of [`Reason::caller_move`] and [`Reason::operator_move`], row for row what the table
//! of reasons says in English. A match over every reason, so that a reason without a row here does
//! not compile. `none` stands where nothing can be advised, and only where the English says so;
//! names of calls, fields, commands and facts in `{braces}` stay as they are.

use super::Reason;

macro_rules! told {
    (none) => {
        None
    };
    ($text:literal) => {
        Some($text)
    };
}

macro_rules! advice {
    ($($variant:ident: $caller:tt, $operator:tt;)*) => {
        /// What the caller can do.
        pub(super) fn caller(reason: Reason) -> Option<&'static str> {
            match reason { $(Reason::$variant => told!($caller),)* }
        }

        /// What the operator can do.
        pub(super) fn operator(reason: Reason) -> Option<&'static str> {
            match reason { $(Reason::$variant => told!($operator),)* }
        }
    };
}

advice! {
    // Identity and admission.
    CertificateMissing: "出示平台签发给本系统或本人的证书", none;
    CertificateUnknown: "向平台申请登记证书的主体名称和序列号", "将该证书加入网关的证书表";
    DomainForeign: "通过本域的网关发起调用", "无需处理；该域应为联邦伙伴的，将其加入信任列表";
    CallerNotPermitted: "由所列主体办理", none;
    PersonUnknown: "先将该人员备案", none;
    LoopDetected: none, "检查联邦连接：有两个域将同一名称互相转发";

    // The call itself.
    MethodUnknown: "核对服务版本", none;
    MessageMalformed: "按已发布的协议文件重新生成客户端", none;
    FieldInvalid: "更正所列字段", none;
    NameInvalid: "使用平台返回的名称，不作改动", none;
    RequestIdMissing: "使用新的 UUID；重试同一调用时保持不变", none;
    RequestIdReused: "新的调用使用新的 request_id；重试时原样重发原调用", none;
    PageTokenInvalid: "不带分页标记，从头查询", none;
    EtagMismatch: "重新读取该资源，在所读内容上修改，并携带其 etag 提交", none;
    EtagMissing: "读取该资源并携带其 etag 提交", none;
    MaskInvalid: "只列明该资源可更新的字段", none;
    TextTooLong: "缩短内容，或将全文另存为文件并予以引用", none;
    TooManyItems: "分多次调用提交", none;
    TextControlCharacters: "删除控制字符", none;

    // What is named.
    NotFound: "核对名称；检索目录", none;
    OrganizationUnknown: "先登记该单位", none;
    SystemUnknown: "先登记该系统", none;
    AlreadyExists: "使用已存在的资源，或另取新的标识", none;
    CreditCodeInvalid: "与该单位的证书核对统一社会信用代码", none;
    CreditCodeTaken: "使用已登记的单位", none;
    OrganizationUnverified:
        "通过 OrganizationService.UpdateOrganization 补全统一社会信用代码和单位类别", none;
    DomainUnknown: "核对名称", "将该域加入网关的联邦连接";

    // The catalog.
    EntryIncomplete: "补全所列字段后重新提交", none;
    EntryStateWrong: "对照目录的生命周期办理", none;
    EntryGradeMissing: "写明分级，不得低于各信息项中的最高级别", none;
    EntryGradeTooLow: "提高目录的分级，以级别最高的信息项为准", none;
    EntryLinksMissing: "至少添加一项目录–数据–系统关联", none;
    EntryLinkUnknown: "先登记该系统", none;
    AssessmentMissing: "完成评估并登记结果", none;
    SharingAttributeMissing: "写明无条件共享、有条件共享或者不予共享", none;
    ConditionsMissing: "写明共享范围和用途", none;
    BasisMissing: "写明依据的名称、条款、效力级别和原文", none;
    BasisRankTooLow: "引用效力级别足够的依据，或变更共享属性", none;
    BasisNotExplicit: "引用明确禁止共享的原文", none;
    ReasonMissing: "写明理由", none;
    DataKindNotPermitted: "使用与该单位职能身份相符的数据类别", "为该单位添加相应的职能身份";
    ConsentMissing: "由负责人通过 GiveConsent 表示同意，再重新提交该调用", none;
    ConsentNotByHead: "由该人员本人表示同意，或由系统代其声明身份", none;
    ConsentVersionStale: "重新读取该事项，就其现行内容表示同意", none;
    ItemsDuplicate: "每个信息项只列一次", none;
    ImportOpenTypeNotSharing: "自行写明共享属性", none;
    EntryHasLiveGrants: "先与使用部门办结或终止各项授权", none;

    // Asking and answering.
    EntryNotAvailable: "检索目录", none;
    ScenarioMissing: "写明应用场景", none;
    DutyBasisMissing: "写明需求所依据的职责", none;
    ScopeMissing: "列明所需的信息项", none;
    MethodMissing: "写明共享方式", none;
    TermMissing: "写明使用时限的起止日期", none;
    TermInvalid: "更正使用时限", none;
    CommitmentMissing: "作出所列承诺", none;
    ItemUnknown: "使用该目录中的信息项名称", none;
    NotShared: "认为共享属性有误的，向主管部门提出", none;
    ItemNotShared: "申请时去掉该信息项", none;
    RequestStateWrong: "对照申请的生命周期办理", none;
    NotTheDecider: "由有权决定的单位答复", none;
    OpinionMissing: "等待提供单位的意见，或等待其期限届满", none;
    RefusalReasonMissing: "写明理由", none;
    RefusalGroundMissing: "写明依据", none;
    PartWithoutItems: "列明同意的信息项并说明理由", none;
    ExtensionNotAllowed: "在期限内答复", none;
    ExtensionTooLong: "减少延期的工作日数", none;
    ExtensionConsentMissing: "由主管部门的人员办理延期", none;
    ExtensionTooLate: "立即答复，该答复将标明逾期", none;
    CompletionSecondList: "根据现有材料作出决定", none;
    CompletionNothingMissing: "写明缺少的内容", none;
    RefusedForIncompleteness: "改为要求补正", none;
    NoRuleInForce: none, "载入含有该项规则的规则包，或登记主管部门关于继续办理的决定";
    GrantStateWrong: "对照授权的生命周期办理", none;
    TerminationWithoutSuspension: "先暂停并写明整改截止日期", none;
    RectificationRunning: "等待该日期届满", none;
    NotOwner: "由资源所属的域办理", none;

    // Federation.
    FeedTokenUnknown: "从头开始读取变更流", none;
    FeedCursorMoved: "重新读取游标", none;
    FeedChainBroken: none, "将订阅方与来源方比对；不得跳过该记录";
    ForwardNotForUs: none, "检查联邦连接";
    StatusStale: none, none;
    UpstreamUnreachable:
        "无需处理：该件已保存，连接恢复后送达", "检查连接；待送事项保留在发件箱中";

    // The cluster.
    NoLeader: "重试", "持续出现时，查看各节点状态";
    NotLeader: "改为调用主节点", none;
    Overloaded: "降低频率后重试", "查看负载";
    OutcomeUnknown: "以相同的 request_id 原样重发该调用", none;
    Draining: "改用其他节点重试", none;
    TimedOut: "以相同的 request_id 重发，或放宽调用时限", "查看节点状态";
    StampOutOfBounds: "稍后重试", "校正该节点的时钟；告警自行解除";
    NotBootstrapped: none, "执行一次初始化命令";
    AlreadyBootstrapped: none, none;
    DevelopmentClockOff: none, "为此另建开发集群";
    EnvelopeRefused: "改为调用网关", none;
    TransferRefused: "选择日志已追上的投票节点", none;
    GenerationForeign: none, "核对该地址属于哪个集群";
    DiskNearlyFull: "稍后重试", "清理所列节点的磁盘，或移交主节点；写入自行恢复";
    MemberUnknown: "查看成员列表", none;
    MemberIdUsed: "选用从未有成员用过的编号", none;
    MemberBehind:
        "成员列表不再显示落后时重试", "查看该节点的日志及其与主节点的连接";
    MembersChanging:
        "待该变更完成后重试", "持续出现时，确认新旧两组投票节点各有多数可达";
    MemberChangeRefused: "变更前查看成员和法定人数", none;
    LevelTooLow: "请运维人员完成升级", "升级全部节点，再提升命令级别";
    LevelUnsupported: none, "先升级所列节点";
    NodeQuarantined: "改用其他节点重试", "该节点自行获取完整副本；查看其告警";
    StoreForeign: none, "停止该节点，以新编号替换：luqiao cluster replace {node} --by NEW";
    Internal: "将 request_id 报告平台", "查看该调用发生时的日志";

    // After the grant.
    DeliveryWithoutProof: "由使用部门获取数据或者确认收到", none;
    RectificationUnjudged: "先认定整改是否到位", none;
    GrantSuspended: "完成整改并报告", none;
    GrantEnded: "仍需使用数据的，重新申请", none;
    ServiceStopped: "等待提供部门的通知", none;
    UseOutsideTerm: "申请更长的使用时限", none;
    UseByOtherSystem: "使用申请中写明的系统发起调用", none;
    UseOutsideScenario: "写明已申报的应用场景，或与提供部门联系", none;
    UseOutsideItems: "只调取已授权的信息项", none;
    UseOutsideRows: "只调取已授权范围内的数据", none;
    UseRateExceeded: "次日再调用", none;
    WiderUseNotPermitted: "按申报的用途使用数据", none;
    ServiceChangeNotNegotiated: "取得各使用部门同意，或登记协商纪要", none;
    ServiceChangeNotFiled: "先报备案", none;
    PurposeHasEnded: "就新的用途提出申请", none;
    DisposalNotAsRequired: "按要求的方式处置数据", none;
    UseRecordIncomplete: "补填所列字段", none;
    UseRecordsRetained: "只清理超过保存期限的记录", none;
    AgreementMissing: "与主管部门签订使用协议", none;
    ServiceChangeStateWrong: "查看该服务变更", none;

    // The life of a catalog entry.
    SelfCheckMissing: "完成自查并登记结果", none;
    LibraryUnknown: "写明其中一个库，或不写", none;
    PersonalBasisMissing: "写明 duty_basis，或去掉含个人信息的信息项", none;
    ImportantNotOpen: "去掉开放类型", none;
    NarrowingWithoutBasis: "写明依据，或保持原共享属性", none;
    SubmitterNotOnFile:
        "通过 UpdatePerson 将该人员备案，或由系统指明一名备案人员",
        "内部规则开关为职责分离规则中的 `only_persons_on_file`";
    SharingOfficeHeadMissing: "通过 UpdatePerson 将该负责人备案", none;
    SecretEntryRefused:
        "留存于涉密系统，不得在此登记任何相关内容", "检查该内容是否进入日志或者调用跟踪";
    ChangeNotReported: "先报告该变化", none;
    UpdateNotDone: "更新目录并报送，再报告完成", none;
    NotOnWorklist: "查看重新分类清单", none;
    PassUnderWay: "等待本次清查完成", "清查随每次时钟推进自行继续";
    UpdateExtensionTooLate: "立即更新并报送，将标明逾期", none;
    BasisUnderReview: "待重新分类后再申请，或提出争议", "查看重新分类清单";

    // The law itself.
    RulePackRefused: "更正所列问题后重新载入", none;
    CalendarRefused: "更正所列问题后重新载入", none;
    CalendarDayCounted: "保持该日的原计数，就所涉各件分别裁定", none;
    CalendarYearMissing: "载入各年度的官方安排，不得缺年", none;
    SecondPersonNeeded: "由主管部门另一人员提交相同内容", none;
    PersonNeeded: "以人员身份发起调用，或由系统声明人员", none;
    RulingUnfit: "用 `luqiao rules explain` 查看该事项的规则", none;
    DecisionIncomplete: "补全所列字段", none;
    ClosureUnknown: "查看工作日历", none;
    OutageSourceMissing: "写明第二来源：运营商报告或者监控记录", none;
    OutageTimesWrong: "更正起止时间", none;
    RulingNotWanted: none, none;
    RulingGivenAlready: none, none;

    // The life of a case.
    ExtensionPending: "等待主管部门答复，其间期限继续计算", none;
    ExtensionNotProposed: "由负有答复义务的单位提出延期", none;
    OpinionAskedAlready: "等待其期限届满", none;
    OpinionNotAsked: "征求提供部门意见", none;
    ReasonNotHeard: "等待其说明理由，或等待听取期限届满", none;
    HearingNotOpen: "读取该件", none;
    HearingOver: "不能再说明理由；仍可作出答复", none;
    NotTheEscalation: "由该主体认定", "未登记该主体的，登记本级政府或者上级主管部门";
    OutageRulingPending: "等待对该次故障的认定", none;
    SelfApproval: "由另一人员审批", "职责分离的开关由本域自行设定";
    PersonNotAsserted: "指明本单位人员，或不指明人员", "登记该人员";
    PaperIncomplete: "补全缺少的内容", none;
    ClerkAsDecider: "写明作出决定的机关和代录对象", none;
    PaperDateInvalid: "核对纸质文件上的落款日期", none;
    ConsultationSkipped: "由双方分别说明立场，并登记协商情况", none;
    CoordinatorNotAbove: "凭文号和文件摘要登记协调结果", none;
    DisputeStateWrong: "读取该争议", none;
    DemandStateWrong: "读取该需求", none;
    DemandWithoutOwner: none, "登记公共数据资源管理机构或者主管部门";
    ItemGrantedAtOnce: "去掉该信息项", none;

    // Relations and quality.
    DatasetBound: "先解除关联", none;
    SystemBound: "将数据关联到承接的系统，再删除本系统", none;
    SourceAlreadyAssigned: "先结束另一项数源认定，或另选日期", none;
    CollectionDuplicated: "通过共享申请取得数据，或引用允许另行收集的法律依据", none;
    TransferNotCosigned: "请职能转入部门会签", none;
    EntryInTransfer: "等待另一项划转办结，或去掉该目录", none;
    NarrowingDuringObjection: "先了结该异议", none;
    ObjectionOpen: "继续办理尚未了结的异议", none;
    ConsultationMissing: "先说明立场并听取对方意见", none;
    SettlementNarrows: "收窄共享属性须另报附有依据的新版本", none;
    DecisionRecordIncomplete: "写明文号、摘要、日期、发文机关和代录对象", none;
    EmergencyUseOutside: "写明所应对的事件，或申请并非为应急取得的数据", none;
    EmergencyUseEnded: none, none;
    PurchaseNotApproved: "提出采购申请，等待主管部门办理", none;
    ProofMissing: "提供该文件的 SHA-256 摘要", none;
    ProjectAssetsMissing: "逐项发布目录并登记其首个批次", none;
    NewPlatformRefused: "接入市级平台", none;
    CorrectionMissing: "登记更正数据的批次", none;
    BatchUnknown: "先登记该批次", none;
    ConcernNotProven: "提供身份证明和关联证明的摘要", none;
    RelationStateWrong: "查看其当前进展", none;
    SubEntrustingUnconsented: "先由委托部门同意转委托", none;

    // Proofs.
    HeadDoesNotExtend:
        "无需处理：该拒绝连同作为证据的树头已登记",
        "比对两个树头，并向对方域查明其历史记录为何变动";
    HeadProofElsewhere: "读取所持有的树头，从该处取得证明后重新提交", none;
    HeadNotOurs: "只会签从本域收到的树头", "与本账本比对：两者之一已被改写";
    SegmentRangeWrong: "指定在上次所取记录之后且不超出账本的记录", none;
    PayloadGone: "无需处理：该记录从未附有此类内容，或已删除", none;
    RetentionNotOver:
        "只清理超过保存期限的记录；依法应当提前删除的，逐条删除并写明依据", none;

    // Two sites and their witness.
    CellUnknown: "无需处理：由该域的主节点登记", "核对该域是否指定本见证方，其主节点能否连接本见证方";
    CellChanged: "重新读取见证记录后再作决定", "无需处理：两方同时写入，其中一方在先";
    CellTermPast: "原任期的主节点退位；新主节点先取得见证记录", none;
    CellPairDiffers:
        "属于较低代次和纪元的节点停止运行，清空后重新加入", "查看 `luqiao dr status`：被遗留的站点仍在运行";
    CellSiteWrong: "由活动站点的主节点写入", none;
    CellModeWrong: "先变更模式", none;
    FailoverInProgress: "等待新代次开启", "完成该次强制接管，或改向仍可封存的站点发起接管";
    FailoverNotInProgress: none, "用 `luqiao dr failover` 发起强制接管";
    ApprovalsMissing: "由第二名人员批准", "用 `luqiao dr approve` 出具批准";
    ApprovalDiffers:
        "就本操作作出批准，起止站点和纪元须一致", "批准随其纪元失效：由两人重新批准";
    ApprovalExpired: "由该人员重新批准", "预先出具的批准令牌在到期前更换";
    DepositWrong: "接续已有存证提交", none;
    WitnessUnconfirmed:
        "由主节点登记，并由每个站点各一个节点应答",
        "有站点不能应答的，由两人以 `luqiao dr confirm-witness` 确认";
    SealWrong: "每次接管中，节点在被封存的站点只封存一次", "其间更换过节点磁盘的，重新发起接管";
    PromotionRefused: "提升日志最长的已封存节点，所报内容不超出查明的范围", none;
    StandbyRequired:
        "等待备用站点恢复，或请运维人员放行此类操作",
        "恢复备用站点；经两人批准可用 `luqiao dr release-act` 放行";
    DrPolicyMissing: "请主管部门备案灾备策略", "用 `luqiao dr policy set` 备案";
    SwitchoverRefused: "用 `luqiao dr status` 查看当前进展", "执行其列出的命令";
    ForkRefused: none, "查看见证记录和各节点：登记内容须与其一致";
    SiteRefused: "为每个成员指定站点，站点共二至五个", none;

    // Drills.
    DrillOpen: "继续该演练，或写明理由予以放弃", "查看发起人：`luqiao drill show`";
    DrillClosed: "另行发起演练", none;
    DrillApprovalsMissing: "由其他人员批准：`luqiao drill approve`", none;
    DrillSelfApproval: "由另一人员以本人证书批准", none;
    DrillStepOutOfOrder: "查看演练进展：`luqiao drill show`", none;
    DrillNameNotConfirmed: "写明所指集群的名称", none;
    // Fencing.
    Fenced:
        "通过能够连接现活动站点的网关调用",
        "查看 `luqiao dr status`：该节点可为之后的接管封存，或清空后重新加入";
    EpochPast:
        "无需处理：网关从本应答取得有效的代次和纪元后重新调用",
        "反复被拒绝的调用方仍停留在接管之前的状态：将其停止";
    NodeInvalidated:
        "通过能够连接现活动站点的网关调用",
        "在可能需要核对分叉之后内容期间保留其数据目录；由空的新节点以新编号接替";
    GenerationNotOpen: "等待开启", "完成该次强制接管";
}

#[cfg(test)]
mod tests {
    use super::super::Lang;
    use super::*;

    /// Every advice that is given in at least one language: reason, English, Chinese.
    fn advices() -> Vec<(Reason, Option<&'static str>, Option<&'static str>)> {
        let moves = [Reason::caller_move, Reason::operator_move];
        let of = |reason: Reason| {
            moves.map(|told| (reason, told(reason, Lang::En), told(reason, Lang::Zh)))
        };
        let all = Reason::ALL.iter().copied().flat_map(of);
        all.filter(|(_, en, zh)| en.is_some() || zh.is_some()).collect()
    }

    fn is_chinese(letter: char) -> bool {
        ('\u{4e00}'..='\u{9fff}').contains(&letter)
    }

    #[test]
    fn both_languages_advise_for_the_same_reasons() {
        for (reason, en, zh) in advices() {
            assert_eq!(en.is_some(), zh.is_some(), "{reason}: {en:?} and {zh:?}");
        }
        assert_eq!(Reason::StatusStale.caller_move(Lang::Zh), None);
        assert_eq!(Reason::FieldInvalid.operator_move(Lang::En), None);
    }

    #[test]
    fn each_language_speaks_for_itself() {
        for (reason, en, zh) in advices() {
            let (en, zh) = (en.unwrap_or_default(), zh.unwrap_or_default());
            assert!(en.chars().any(char::is_alphabetic), "{reason} in English: {en:?}");
            assert!(!en.chars().any(is_chinese), "{reason} in English: {en:?}");
            assert!(zh.chars().any(is_chinese), "{reason} in Chinese: {zh:?}");
            for text in [en, zh] {
                assert_eq!(text, text.trim(), "{reason}");
                assert!(!text.ends_with(['.', '。']), "{reason}: {text:?}");
            }
            // Half-width stops between Chinese words are slips of the keyboard.
            let letters: Vec<char> = zh.chars().collect();
            let slip =
                letters.windows(2).any(|pair| is_chinese(pair[0]) && ",;:".contains(pair[1]));
            assert!(!slip, "{reason}: {zh:?}");
        }
    }

    /// What is typed or looked for is the same word for everybody.
    #[test]
    fn names_are_not_translated() {
        let names = |text: &str| {
            let marks = |letter: char| letter.is_ascii_alphanumeric() || "_.{}-".contains(letter);
            let words = text.split(|letter| !marks(letter)).map(|word| word.trim_matches('.'));
            let named = words.filter(|word| {
                let inner = word.chars().skip(1).any(|letter| letter.is_ascii_uppercase());
                inner || word.contains(['_', '{', '.']) || word.starts_with("--")
            });
            named.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
        };
        let command = |text: &str| {
            text.find("luqiao ").map(|at| {
                let ascii = text[at..].split(|letter: char| !letter.is_ascii() || letter == '`');
                ascii.take(1).map(|words| words.trim().to_owned()).collect::<String>()
            })
        };
        for (reason, en, zh) in advices() {
            let (en, zh) = (en.unwrap_or_default(), zh.unwrap_or_default());
            assert_eq!(names(en), names(zh), "{reason}: {en:?} and {zh:?}");
            assert_eq!(command(en), command(zh), "{reason}: {en:?} and {zh:?}");
        }
    }
}

//! The reasons for which anything is refused: stable names, two languages, what to do about it.
//!
//! One table. Append only: a number or a name is never reused (129, 180 and 182 were never given
//! and are retired). What to do is English here, or `"none"`; its Chinese stands in `advice`, which
//! lacks no reason or does not compile. gRPC codes are not here; they belong to the transport.
//! `docs/errors.md` is generated from both.

mod advice;

use std::{fmt, str::FromStr};

use minicbor::{Decode, Encode};

/// A language of the people who read what we say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// 简体中文
    #[default]
    Zh,
    /// English
    En,
}

/// What a column of advice in the table tells: `none` tells nothing.
fn told(column: &'static str) -> Option<&'static str> {
    (column != "none").then_some(column)
}

macro_rules! reasons {
    ($($(#[section = $section:literal])? $variant:ident = $number:literal, $name:literal, $en:literal, $zh:literal, $caller:literal, $operator:literal;)*) => {
        /// Why something was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(index_only)]
        pub enum Reason {
            $(#[doc = $en] #[n($number)] $variant,)*
        }

        impl Reason {
            /// Every reason, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name in `ErrorInfo.reason`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The sentence for people, with `{facts}` to fill in.
            pub fn text(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$variant, Lang::En) => $en, (Self::$variant, Lang::Zh) => $zh,)*
                }
            }

            /// What the caller can do about it; absent where nothing can be advised.
            pub fn caller_move(self, lang: Lang) -> Option<&'static str> {
                match lang {
                    Lang::Zh => advice::caller(self),
                    Lang::En => told(match self { $(Self::$variant => $caller,)* }),
                }
            }

            /// What the operator can do about it; absent where nothing can be advised.
            pub fn operator_move(self, lang: Lang) -> Option<&'static str> {
                match lang {
                    Lang::Zh => advice::operator(self),
                    Lang::En => told(match self { $(Self::$variant => $operator,)* }),
                }
            }

            /// Heading of the table's section that begins with this reason.
            pub fn section(self) -> Option<&'static str> {
                match self { $($(Self::$variant => Some($section),)?)* _ => None }
            }
        }
    };
}

reasons! {
    #[section = "Identity and admission"]
    CertificateMissing = 1, "CERTIFICATE_MISSING",
        "no client certificate was presented",
        "未出示客户端证书",
        "present the certificate that your platform issued to your system or person",
        "none";
    CertificateUnknown = 2, "CERTIFICATE_UNKNOWN",
        "the certificate {subject} names nobody known to this gateway",
        "证书 {subject} 不对应本网关已知的任何主体",
        "ask the platform to register the certificate's subject and serial number",
        "add the certificate to the gateway's certificate table";
    DomainForeign = 3, "DOMAIN_FOREIGN",
        "certificates of domain {domain} may not make this call here",
        "域 {domain} 的证书不得在此发起该调用",
        "call the gateway of your own domain",
        "none, unless the domain should be a federation partner: then add it to the trust list";
    CallerNotPermitted = 4, "CALLER_NOT_PERMITTED",
        "{caller} may not do this; it takes {needed}",
        "{caller} 无权执行该操作，需要 {needed}",
        "let the named party do it",
        "none";
    PersonUnknown = 5, "PERSON_UNKNOWN",
        "person {person} is not on file for the organization",
        "人员 {person} 未在该单位备案",
        "file the person first",
        "none";
    LoopDetected = 6, "LOOP_DETECTED",
        "the call passed through domain {domain} already",
        "该调用已经过域 {domain}，形成环路",
        "none",
        "check the federation links: two domains route the same name to each other";
    #[section = "The call itself"]
    MethodUnknown = 20, "METHOD_UNKNOWN",
        "method {method} is not served here",
        "此处不提供方法 {method}",
        "check the service's version",
        "none";
    MessageMalformed = 21, "MESSAGE_MALFORMED",
        "the message could not be read: {cause}",
        "无法读取消息：{cause}",
        "rebuild the client from the published protocol files",
        "none";
    FieldInvalid = 22, "FIELD_INVALID",
        "the call has fields that are wrong",
        "调用中有字段不正确",
        "correct the fields that are listed",
        "none";
    NameInvalid = 23, "NAME_INVALID",
        "`{name}` is not a resource name of the wanted kind",
        "“{name}”不是所需类型的资源名称",
        "use the name as the platform returned it",
        "none";
    RequestIdMissing = 24, "REQUEST_ID_MISSING",
        "a call that changes something needs a request_id",
        "变更类调用必须携带 request_id",
        "send a fresh UUID and keep it for retries of the same call",
        "none";
    RequestIdReused = 25, "REQUEST_ID_REUSED",
        "request_id {request_id} was used for a different call",
        "request_id {request_id} 已用于内容不同的另一次调用",
        "draw a new request_id for a new call; send the unchanged call again to retry",
        "none";
    PageTokenInvalid = 26, "PAGE_TOKEN_INVALID",
        "the page token does not belong to this query",
        "分页标记不属于本查询",
        "start again without a page token",
        "none";
    EtagMismatch = 27, "ETAG_MISMATCH",
        "the resource is at {actual}, not at {expected}",
        "资源当前版本为 {actual}，而非 {expected}",
        "read the resource again, apply the change to what you read, send its etag",
        "none";
    EtagMissing = 28, "ETAG_MISSING",
        "this change needs the etag of the version that it is based on",
        "该变更必须携带所依据版本的 etag",
        "read the resource and send its etag",
        "none";
    MaskInvalid = 29, "MASK_INVALID",
        "update_mask names {path}, which cannot be updated",
        "update_mask 中的 {path} 不可更新",
        "name only fields of the resource that can be updated",
        "none";
    TextTooLong = 30, "TEXT_TOO_LONG",
        "{field} has {length} characters; at most {limit} are taken",
        "{field} 有 {length} 个字符，最多允许 {limit} 个",
        "shorten it, or file a document and cite it",
        "none";
    TooManyItems = 31, "TOO_MANY_ITEMS",
        "{field} has {length} parts; at most {limit} are taken",
        "{field} 有 {length} 项，最多允许 {limit} 项",
        "split the call",
        "none";
    TextControlCharacters = 32, "TEXT_CONTROL_CHARACTERS",
        "{field} holds control characters",
        "{field} 含有控制字符",
        "remove them",
        "none";
    #[section = "What is named"]
    NotFound = 40, "NOT_FOUND",
        "{name} does not exist",
        "{name} 不存在",
        "check the name; search the catalog",
        "none";
    OrganizationUnknown = 41, "ORGANIZATION_UNKNOWN",
        "organization {name} is not registered",
        "单位 {name} 未登记",
        "register the organization first",
        "none";
    SystemUnknown = 42, "SYSTEM_UNKNOWN",
        "system {name} is not registered for the organization",
        "系统 {name} 未在该单位登记",
        "register the system first",
        "none";
    AlreadyExists = 43, "ALREADY_EXISTS",
        "{name} exists already",
        "{name} 已存在",
        "use the one that exists, or draw a new id",
        "none";
    CreditCodeInvalid = 44, "CREDIT_CODE_INVALID",
        "`{code}` is not a unified social credit code: {cause}",
        "“{code}”不是有效的统一社会信用代码：{cause}",
        "check the code against the organization's certificate",
        "none";
    CreditCodeTaken = 45, "CREDIT_CODE_TAKEN",
        "credit code {code} belongs to {name} already",
        "统一社会信用代码 {code} 已属于 {name}",
        "use the organization that exists",
        "none";
    OrganizationUnverified = 46, "ORGANIZATION_UNVERIFIED",
        "organization {name} is not verified: its class is unknown",
        "单位 {name} 未经核验，类别未知",
        "complete credit code and class with OrganizationService.UpdateOrganization",
        "none";
    DomainUnknown = 47, "DOMAIN_UNKNOWN",
        "no link to domain {domain}",
        "没有通往域 {domain} 的连接",
        "check the name",
        "add the domain to the gateway's federation links";
    #[section = "The catalog"]
    EntryIncomplete = 60, "ENTRY_INCOMPLETE",
        "the entry lacks what the compilation standard asks for",
        "目录缺少编制规范要求的内容",
        "complete the fields that are listed, then submit again",
        "none";
    EntryStateWrong = 61, "ENTRY_STATE_WRONG",
        "the entry is {state}; this needs {needed}",
        "目录当前状态为 {state}，该操作需要 {needed}",
        "see the entry's life cycle",
        "none";
    EntryGradeMissing = 62, "ENTRY_GRADE_MISSING",
        "an entry without classification and grade cannot be published",
        "未分类分级的目录不得发布",
        "state the grade; it is at least the highest of its items",
        "none";
    EntryGradeTooLow = 63, "ENTRY_GRADE_TOO_LOW",
        "the entry's grade is below that of item {item}",
        "目录的分级低于信息项 {item} 的分级",
        "raise the entry's grade: the strictest item decides",
        "none";
    EntryLinksMissing = 64, "ENTRY_LINKS_MISSING",
        "an entry bound to no business system cannot be published",
        "未与业务系统关联的目录不得发布",
        "add at least one catalog–data–system link",
        "none";
    EntryLinkUnknown = 65, "ENTRY_LINK_UNKNOWN",
        "link to system {system}, which the provider has not registered",
        "关联的系统 {system} 未由提供单位登记",
        "register the system first",
        "none";
    AssessmentMissing = 66, "ASSESSMENT_MISSING",
        "assessment {assessment} is missing or failed",
        "缺少评估或评估未通过：{assessment}",
        "make the assessment and record its result",
        "none";
    SharingAttributeMissing = 67, "SHARING_ATTRIBUTE_MISSING",
        "the entry has no sharing attribute",
        "目录未标注共享属性",
        "state unconditional, conditional or not shared",
        "none";
    ConditionsMissing = 68, "CONDITIONS_MISSING",
        "a conditional entry lists scope and purpose of its sharing",
        "有条件共享的目录应当列明共享范围和用途",
        "state scope and purpose",
        "none";
    BasisMissing = 69, "BASIS_MISSING",
        "this sharing attribute needs a legal basis",
        "该共享属性需要法律依据",
        "cite title, article, rank and the words of the law",
        "none";
    BasisRankTooLow = 70, "BASIS_RANK_TOO_LOW",
        "a basis of rank {rank} does not carry this attribute; it takes {needed}",
        "{rank} 级别的依据不足以支持该共享属性，需要 {needed}",
        "cite a text of sufficient rank, or change the attribute",
        "none";
    BasisNotExplicit = 71, "BASIS_NOT_EXPLICIT",
        "the basis must quote the words that forbid sharing",
        "依据必须引用明确禁止共享的条文",
        "quote the forbidding words",
        "none";
    ReasonMissing = 72, "REASON_MISSING",
        "a reason in words is needed",
        "必须写明理由",
        "give the reason",
        "none";
    DataKindNotPermitted = 73, "DATA_KIND_NOT_PERMITTED",
        "the organization may not compile a {kind} catalog",
        "该单位不得编制 {kind} 目录",
        "use the kind that fits the unit's capacity",
        "add the capacity to the organization";
    ConsentMissing = 74, "CONSENT_MISSING",
        "the consent of {consenter} is missing for {subject}",
        "{subject} 缺少 {consenter} 的同意",
        "let the head consent with GiveConsent, then repeat the call",
        "none";
    ConsentNotByHead = 75, "CONSENT_NOT_BY_HEAD",
        "consent is given by {needed}",
        "应由 {needed} 表示同意",
        "let that person consent, or let your system assert the person",
        "none";
    ConsentVersionStale = 76, "CONSENT_VERSION_STALE",
        "consent was asked for version {given}; the current version is {actual}",
        "同意针对版本 {given}，当前版本为 {actual}",
        "read the subject again and consent to what it says now",
        "none";
    ItemsDuplicate = 77, "ITEMS_DUPLICATE",
        "item {item} appears twice",
        "信息项 {item} 重复",
        "name every item once",
        "none";
    ImportOpenTypeNotSharing = 78, "IMPORT_OPEN_TYPE_NOT_SHARING",
        "an open type is not a sharing attribute",
        "开放类型不是共享属性",
        "state the sharing attribute yourself",
        "none";
    EntryHasLiveGrants = 79, "ENTRY_HAS_LIVE_GRANTS",
        "the entry has {count} live grants; withdrawal is a change of service",
        "该目录有 {count} 项有效授权，撤回属于变更服务",
        "terminate or settle the grants with their users first",
        "none";
    #[section = "Asking and answering"]
    EntryNotAvailable = 100, "ENTRY_NOT_AVAILABLE",
        "the entry is not in the catalog",
        "该目录不在目录库中",
        "search the catalog",
        "none";
    ScenarioMissing = 101, "SCENARIO_MISSING",
        "the request declares no scenario",
        "申请未写明应用场景",
        "state the scenario",
        "none";
    DutyBasisMissing = 102, "DUTY_BASIS_MISSING",
        "the request states no basis in duty",
        "申请未写明使用依据",
        "state the duty on which the need rests",
        "none";
    ScopeMissing = 103, "SCOPE_MISSING",
        "the request names no items",
        "申请未列明数据项",
        "name the items that are needed",
        "none";
    MethodMissing = 104, "METHOD_MISSING",
        "the request names no way of sharing",
        "申请未写明共享方式",
        "state the method",
        "none";
    TermMissing = 105, "TERM_MISSING",
        "the request states no term",
        "申请未写明使用时限",
        "state first and last day",
        "none";
    TermInvalid = 106, "TERM_INVALID",
        "the term ends before it begins or before today",
        "使用时限早于起始日或早于今日",
        "correct the term",
        "none";
    CommitmentMissing = 107, "COMMITMENT_MISSING",
        "the commitments are incomplete: {missing}",
        "缺少承诺：{missing}",
        "make the commitments that are listed",
        "none";
    ItemUnknown = 108, "ITEM_UNKNOWN",
        "item {item} is not in the entry",
        "信息项 {item} 不在该目录中",
        "use the item names of the entry",
        "none";
    NotShared = 109, "NOT_SHARED",
        "the entry is not shared: {basis}",
        "该目录不予共享：{basis}",
        "if you think the attribute is wrong, raise it with the authority",
        "none";
    ItemNotShared = 110, "ITEM_NOT_SHARED",
        "item {item} is not shared",
        "信息项 {item} 不予共享",
        "ask without it",
        "none";
    RequestStateWrong = 111, "REQUEST_STATE_WRONG",
        "the request is {state}; this needs {needed}",
        "申请当前状态为 {state}，该操作需要 {needed}",
        "see the request's life cycle",
        "none";
    NotTheDecider = 112, "NOT_THE_DECIDER",
        "{caller} does not decide this case; {decider} does",
        "{caller} 无权决定本申请，应由 {decider} 决定",
        "let the decider answer",
        "none";
    OpinionMissing = 113, "OPINION_MISSING",
        "the provider was not heard yet and its time has not run out",
        "尚未听取提供单位意见且其期限未满",
        "wait for the opinion or for the end of its time",
        "none";
    RefusalReasonMissing = 114, "REFUSAL_REASON_MISSING",
        "a refusal needs a written reason",
        "不同意共享应当书面说明理由",
        "give the reason",
        "none";
    RefusalGroundMissing = 115, "REFUSAL_GROUND_MISSING",
        "a refusal needs its ground",
        "不同意共享应当写明依据",
        "state the ground",
        "none";
    PartWithoutItems = 116, "PART_WITHOUT_ITEMS",
        "an agreement in part names some of the requested items and a reason for the rest",
        "部分同意应列明同意的数据项并说明其余理由",
        "name the items and the reason",
        "none";
    ExtensionNotAllowed = 117, "EXTENSION_NOT_ALLOWED",
        "no rule in force allows an extension here",
        "现行规则不允许在此延期",
        "answer within the time",
        "none";
    ExtensionTooLong = 118, "EXTENSION_TOO_LONG",
        "at most {limit} working days may be added in all",
        "累计延期不得超过 {limit} 个工作日",
        "ask for less",
        "none";
    ExtensionConsentMissing = 119, "EXTENSION_CONSENT_MISSING",
        "an extension needs the consent of the authority",
        "延期须经主管部门同意",
        "let a person of the authority extend the case",
        "none";
    ExtensionTooLate = 120, "EXTENSION_TOO_LATE",
        "the time has run out; an overdue answer cannot be extended",
        "期限已过，不得再延期",
        "answer now; the answer is marked late",
        "none";
    CompletionSecondList = 121, "COMPLETION_SECOND_LIST",
        "what is missing was listed once already",
        "已一次性告知应补正的内容",
        "decide on what there is",
        "none";
    CompletionNothingMissing = 122, "COMPLETION_NOTHING_MISSING",
        "a completion list names at least one thing that is missing",
        "补正清单至少列明一项缺失内容",
        "name what is missing",
        "none";
    RefusedForIncompleteness = 123, "REFUSED_FOR_INCOMPLETENESS",
        "a request may not be refused for being incomplete",
        "不得以材料不齐为由直接拒绝",
        "ask for completion instead",
        "none";
    NoRuleInForce = 124, "NO_RULE_IN_FORCE",
        "no rule in force answers: {key}",
        "没有现行有效的规则：{key}",
        "none",
        "load a pack with a rule for it, or record the authority's decision to continue";
    GrantStateWrong = 125, "GRANT_STATE_WRONG",
        "the grant is {state}; this needs {needed}",
        "授权当前状态为 {state}，该操作需要 {needed}",
        "see the grant's life cycle",
        "none";
    TerminationWithoutSuspension = 126, "TERMINATION_WITHOUT_SUSPENSION",
        "a grant is terminated only after suspension and a term for rectification",
        "终止授权前须先暂停并限期整改",
        "suspend with a date for rectification first",
        "none";
    RectificationRunning = 127, "RECTIFICATION_RUNNING",
        "the term for rectification runs until {date}",
        "整改期限至 {date}",
        "wait for the date",
        "none";
    NotOwner = 128, "NOT_OWNER",
        "domain {owner} owns this; only it may change it",
        "该资源属于域 {owner}，只有该域可以变更",
        "let the owner's domain act",
        "none";
    #[section = "Federation"]
    FeedTokenUnknown = 150, "FEED_TOKEN_UNKNOWN",
        "the feed token is not one of this domain's feed",
        "变更流标记不属于本域的变更流",
        "start again from the beginning",
        "none";
    FeedCursorMoved = 151, "FEED_CURSOR_MOVED",
        "the cursor is at {actual}, not at {expected}",
        "游标位于 {actual}，而非 {expected}",
        "read the cursor again",
        "none";
    FeedChainBroken = 152, "FEED_CHAIN_BROKEN",
        "the feed's hash chain breaks at revision {revision}",
        "变更流的哈希链在修订 {revision} 处断裂",
        "none",
        "compare the follower with its source; do not skip the record";
    ForwardNotForUs = 153, "FORWARD_NOT_FOR_US",
        "the entry belongs to domain {owner}, not to this one",
        "该目录属于域 {owner}，不属于本域",
        "none",
        "check the federation links";
    StatusStale = 154, "STATUS_STALE",
        "the case is at version {actual} already",
        "该案件已是版本 {actual}",
        "none",
        "none";
    UpstreamUnreachable = 155, "UPSTREAM_UNREACHABLE",
        "domain {domain} cannot be reached now",
        "目前无法连接域 {domain}",
        "none: the case is kept and delivered when the link is back",
        "check the link; the outbox keeps what is owed";
    #[section = "The cluster"]
    NoLeader = 170, "NO_LEADER",
        "the cluster has no leader at the moment",
        "集群当前没有主节点",
        "try again",
        "if it lasts: look at the nodes' status";
    NotLeader = 171, "NOT_LEADER",
        "this node does not lead",
        "本节点不是主节点",
        "call the leader",
        "none";
    Overloaded = 172, "OVERLOADED",
        "the node is taking no more work at the moment",
        "节点当前不再接受新的工作",
        "slow down and try again",
        "look at the load";
    OutcomeUnknown = 173, "OUTCOME_UNKNOWN",
        "the outcome of the call is not known; it may have taken effect",
        "调用结果未知，可能已经生效",
        "repeat the same call with the same request_id",
        "none";
    Draining = 174, "DRAINING",
        "the node is shutting down",
        "节点正在停机",
        "try again on another node",
        "none";
    TimedOut = 175, "TIMED_OUT",
        "the call did not finish within its time",
        "调用未在时限内完成",
        "repeat with the same request_id, or allow more time",
        "look at the node's status";
    StampOutOfBounds = 176, "STAMP_OUT_OF_BOUNDS",
        "the leader's clock is {ahead_ms} ms ahead of what is plausible; nothing is stamped with it",
        "主节点时钟超前 {ahead_ms} 毫秒，超出合理范围，不予采用",
        "try again later",
        "correct the node's clock; the alarm clears by itself";
    NotBootstrapped = 177, "NOT_BOOTSTRAPPED",
        "the cluster has not been bootstrapped",
        "集群尚未初始化",
        "none",
        "run the bootstrap command once";
    AlreadyBootstrapped = 178, "ALREADY_BOOTSTRAPPED",
        "the cluster is bootstrapped already",
        "集群已经初始化",
        "none",
        "none";
    DevelopmentClockOff = 179, "DEVELOPMENT_CLOCK_OFF",
        "this cluster was created without a development clock",
        "本集群创建时未启用开发时钟",
        "none",
        "create a development cluster for this";
    EnvelopeRefused = 181, "ENVELOPE_REFUSED",
        "this node takes calls from gateways of its own domain only",
        "本节点只接受本域网关的调用",
        "call the gateway",
        "none";
    TransferRefused = 183, "TRANSFER_REFUSED",
        "leadership cannot move to {node}: {cause}",
        "主节点不能移交给 {node}：{cause}",
        "choose a voter that is caught up",
        "none";
    GenerationForeign = 184, "GENERATION_FOREIGN",
        "the call is from another cluster or generation",
        "该调用来自其他集群或世代",
        "none",
        "check which cluster the endpoint belongs to";
    DiskNearlyFull = 185, "DISK_NEARLY_FULL",
        "the node that leads has too little free disk space to take changes; reading goes on",
        "主节点磁盘剩余空间不足，暂不接受变更，查询不受影响",
        "try again later",
        "free space on the named node's disk, or transfer leadership; writing goes on by itself";
    MemberUnknown = 186, "MEMBER_UNKNOWN",
        "node {node} is no member of the cluster",
        "节点 {node} 不是集群成员",
        "list the members",
        "none";
    MemberIdUsed = 187, "MEMBER_ID_USED",
        "node id {node} was used before and never comes back",
        "节点编号 {node} 曾被使用，不得再用",
        "choose an id that no member ever had",
        "none";
    MemberBehind = 188, "MEMBER_BEHIND",
        "node {node} is not caught up: {cause}",
        "节点 {node} 尚未追上：{cause}",
        "wait until the list of members shows no lag, then try again",
        "look at the node's log and its link to the leader";
    MembersChanging = 189, "MEMBERS_CHANGING",
        "another change of the members is under way",
        "另一项成员变更正在进行",
        "try again when it is finished",
        "if it lasts: a majority of both the old and the new voters must be reachable";
    MemberChangeRefused = 190, "MEMBER_CHANGE_REFUSED",
        "the change of node {node} is refused: {cause}",
        "拒绝对节点 {node} 的变更：{cause}",
        "look at the members and the quorum before the change",
        "none";
    LevelTooLow = 191, "LEVEL_TOO_LOW",
        "this takes command level {needed}, the cluster uses {level}",
        "该操作需要命令级别 {needed}，集群当前为 {level}",
        "ask the operator to finish the upgrade",
        "upgrade every node, then raise the level";
    LevelUnsupported = 192, "LEVEL_UNSUPPORTED",
        "the level cannot be raised to {level}: {cause}",
        "无法将命令级别提升到 {level}：{cause}",
        "none",
        "upgrade the named nodes first";
    NodeQuarantined = 193, "NODE_QUARANTINED",
        "the state of this node is in doubt or incomplete; it answers nothing until it has a sound copy",
        "本节点数据存疑或不完整，在获得完整副本之前不予应答",
        "try again on another node",
        "the node fetches a copy by itself; look at its alarms";
    StoreForeign = 194, "STORE_FOREIGN",
        "the disk of node {node} is not the one that the cluster knows",
        "节点 {node} 的磁盘不是集群所登记的那一块",
        "none",
        "stop the node and replace it under a new id: luqiao cluster replace {node} --by NEW";
    Internal = 199, "INTERNAL",
        "the platform failed to do this; the log of the node has the cause",
        "平台内部错误，原因见节点日志",
        "report the request_id to the platform",
        "read the log at the time of the call";
    #[section = "After the grant"]
    DeliveryWithoutProof = 350, "DELIVERY_WITHOUT_PROOF",
        "a delivery counts by {proofs} only",
        "只有{proofs_zh}才算完成共享",
        "let the user fetch the data or acknowledge them",
        "none";
    RectificationUnjudged = 351, "RECTIFICATION_UNJUDGED",
        "the user reported its rectification; whether it is adequate is to be judged first",
        "使用部门已报告整改，应先作出整改是否到位的认定",
        "judge the rectification",
        "none";
    GrantSuspended = 352, "GRANT_SUSPENDED",
        "the right is suspended; rectification is due by {date}",
        "共享权限已暂停，整改期限至 {date}",
        "rectify and report",
        "none";
    GrantEnded = 353, "GRANT_ENDED",
        "the right is over: {state}",
        "共享权限已终结：{state}",
        "ask anew if the data are still needed",
        "none";
    ServiceStopped = 354, "SERVICE_STOPPED",
        "the provider stopped the service: {cause}",
        "提供部门已停止服务：{cause}",
        "wait for the provider's word",
        "none";
    UseOutsideTerm = 355, "USE_OUTSIDE_TERM",
        "the right holds from {from} to {to}",
        "使用时限为 {from} 至 {to}",
        "ask for a longer term",
        "none";
    UseByOtherSystem = 356, "USE_BY_OTHER_SYSTEM",
        "the right is not bound to system {system}",
        "该共享权限未绑定系统 {system}",
        "call from the system that the request named",
        "none";
    UseOutsideScenario = 357, "USE_OUTSIDE_SCENARIO",
        "the right is for \"{scenario}\" and nothing else",
        "仅限用于“{scenario}”",
        "name the declared scenario, or ask the provider",
        "none";
    UseOutsideItems = 358, "USE_OUTSIDE_ITEMS",
        "item {item} is not in the right",
        "信息项 {item} 不在共享范围内",
        "ask for the granted items only",
        "none";
    UseOutsideRows = 359, "USE_OUTSIDE_ROWS",
        "the right is limited to these rows: {rows}",
        "使用范围限于：{rows}",
        "ask for the granted rows only",
        "none";
    UseRateExceeded = 360, "USE_RATE_EXCEEDED",
        "the right is for {rate} calls a day",
        "每日调用限额为 {rate} 次",
        "call again tomorrow",
        "none";
    WiderUseNotPermitted = 361, "WIDER_USE_NOT_PERMITTED",
        "the data may not serve a third party or another purpose; rules that gave way or would permit it with the provider's consent: {rules}",
        "数据不得提供给第三方或者用于其他目的；其他相关规定：{rules_zh}",
        "use the data as declared",
        "none";
    ServiceChangeNotNegotiated = 362, "SERVICE_CHANGE_NOT_NEGOTIATED",
        "the change was not negotiated with every user of the service",
        "尚未与全部需求部门协商",
        "let the users agree, or record the minutes of the talk",
        "none";
    ServiceChangeNotFiled = 363, "SERVICE_CHANGE_NOT_FILED",
        "the change is not filed with the authority",
        "尚未报主管部门备案",
        "file it first",
        "none";
    PurposeHasEnded = 364, "PURPOSE_HAS_ENDED",
        "the purpose of the grant to renew has ended",
        "拟续期的共享权限其共享目的已终结",
        "file a request for a new purpose",
        "none";
    DisposalNotAsRequired = 365, "DISPOSAL_NOT_AS_REQUIRED",
        "the provider requires that the data are {required}",
        "提供部门要求的处置方式为：{required}",
        "dispose of the data as required",
        "none";
    UseRecordIncomplete = 366, "USE_RECORD_INCOMPLETE",
        "the use record lacks {fields}",
        "使用记录缺少：{fields}",
        "fill in the fields",
        "none";
    UseRecordsRetained = 367, "USE_RECORDS_RETAINED",
        "use records are kept until {until}",
        "使用记录须保存至 {until}",
        "purge older records only",
        "none";
    AgreementMissing = 368, "AGREEMENT_MISSING",
        "the agreement on the use is not on record",
        "尚未登记使用协议",
        "sign the agreement with the authority",
        "none";
    ServiceChangeStateWrong = 369, "SERVICE_CHANGE_STATE_WRONG",
        "the change of the service is {state}; this needs {needed}",
        "该服务变更处于 {state} 状态，此操作需要：{needed}",
        "look at the change",
        "none";
    #[section = "The life of a catalog entry"]
    SelfCheckMissing = 370, "SELF_CHECK_MISSING",
        "self-check {check} is missing or failed",
        "缺少自查或自查未通过：{check}",
        "make the check and record its result",
        "none";
    LibraryUnknown = 371, "LIBRARY_UNKNOWN",
        "{library} is none of the libraries of this catalog: {known}",
        "{library} 不属于本目录的库：{known}",
        "name one of the libraries, or none",
        "none";
    PersonalBasisMissing = 372, "PERSONAL_BASIS_MISSING",
        "an entry with personal information states the duty on which its collection rests",
        "含个人信息的目录必须写明收集所依据的职责",
        "state duty_basis, or leave the personal items out",
        "none";
    ImportantNotOpen = 373, "IMPORTANT_NOT_OPEN",
        "data listed as important are not opened",
        "列入重要数据目录的数据不得开放",
        "take the open type out",
        "none";
    NarrowingWithoutBasis = 374, "NARROWING_WITHOUT_BASIS",
        "{what} was {from} and becomes {to}: a condition is added only with a legal basis",
        "{what} 由 {from} 变为 {to}：增设条件须有法律依据",
        "cite the basis, or keep the attribute",
        "none";
    SubmitterNotOnFile = 375, "SUBMITTER_NOT_ON_FILE",
        "entries are handed in by persons on file; this call names none",
        "目录应由备案人员报送，该调用未指明备案人员",
        "file the person with UpdatePerson, or let your system name one on file",
        "the house switch is `only_persons_on_file` in the rule on separation of duties";
    SharingOfficeHeadMissing = 376, "SHARING_OFFICE_HEAD_MISSING",
        "the unit has no head of its sharing office on file; it can neither file requests nor answer them",
        "该单位没有备案的共享工作机构负责人，不能提出申请，也不能答复申请",
        "file the head with UpdatePerson",
        "none";
    SecretEntryRefused = 377, "SECRET_ENTRY_REFUSED",
        "{mark} stays out of the platform; nothing of what was sent is kept",
        "{mark} 不得进入平台，所报送内容一概不予保存",
        "keep it in the systems for secrets; register nothing about it here",
        "look whether the content reached a log or a trace";
    ChangeNotReported = 378, "CHANGE_NOT_REPORTED",
        "no update is owed for {name}",
        "{name} 没有应完成的更新",
        "report the change first",
        "none";
    UpdateNotDone = 379, "UPDATE_NOT_DONE",
        "{name} was not updated and handed in since {day}",
        "{name} 自 {day} 以来未更新并报送",
        "update the entry, hand it in, then report it done",
        "none";
    NotOnWorklist = 380, "NOT_ON_WORKLIST",
        "{name} is not on the re-classification worklist",
        "{name} 不在重新分类清单上",
        "see the worklist",
        "none";
    PassUnderWay = 381, "PASS_UNDER_WAY",
        "pass {number} over the catalog is under way",
        "第 {number} 次清查正在进行",
        "wait until it is through",
        "it goes on with every step of the clock";
    UpdateExtensionTooLate = 382, "UPDATE_EXTENSION_TOO_LATE",
        "the time for the update of {name} has run out and is not extended any more",
        "{name} 的更新期限已过，不得再延期",
        "update and hand in now; it is marked late",
        "none";
    BasisUnderReview = 383, "BASIS_UNDER_REVIEW",
        "the entry is not shared, but its basis no longer suffices: it is being re-classified, and this is no refusal by law",
        "该目录目前不共享，但其依据已不充分，正在重新分类；本次不构成依法拒绝",
        "ask again when it is re-classified, or raise a dispute",
        "see the re-classification worklist";
    #[section = "The law itself"]
    RulePackRefused = 300, "RULE_PACK_REFUSED",
        "the rule pack cannot be used: {cause}",
        "规则包不能使用：{cause}",
        "correct what is named and load it again",
        "none";
    CalendarRefused = 301, "CALENDAR_REFUSED",
        "the calendar cannot be used: {cause}",
        "工作日历不能使用：{cause}",
        "correct what is named and load it again",
        "none";
    CalendarDayCounted = 302, "CALENDAR_DAY_COUNTED",
        "{date} is over and was counted as a working day; it is not taken out of the count",
        "{date} 已过且已计为工作日，不得从计数中去除",
        "leave the day as it was counted; rule on the cases that it concerns",
        "none";
    CalendarYearMissing = 303, "CALENDAR_YEAR_MISSING",
        "the calendar has no list for {year}",
        "工作日历缺少 {year} 年的安排",
        "load all official lists, without a gap",
        "none";
    SecondPersonNeeded = 304, "SECOND_PERSON_NEEDED",
        "{what} takes two persons; {person} proposed it and cannot confirm it",
        "{what} 须由两人办理，{person} 为提出人，不得自行确认",
        "let another person of the authority send the same text",
        "none";
    PersonNeeded = 305, "PERSON_NEEDED",
        "{what} takes two persons, and the call names none",
        "{what} 须由两人办理，该调用未指明人员",
        "call as a person, or let the system assert one",
        "none";
    RulingUnfit = 306, "RULING_UNFIT",
        "the ruling cannot be made: {cause}",
        "不能作出该裁定：{cause}",
        "look at the rules of the point with `luqiao rules explain`",
        "none";
    DecisionIncomplete = 307, "DECISION_INCOMPLETE",
        "a decision on paper is recorded with number, scan, date, issuing body and for whom it is recorded",
        "纸质决定应当登记文号、扫描件摘要、日期、发文机关和代录对象",
        "complete the fields that are listed",
        "none";
    ClosureUnknown = 308, "CLOSURE_UNKNOWN",
        "{date} is not declared closed",
        "{date} 未申报为停工日",
        "look at the calendar",
        "none";
    OutageSourceMissing = 309, "OUTAGE_SOURCE_MISSING",
        "an outage that is written down afterwards needs a second source",
        "事后补记的平台中断应有第二来源佐证",
        "name the second source: a carrier's report, a record of the monitoring",
        "none";
    OutageTimesWrong = 310, "OUTAGE_TIMES_WRONG",
        "an outage begins before it ends and is over when it is recorded; it is {now}",
        "中断起始应早于结束，且登记时已结束；现为 {now}",
        "correct the times",
        "none";
    RulingNotWanted = 311, "RULING_NOT_WANTED",
        "{name} did not fall overdue on a day of an outage",
        "{name} 并非在平台中断当日逾期",
        "none",
        "none";
    RulingGivenAlready = 312, "RULING_GIVEN_ALREADY",
        "it was ruled on {name} already",
        "已就 {name} 作出裁定",
        "none",
        "none";
    #[section = "The life of a case"]
    ExtensionPending = 320, "EXTENSION_PENDING",
        "an extension of {days} working days waits for the authority already",
        "延长 {days} 个工作日的申请正待主管部门同意",
        "wait for its answer; the clock runs on",
        "none";
    ExtensionNotProposed = 321, "EXTENSION_NOT_PROPOSED",
        "no extension was proposed for this case",
        "该件没有待同意的延期申请",
        "let the debtor propose one",
        "none";
    OpinionAskedAlready = 322, "OPINION_ASKED_ALREADY",
        "the provider was asked for its opinion already",
        "已就该件征求过提供部门的意见",
        "wait until its time has run out",
        "none";
    OpinionNotAsked = 323, "OPINION_NOT_ASKED",
        "the provider was not asked for its opinion; it is heard before the authority answers",
        "尚未征求提供部门意见；主管部门答复前应当会同提供部门",
        "ask for the opinion",
        "none";
    ReasonNotHeard = 324, "REASON_NOT_HEARD",
        "the reason for the lateness may still be claimed until {due}; nothing counts before it was heard",
        "{due} 前可以说明逾期理由，听取之前不计入记录",
        "wait for the claim or for the end of the hearing",
        "none";
    HearingNotOpen = 325, "HEARING_NOT_OPEN",
        "no lateness of {debtor} is being heard in this case",
        "该件没有正在听取 {debtor} 逾期理由的程序",
        "read the case",
        "none";
    HearingOver = 326, "HEARING_OVER",
        "the time to claim a reason ended on {due}",
        "说明理由的期限已于 {due} 届满",
        "none; the answer stays possible",
        "none";
    NotTheEscalation = 327, "NOT_THE_ESCALATION",
        "only {target}, who does not owe the answer, rules on the reason",
        "只有不负答复义务的 {target} 可以认定理由",
        "let that party rule",
        "register the government or the superior authority if nobody is on file";
    OutageRulingPending = 328, "OUTAGE_RULING_PENDING",
        "the answer fell due during an outage of the platform; that is ruled on first",
        "答复期限届满时平台发生故障，应当先作认定",
        "wait for the ruling on the outage",
        "none";
    SelfApproval = 329, "SELF_APPROVAL",
        "{what} is approved by another person than the one who submitted it",
        "{what}的提交人不得自行审批",
        "let another person approve it",
        "the switch for separation of duties is the domain's own";
    PersonNotAsserted = 330, "PERSON_NOT_ASSERTED",
        "system {system} may speak only for persons of its own organization; {person} is none",
        "系统 {system} 只能代表本单位人员，{person} 不是",
        "name a person of the organization, or nobody",
        "register the person";
    PaperIncomplete = 331, "PAPER_INCOMPLETE",
        "the record of a paper decision lacks {missing}",
        "纸质决定的登记缺少 {missing_zh}",
        "state what is missing",
        "none";
    ClerkAsDecider = 332, "CLERK_AS_DECIDER",
        "{name} enters the decision and cannot be its decider",
        "{name} 是录入人，不能登记为决定人",
        "name the body that decided and for whom it is entered",
        "none";
    PaperDateInvalid = 333, "PAPER_DATE_INVALID",
        "the date {date} on the paper lies after today or before the case",
        "纸质文件日期 {date} 晚于今日或早于该件",
        "check the date stamped on the paper",
        "none";
    ConsultationSkipped = 334, "CONSULTATION_SKIPPED",
        "the two sides have not consulted: {missing}",
        "双方尚未协商：{missing}",
        "let both sides state their position and record the consultation",
        "none";
    CoordinatorNotAbove = 335, "COORDINATOR_NOT_ABOVE",
        "the two sides belong to different levels or regions; their common superior authority coordinates, and its result is entered from paper",
        "双方属于不同层级或者地区，由共同的上级主管部门协调，其结果凭纸质文件登记",
        "enter the result with document number and digest",
        "none";
    DisputeStateWrong = 336, "DISPUTE_STATE_WRONG",
        "the dispute is {state}; this takes {needed}",
        "争议处于 {state}，该操作要求 {needed}",
        "read the dispute",
        "none";
    DemandStateWrong = 337, "DEMAND_STATE_WRONG",
        "the demand is {state}; this takes {needed}",
        "需求处于 {state}，该操作要求 {needed}",
        "read the demand",
        "none";
    DemandWithoutOwner = 338, "DEMAND_WITHOUT_OWNER",
        "nobody on file would own the demand",
        "没有登记的单位承接该需求",
        "none",
        "register the platform manager or the authority";
    ItemGrantedAtOnce = 339, "ITEM_GRANTED_AT_ONCE",
        "{item} was granted at once; the answer is about the rest",
        "{item} 已即时授权，答复仅针对其余信息项",
        "leave the item out",
        "none";
    #[section = "Relations and quality"]
    DatasetBound = 400, "DATASET_BOUND",
        "the dataset is still bound to {what}",
        "数据集仍与 {what} 关联",
        "end the links first",
        "none";
    SystemBound = 401, "SYSTEM_BOUND",
        "the system still holds data: {what}",
        "系统仍承载数据：{what}",
        "bind the data to the system that takes them over, then delete this one",
        "none";
    SourceAlreadyAssigned = 402, "SOURCE_ALREADY_ASSIGNED",
        "{source} is the source of {element} from {from} to {until}; a datum has one source at a time",
        "{element} 在 {from} 至 {until} 期间的数源部门为 {source}，一数一源",
        "end the other assignment first, or choose other days",
        "none";
    CollectionDuplicated = 403, "COLLECTION_DUPLICATED",
        "what {title} collects can be had by sharing: {overlaps}",
        "{title} 拟收集的数据可以通过共享获得：{overlaps}",
        "ask for the data by a share request, or cite the law that allows to collect them all the same",
        "none";
    TransferNotCosigned = 404, "TRANSFER_NOT_COSIGNED",
        "the department that takes the function over has not signed",
        "职能转入部门尚未会签",
        "ask the receiving department to sign",
        "none";
    EntryInTransfer = 405, "ENTRY_IN_TRANSFER",
        "entry {entry} is in another transfer of a function",
        "目录 {entry} 已在另一项职能划转中",
        "wait for the other transfer, or leave the entry out",
        "none";
    NarrowingDuringObjection = 406, "NARROWING_DURING_OBJECTION",
        "the authority has objected to the sharing attribute; it is not narrowed before that is settled",
        "主管部门对共享属性的异议尚未了结，期间不得收窄",
        "settle the objection first",
        "none";
    ObjectionOpen = 407, "OBJECTION_OPEN",
        "objection {objection} to the same attribute is open",
        "对同一共享属性的异议 {objection} 尚未了结",
        "go on with the open one",
        "none";
    ConsultationMissing = 408, "CONSULTATION_MISSING",
        "the two sides have not consulted yet",
        "双方尚未协商",
        "state a position and hear the other side first",
        "none";
    SettlementNarrows = 409, "SETTLEMENT_NARROWS",
        "{published} is published; an objection asks for more than that and never ends in less",
        "当前共享属性为 {published}，异议只能要求扩大共享，处理结果不得更窄",
        "a narrower attribute takes a new version with its basis",
        "none";
    DecisionRecordIncomplete = 410, "DECISION_RECORD_INCOMPLETE",
        "the record of the paper decision is incomplete",
        "纸质决定的记录不完整",
        "give number, digest, date, issuing body and for whom it is recorded",
        "none";
    EmergencyUseOutside = 411, "EMERGENCY_USE_OUTSIDE",
        "the data were taken for {event}; they serve nothing else",
        "该数据为应对 {event} 取得，不得用于无关事项",
        "name the event, or ask for data that were not taken in an emergency",
        "none";
    EmergencyUseEnded = 412, "EMERGENCY_USE_ENDED",
        "{event} is over; the data taken for it are not used any more",
        "{event} 应急处置已结束，相关数据不得再使用",
        "none",
        "none";
    PurchaseNotApproved = 413, "PURCHASE_NOT_APPROVED",
        "purchase {purchase} is {state}; bought data are registered when the authority has bought them",
        "采购 {purchase} 处于 {state} 状态，未经主管部门统一采购的数据不得登记",
        "request the purchase and wait for the authority",
        "none";
    ProofMissing = 414, "PROOF_MISSING",
        "the digest of {document} is missing",
        "缺少 {document_zh} 的摘要",
        "give the SHA-256 of the document",
        "none";
    ProjectAssetsMissing = 415, "PROJECT_ASSETS_MISSING",
        "assets of the project are not registered or not aggregated yet",
        "项目数据资产尚未全部登记或汇聚",
        "publish an entry for each asset and record its first batch",
        "none";
    NewPlatformRefused = 416, "NEW_PLATFORM_REFUSED",
        "no new platform that serves several departments is built; an old one is recorded with the decision by which it was built and the day by which it migrates",
        "不得新建跨部门数据平台；已建平台须登记批准文件和迁移期限",
        "join the city's platform",
        "none";
    CorrectionMissing = 417, "CORRECTION_MISSING",
        "the error is confirmed; a batch must correct it first",
        "差错已核实，须先以更正批次更正",
        "record the batch that corrects the data",
        "none";
    BatchUnknown = 418, "BATCH_UNKNOWN",
        "there is no batch {batch} of this entry since {since}",
        "自 {since} 起该目录没有批次 {batch}",
        "record the batch first",
        "none";
    ConcernNotProven = 419, "CONCERN_NOT_PROVEN",
        "it is not proven that the data concern the one who objects",
        "未证明数据与异议人相关",
        "give the digests of the proofs of identity and of the relation",
        "none";
    RelationStateWrong = 420, "RELATION_STATE_WRONG",
        "the {thing} is {state}; this needs {needed}",
        "{thing_zh}处于 {state} 状态，本操作需要 {needed}",
        "look at where it stands",
        "none";
    SubEntrustingUnconsented = 421, "SUB_ENTRUSTING_UNCONSENTED",
        "{to} works on the contract without the department's consent",
        "{to} 未经委托部门同意参与受托处理",
        "the department consents to the sub-entrusting first",
        "none";
    #[section = "Proofs"]
    HeadDoesNotExtend = 450, "HEAD_DOES_NOT_EXTEND",
        "the head of {domain} over {tree_size} records does not extend the one held here over {held}: its past was rewritten, or the proof is of another ledger",
        "{domain} 的 {tree_size} 条记录树头未能延续此处持有的 {held} 条记录树头：其历史被改写，或证明不属于同一账本",
        "none: the refusal is on record, with the head as evidence",
        "hold both heads against each other and ask the other domain what became of its past";
    HeadProofElsewhere = 451, "HEAD_PROOF_ELSEWHERE",
        "the proof begins at {from} records, the head of {domain} held here has {held}",
        "证明从 {from} 条记录开始，而此处持有的 {domain} 树头为 {held} 条记录",
        "read the head that is held, take a proof from there, send again",
        "none";
    HeadNotOurs = 452, "HEAD_NOT_OURS",
        "the cosigned head of {domain} over {tree_size} records is none of this ledger",
        "被会签的 {domain} 树头（{tree_size} 条记录）不属于本账本",
        "cosign a head as it was received from this domain",
        "hold it against the ledger: one of the two was rewritten";
    SegmentRangeWrong = 453, "SEGMENT_RANGE_WRONG",
        "{through} is not after {after} and within the {size} records there are",
        "{through} 不在 {after} 之后，或超出现有的 {size} 条记录",
        "name a record after the last one that was taken and not beyond the ledger",
        "none";
    PayloadGone = 454, "PAYLOAD_GONE",
        "record {record} has no text or person beside it that could be erased",
        "记录 {record} 旁没有可删除的文本或人员信息",
        "none: it never had one, or it is erased already",
        "none";
    RetentionNotOver = 455, "RETENTION_NOT_OVER",
        "record {record} of {date} is kept until {until}",
        "{date} 的记录 {record} 须保存至 {until}",
        "purge only what is older; what the law wants gone earlier is erased one by one, with its ground",
        "none";
    #[section = "Sites and witness"]
    CellUnknown = 460, "CELL_UNKNOWN",
        "this witness keeps no cell for {domain}",
        "本见证方没有 {domain} 的见证记录",
        "none: the leader of that domain registers it",
        "check that the domain names this witness, and that its leader reaches it";
    CellChanged = 461, "CELL_CHANGED",
        "the cell was written meanwhile: it has revision {revision}",
        "见证记录已被更新，当前修订号为 {revision}",
        "read the cell and decide again",
        "none: two wrote at once, one of them was first";
    CellTermPast = 462, "CELL_TERM_PAST",
        "the cell is another leader's: {cause}",
        "见证记录属于其他主节点：{cause_zh}",
        "a leader of an earlier term steps down; a new one takes the cell first",
        "none";
    CellPairDiffers = 463, "CELL_PAIR_DIFFERS",
        "the writer does not belong to {pair}, which counts here",
        "写入方不属于此处有效的代次和纪元 {pair}",
        "a node that belongs to a lower pair stops; it is wiped and joins again",
        "look at `luqiao dr status`: a site that was left behind still runs";
    CellSiteWrong = 464, "CELL_SITE_WRONG",
        "this is not for the writer to say: {cause}",
        "写入方无权作此变更：{cause_zh}",
        "the leader at the active site writes this",
        "none";
    CellModeWrong = 465, "CELL_MODE_WRONG",
        "the mode is {mode}; this needs the other one",
        "当前模式为 {mode}，本操作需要另一模式",
        "change the mode first",
        "none";
    FailoverInProgress = 466, "FAILOVER_IN_PROGRESS",
        "a failover to {pair} is in progress",
        "切换至 {pair} 的强制接管正在进行",
        "wait until it opens",
        "finish it, or begin one to a site that can still be sealed";
    FailoverNotInProgress = 467, "FAILOVER_NOT_IN_PROGRESS",
        "no failover is in progress",
        "没有正在进行的强制接管",
        "none",
        "begin one with `luqiao dr failover`";
    ApprovalsMissing = 468, "APPROVALS_MISSING",
        "two different persons approve this: {cause}",
        "须由两名不同人员批准：{cause_zh}",
        "let a second person approve",
        "`luqiao dr approve` writes approvals";
    ApprovalDiffers = 469, "APPROVAL_DIFFERS",
        "the {what} of an approval is not the one that is wanted",
        "批准的{what_zh}与本操作不符",
        "approve exactly this act, from this site to that one, in this epoch",
        "an approval dies with its epoch: let both persons approve anew";
    ApprovalExpired = 470, "APPROVAL_EXPIRED",
        "an approval has been dead since {expired}",
        "批准已于 {expired} 失效",
        "let its person approve anew",
        "renew prepared tokens before they expire";
    DepositWrong = 471, "DEPOSIT_WRONG",
        "the deposit does not follow the one held: {cause}",
        "存证与已有存证不衔接：{cause_zh}",
        "deposit what came after the one held",
        "none";
    WitnessUnconfirmed = 472, "WITNESS_UNCONFIRMED",
        "the word of this witness is not confirmed: it began, or opened a new generation, and a node of each site has yet to answer",
        "见证方尚未经确认：其新建或开启新代次后，须由各站点节点答复",
        "let the leader register and a node of each site answer",
        "where a site cannot answer, two persons confirm with `luqiao dr confirm-witness`";
    SealWrong = 473, "SEAL_WRONG",
        "the seal does not count: {cause}",
        "封存报告无效：{cause_zh}",
        "a node seals once per failover, at the site that is sealed",
        "begin a new failover if a node's disk was exchanged in between";
    PromotionRefused = 474, "PROMOTION_REFUSED",
        "the new generation does not open so: {cause}",
        "新代次不能如此开启：{cause_zh}",
        "promote the sealed node with the greatest log, and claim no more than was found",
        "none";
    StandbyRequired = 475, "STANDBY_REQUIRED",
        "data graded {grade} change only while both sites hold the change; one site alone works now",
        "{grade_zh}数据的变更须由两个站点同时保存，当前仅有一个站点运行",
        "wait until the standby is back, or ask the operators to release such acts",
        "bring the standby back; `luqiao dr release-act` releases them with two approvals";
    DrPolicyMissing = 476, "DR_POLICY_MISSING",
        "an entry is graded core only where a disaster recovery policy is on file",
        "未备案灾备策略，不得将目录定为核心数据",
        "ask the authority to file the policy",
        "file it with `luqiao dr policy set`";
    SwitchoverRefused = 477, "SWITCHOVER_REFUSED",
        "the switchover does not go so: {cause}",
        "切换不能如此进行：{cause_zh}",
        "look at where it stands with `luqiao dr status`",
        "go on with the command that it names";
    ForkRefused = 478, "FORK_REFUSED",
        "the fork is not recorded so: {cause}",
        "分叉不能如此记录：{cause_zh}",
        "none",
        "look at the cell and at the nodes: the record must say what they say";
    SiteRefused = 479, "SITE_REFUSED",
        "the sites are not so: {cause}",
        "站点设置无效：{cause_zh}",
        "give each member one of two to five sites",
        "none";
    #[section = "Drills"]
    DrillOpen = 480, "DRILL_OPEN",
        "{drill} ({plan}) is open since {since}; one drill at a time",
        "演练 {drill}（{plan}）自 {since} 起尚未结束，同一时间只能进行一次演练",
        "go on with it, or give it up with its reason",
        "look who opened it: `luqiao drill show`";
    DrillClosed = 481, "DRILL_CLOSED",
        "{drill} is closed",
        "演练 {drill} 已结束",
        "open another drill",
        "none";
    DrillApprovalsMissing = 482, "DRILL_APPROVALS_MISSING",
        "{found} of {needed} approvals are there; the act waits for the others",
        "已有 {found} 份批准，须有 {needed} 份方可实施",
        "have others approve: `luqiao drill approve`",
        "none";
    DrillSelfApproval = 483, "DRILL_SELF_APPROVAL",
        "a drill is approved by a person other than the one who opened it, known by name",
        "演练须由发起人以外、身份明确的人员批准",
        "have somebody else approve with a certificate of their own",
        "none";
    DrillStepOutOfOrder = 484, "DRILL_STEP_OUT_OF_ORDER",
        "{phase} does not come after {last}",
        "{last} 之后不能进行 {phase}",
        "look how far the drill has come: `luqiao drill show`",
        "none";
    DrillNameNotConfirmed = 485, "DRILL_NAME_NOT_CONFIRMED",
        "the plan {plan} takes a site out of service; it was to be confirmed with the cluster's name, and {confirmed} is not its name",
        "预案 {plan} 将使一个站点停止服务，须以集群名称确认，而 {confirmed} 并非其名称",
        "name the cluster that is meant",
        "none";
    #[section = "Fencing"]
    Fenced = 486, "FENCED",
        "this node heard of {pair} and belongs to an earlier generation: it answers nothing but how it stands",
        "本节点已获知代次和纪元 {pair}，自身属于更早的代次：除状态外不再应答",
        "go through a gateway that reaches the site which is active now",
        "look at `luqiao dr status`: the node is sealed for a later failover, or wiped and joined anew";
    EpochPast = 487, "EPOCH_PAST",
        "the caller follows a generation and epoch before {pair}, which counts here",
        "调用方所依据的代次和纪元早于此处有效的 {pair}",
        "none: a gateway takes the pair from this answer and asks again",
        "a caller that is refused again and again still runs as it did before the failover: stop it";
    NodeInvalidated = 488, "NODE_INVALIDATED",
        "{pair} opened without this node: it answers nothing but how it stands",
        "代次和纪元 {pair} 已在本节点之外开启：本节点除状态外不再应答",
        "go through a gateway that reaches the site which is active now",
        "keep its folder as long as somebody may ask what it held beyond the fork; a new, empty node takes its place under a new id";
    GenerationNotOpen = 489, "GENERATION_NOT_OPEN",
        "{pair} is promoted and has not opened yet",
        "代次和纪元 {pair} 已提升，尚未开启",
        "wait until it opens",
        "finish the failover";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a reason")]
pub struct UnknownReason(pub String);

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(name: &str) -> Result<Self, UnknownReason> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.name() == name)
            .ok_or_else(|| UnknownReason(name.to_owned()))
    }
}

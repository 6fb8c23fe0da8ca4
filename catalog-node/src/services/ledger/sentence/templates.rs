//! The templates, in the order of the facts; a test holds them against the records.

/// Kind of fact, Chinese, English.
pub(in super::super) const TEMPLATES: &[(&str, &str, &str)] = &[
    (
        "cluster_created",
        "平台账本启用，适用规则组合 {composition}",
        "the ledger began, under the rules of {composition}",
    ),
    (
        "entry_published",
        "{subject}第 {version} 版发布，共享属性：{sharing}",
        "version {version} of {subject} was published as {sharing}",
    ),
    (
        "entry_returned",
        "主管部门退回{subject}第 {version} 版",
        "the authority returned version {version} of {subject}",
    ),
    (
        "entry_withdrawn",
        "{subject}第 {version} 版撤出目录",
        "version {version} of {subject} left the catalog",
    ),
    (
        "consent_given",
        "负责人对{subject}第 {version} 版表示同意[asserted?（由业务系统代为确认）|]",
        "the head consented to version {version} of {subject}[asserted?, as a system vouched|]",
    ),
    (
        "request_received",
        "收到{requester}对{entry}的申请（{items}）[due_date?，答复截止 {due_date}|]",
        "{requester} asked for {entry} ({items})[due_date?; an answer is owed by {due_date}|]",
    ),
    (
        "request_forwarded",
        "对{entry}的申请转送 {owner}",
        "the request for {entry} was passed on to {owner}",
    ),
    (
        "request_refused_at_once",
        "对{entry}的申请依规当即不予受理：{reason}",
        "the request for {entry} was refused at once by law: {reason}",
    ),
    (
        "completion_asked",
        "一次性告知需补正的内容",
        "the asker was told, once and in full, what is missing",
    ),
    ("request_completed", "申请已补正", "the request was completed"),
    (
        "opinion_given",
        "已提出意见：[in_favor?赞成|反对]",
        "an opinion was given: [in_favor?in favor|against]",
    ),
    (
        "request_extended",
        "答复期限延长 {working_days} 个工作日，{from} 改为 {to}",
        "the answer was extended by {working_days} working days, from {from} to {to}",
    ),
    (
        "request_answered",
        "作出答复：{kind}[items?（{items}）|][late?，逾期作出|][standing?，依据既有答复|]",
        "answered: {kind}[items? ({items})|][late?, late|][standing?, by a standing answer|]",
    ),
    ("request_withdrawn", "申请单位撤回申请", "the asker took the request back"),
    (
        "request_overdue",
        "{due_date} 期满未答复：责令{ordered}改正，上报{escalated_to}",
        "no answer by {due_date}: {ordered} ordered to correct, escalated to the {escalated_to}",
    ),
    (
        "granted",
        "授权{consumer}使用{entry}（{items}），{from} 至 {to}",
        "{consumer} may use {entry} ({items}) from {from} to {to}",
    ),
    (
        "grant_suspended",
        "授权暂停，限 {rectify_by} 前整改",
        "the grant was suspended; rectification by {rectify_by}",
    ),
    ("grant_terminated", "授权终止", "the grant ended"),
    ("deadline_missed", "{kind}期限届满未办，应于 {due} 前办结", "{kind} was not done by {due}"),
    (
        "status_received",
        "收到 {owner} 传来的办理状态（第 {version} 版）",
        "{owner} told how the case stands (version {version})",
    ),
    (
        "opinion_silent",
        "截至 {due_date} 未提出意见，视为期满未复",
        "no opinion was given by {due_date}; the silence is on record",
    ),
    (
        "members_changed",
        "集群成员变更（{kind} {nodes}）：投票成员 {voters}[learners?，学习成员 {learners}|]",
        "the members changed ({kind} {nodes}): voters {voters}[learners?, learners {learners}|]",
    ),
    (
        "level_raised",
        "命令级别由 {from} 升至 {to}",
        "the command level was raised from {from} to {to}",
    ),
    (
        "outage_recorded",
        "节点 {node} 于 {from} 至 {until} 无法受理变更：{text_zh}",
        "node {node} could take no changes from {from} until {until}: {text_en}",
    ),
    ("delivery_offered", "提供单位已提供数据", "the provider offered the data"),
    ("delivery_tested", "平台试取成功", "the platform's own test retrieval succeeded"),
    (
        "delivered",
        "数据已送达，凭证：{proof}[late?，逾期送达|]",
        "the data arrived, shown by {proof}[late?, late|]",
    ),
    (
        "delivery_overdue",
        "{due_date} 期满未提供数据：责令{ordered}改正，上报{escalated_to}",
        "no delivery by {due_date}: {ordered} ordered to correct, escalated to the {escalated_to}",
    ),
    (
        "delivery_awaits_user",
        "{due_date} 期满，数据此前已备妥并经测试，等待使用方获取",
        "{due_date} passed; the data had been ready and tested, the user has not fetched them",
    ),
    (
        "grant_suspended_for_misuse",
        "因违规使用暂停授权[ground?（{ground}）|]，限 {rectify_by} 前整改",
        "the grant was suspended for misuse[ground? ({ground})|]; rectification by {rectify_by}",
    ),
    (
        "rectification_reported",
        "使用单位[refused?拒绝整改|报告整改情况]",
        "the user [refused?refused to rectify|reported its rectification]",
    ),
    (
        "rectification_judged",
        "整改经认定[adequate?合格|不合格]",
        "the rectification was judged [adequate?enough|not enough]",
    ),
    (
        "rectification_lapsed",
        "整改期限 {rectify_by} 已过",
        "the day for rectification, {rectify_by}, passed",
    ),
    ("purpose_ended", "使用目的终止：{kind}", "the purpose ended: {kind}"),
    ("disposal_required", "要求对数据作如下处置：{manner}", "a disposal was required: {manner}"),
    (
        "disposal_proved",
        "数据处置已证明：{manner}，凭证 {digest}",
        "the disposal was shown: {manner}, proof {digest}",
    ),
    (
        "use_recorded",
        "登记第 {number} 次使用[missing?，缺少 {missing}|]",
        "use {number} was recorded[missing?, without {missing}|]",
    ),
    (
        "use_records_purged",
        "清理 {before} 之前期满的使用记录 {count} 条",
        "{count} use records before {before} were removed after the end of retention",
    ),
    (
        "wider_use_consented",
        "提供单位同意扩大使用：{kind}（{items}）",
        "the provider consented to a wider use: {kind} ({items})",
    ),
    (
        "agreement_recorded",
        "使用协议备案，{signed} 签订，文件 {digest}",
        "the agreement of {signed} was recorded, document {digest}",
    ),
    (
        "service_change_proposed",
        "提供单位拟对{entry}作服务{kind}，原因 {cause}，自 {effective} 起，涉及 {grants}",
        "the provider wants to {kind} the service of {entry} ({cause}) from {effective}; it concerns {grants}",
    ),
    (
        "service_change_stated",
        "使用单位[agrees?同意|不同意]服务变更",
        "a user [agrees?agrees|does not agree] to the change of the service",
    ),
    ("service_change_moved", "服务变更进展：{state}", "the change of the service went on: {state}"),
    (
        "grant_changed_with_service",
        "授权随服务变更调整[items?，保留 {items}|而终止]",
        "the grant [items?shrank to {items}|ended] with its service",
    ),
    (
        "change_reported",
        "{day} 报告变更（{trigger}），目录应于 {due_date} 前更新",
        "a change was reported for {day} ({trigger}); the catalog is to follow by {due_date}",
    ),
    (
        "update_extended",
        "目录更新延长 {working_days} 个工作日，{from} 改为 {to}",
        "the update was extended by {working_days} working days, from {from} to {to}",
    ),
    (
        "update_overdue",
        "{due_date} 期满未更新目录[ordered?：责令{ordered}改正|][escalated_to?，上报{escalated_to}|]",
        "the catalog was not updated by {due_date}[ordered?; {ordered} ordered to correct|][escalated_to?, escalated to the {escalated_to}|]",
    ),
    (
        "update_met",
        "针对 {day} 变更（{trigger}）的目录更新已提交[late?，逾期|]",
        "the update for the change of {day} ({trigger}) was handed in[late?, late|]",
    ),
    (
        "authority_review_overdue",
        "{due_date} 期满未审核更新[escalated_to?，上报{escalated_to}|]",
        "the update was not reviewed by {due_date}[escalated_to?; escalated to the {escalated_to}|]",
    ),
    (
        "attribute_reviewed",
        "共享属性复核：{outcome}[next?，下次不迟于 {next}|]",
        "the sharing attribute was reviewed: {outcome}[next?; again by {next}|]",
    ),
    (
        "attribute_changed",
        "共享属性由{from}变更为{to}",
        "the sharing attribute changed from {from} to {to}",
    ),
    (
        "reclassification_started",
        "按规则包第 {rule_pack_version} 版开始第 {pass} 轮属性核对",
        "pass {pass} over the catalog began, by version {rule_pack_version} of the rules",
    ),
    (
        "reclassification_ended",
        "第 {pass} 轮属性核对完成：核对 {seen} 条，列出 {listed} 条",
        "pass {pass} over the catalog ended: {seen} entries seen, {listed} listed",
    ),
    (
        "reclassification_listed",
        "{subject}（{sharing}）依据不足：{reason}[due_date?，应于 {due_date} 前处理|]",
        "{subject} ({sharing}) rests on too little: {reason}[due_date?; to be settled by {due_date}|]",
    ),
    (
        "reclassification_closed",
        "属性依据问题已处理：{outcome}[sharing?，现为{sharing}|]",
        "the doubt about the attribute was settled: {outcome}[sharing?, now {sharing}|]",
    ),
    (
        "entry_suspended",
        "{subject}第 {version} 版暂停共享：{ground}",
        "version {version} of {subject} was suspended: {ground}",
    ),
    (
        "entry_resumed",
        "{subject}第 {version} 版恢复共享",
        "version {version} of {subject} was resumed",
    ),
    (
        "entry_archived",
        "{subject}第 {version} 版归档",
        "version {version} of {subject} was archived",
    ),
    (
        "important_data_listed",
        "{subject}[listed?列入|移出]重要数据，决定 {decision}",
        "{subject} [listed?is|is no longer] listed as important data, decision {decision}",
    ),
    (
        "secret_refused",
        "拒收涉密内容（{mark}），内容未留存",
        "a secret ({mark}) was refused; nothing of it is kept",
    ),
    ("person_roles_changed", "人员角色变更为：{roles}", "the roles of a person are now: {roles}"),
    (
        "rule_pack_loaded",
        "载入规则包第 {version} 版（{digest}）[late_since?，自 {late_since} 起追溯|]",
        "version {version} of the rules was loaded ({digest})[late_since?, late since {late_since}|]",
    ),
    (
        "law_edit_proposed",
        "提出{what}变更（{digest}），待第二人确认",
        "a change of the {what} was proposed ({digest}) and waits for a second person",
    ),
    (
        "ruling_recorded",
        "主管部门裁定：{kind}，适用 {rule}，{from} 起[to?至 {to}|][document_number?，文号 {document_number}|]",
        "the authority ruled: {kind}, {rule} holds from {from}[to? to {to}|][document_number?, document {document_number}|]",
    ),
    ("ruling_withdrawn", "裁定撤回", "the ruling was withdrawn"),
    (
        "law_loaded_late",
        "受理后补录规则包第 {version} 版，重新核算：截止 {from} 改为 {to}[held?，不追溯既往|][lifted?，原责令撤销|]",
        "version {version} of the rules came after receipt; counted again: {from} became {to}[held?, held in the present|][lifted?, an order was lifted|]",
    ),
    (
        "calendar_loaded",
        "载入工作日历第 {version} 版（{years}）",
        "version {version} of the calendar was loaded ({years})",
    ),
    (
        "closure_declared",
        "依 {document_number} 宣布停工：{days}",
        "closed by {document_number}: {days}",
    ),
    (
        "closure_withdrawn",
        "撤销 {document_number} 的停工：{days}",
        "the closure by {document_number} was withdrawn: {days}",
    ),
    (
        "deadline_recomputed",
        "{kind}期限按日历第 {calendar_version} 版重新计算：{from} 改为 {to}[held?，不追溯既往|][lifted?，原责令撤销|]",
        "the {kind} deadline was counted again by calendar {calendar_version}: {from} became {to}[held?, held in the present|][lifted?, an order was lifted|]",
    ),
    (
        "platform_outage_recorded",
        "登记第 {number} 次平台中断：{from} 至 {until}",
        "platform outage {number} was recorded: {from} until {until}",
    ),
    (
        "outage_ruling_wanted",
        "截止日 {due_date} 平台中断，逾期是否计入待裁定",
        "the platform was out on the due day, {due_date}: it is to be ruled whether the lateness counts",
    ),
    (
        "outage_ruled",
        "裁定：平台中断期间的逾期[counts?计入|不计入]",
        "ruled: the lateness during the outage [counts?counts|does not count]",
    ),
    (
        "recompute_finished",
        "{what}重新核算完成：核对 {looked_at} 项，变更 {changed} 项",
        "the recount for {what} is done: {looked_at} rows, {changed} changed",
    ),
    (
        "opinion_asked",
        "征求提供单位意见[due_date?，限 {due_date} 前|]",
        "the provider was asked for its opinion[due_date? by {due_date}|]",
    ),
    (
        "extension_proposed",
        "申请延长答复期限 {working_days} 个工作日",
        "an extension by {working_days} working days was proposed",
    ),
    (
        "extension_denied",
        "未批准延长 {working_days} 个工作日",
        "the extension by {working_days} working days was denied",
    ),
    (
        "extension_notice_given",
        "已将延期告知{requester}，新截止日 {due_date}",
        "{requester} was told of the extension; the new due date is {due_date}",
    ),
    ("correction_ordered", "责令{debtor}：{effects}", "{debtor} was ordered: {effects}"),
    (
        "hearing_opened",
        "听取逾期单位说明理由，限 {due_date} 前",
        "the reasons of the late are heard until {due_date}",
    ),
    ("reason_claimed", "{debtor}说明逾期理由", "{debtor} claimed a reason"),
    (
        "reason_ruled",
        "{debtor}的理由经认定[accepted?成立|不成立]",
        "the reason of {debtor} was [accepted?accepted|rejected]",
    ),
    (
        "lateness_counted",
        "{debtor} {due_date} 的逾期计入记录[heard?|（未说明理由）]",
        "the lateness of {debtor} on {due_date} counts[heard?|; nobody claimed a reason]",
    ),
    (
        "lateness_excused",
        "{debtor} {due_date} 的逾期不计入记录",
        "the lateness of {debtor} on {due_date} does not count",
    ),
    (
        "answer_warned",
        "答复期限已过 {share}‰，{due_date} 截止",
        "{share}‰ of the time to answer have passed; due {due_date}",
    ),
    (
        "completion_warned",
        "提醒：{due_date} 前未补正将关闭申请",
        "the asker was warned: without completion by {due_date} the request is closed",
    ),
    (
        "request_not_completed",
        "申请未补正而关闭，可重新提出",
        "the request was never completed and is closed; it may be filed again",
    ),
    (
        "part_granted_at_once",
        "无条件共享部分（{items}）当即授权",
        "the unconditional part ({items}) was granted at once",
    ),
    (
        "filed_on_behalf",
        "代{organization}录入{what}，文号 {document_number}，日期 {date}",
        "a {what} was entered on behalf of {organization}, paper {document_number} of {date}",
    ),
    ("hop_late", "跨域转送未在 {due} 前完成", "the case was not passed on by {due}"),
    (
        "separation_switched",
        "职责分离规则[on?启用|停用]",
        "the separation of duties was turned [on?on|off]",
    ),
    (
        "dispute_raised",
        "就 {request} 对{against}提出争议",
        "a dispute about {request} was raised against {against}",
    ),
    (
        "position_stated",
        "{by}陈述意见[on_paper?，文号 {on_paper}|]",
        "{by} stated its position[on_paper?, letter {on_paper}|]",
    ),
    (
        "consultation_ended",
        "双方协商[agreed?达成一致|未达成一致]",
        "the two sides consulted and [agreed?agreed|did not agree]",
    ),
    (
        "dispute_coordinated",
        "主管部门协调[agreed?达成一致|未达成一致][document_number?，文号 {document_number}|]",
        "an authority coordinated; they [agreed?agreed|did not agree][document_number?, document {document_number}|]",
    ),
    (
        "dispute_decided",
        "政府决定：文号 {document_number}，{date}",
        "the government decided: {document_number} of {date}",
    ),
    (
        "demand_moved",
        "需求进展：{state}[owner?，由{owner}办理|]",
        "the demand went on: {state}[owner?; the next move is {owner}'s|]",
    ),
    ("dataset_registered", "{organization}登记数据集", "{organization} registered a dataset"),
    (
        "dataset_bound",
        "数据集关联至{to}，{from} 起[until?至 {until}|]",
        "the dataset was linked to {to} from {from}[until? until {until}|]",
    ),
    (
        "dataset_unbound",
        "数据集与{from}的关联于 {until} 终止",
        "the link of the dataset to {from} ended on {until}",
    ),
    ("dataset_deleted", "数据集删除", "the dataset was deleted"),
    ("system_deleted", "业务系统删除", "the system was deleted"),
    (
        "duties_stated",
        "职责清单第 {version} 版，共 {count} 项",
        "the list of duties, version {version}, has {count} items",
    ),
    (
        "source_assigned",
        "{organization}确定为数据源头单位，{from} 起[until?至 {until}|]",
        "{organization} became the source from {from}[until? until {until}|]",
    ),
    (
        "source_ended",
        "源头认定（{from} 起）于 {until} 终止",
        "the source since {from} ended on {until}",
    ),
    (
        "collection_checked",
        "重复采集核查：{result}[overlaps?（{overlaps}）|]",
        "checked for duplicate collection: {result}[overlaps? ({overlaps})|]",
    ),
    (
        "transfer_moved",
        "职能划转进展：{state}，已移交 {moved} 条目录",
        "the transfer of functions went on: {state}, {moved} entries moved",
    ),
    (
        "entry_transferred",
        "{subject}由{from}移交{to}（第 {version} 版）",
        "{subject} went from {from} to {to} (version {version})",
    ),
    (
        "objection_moved",
        "对{entry}属性异议进展：{state}",
        "the objection to the attribute of {entry} went on: {state}",
    ),
    (
        "attribute_settled",
        "属性异议办结：{subject}第 {version} 版为{sharing}",
        "the objection ended: version {version} of {subject} is {sharing}",
    ),
    ("emergency_moved", "应急数据办理进展：{state}", "the emergency data went on: {state}"),
    ("emergency_used", "{system}使用应急数据", "{system} used emergency data"),
    ("purchase_moved", "采购进展：{state}", "the purchase went on: {state}"),
    ("contract_moved", "委托采集合同进展：{state}", "the contract on collection went on: {state}"),
    (
        "acquisition_stated",
        "声明数据取得方式：{acquisition}",
        "it was stated how the data were acquired: {acquisition}",
    ),
    ("project_opened", "项目登记数据资产 {assets} 项", "the project named {assets} data assets"),
    (
        "asset_listed",
        "项目第 {asset} 项资产登记为{entry}",
        "asset {asset} of the project was registered as {entry}",
    ),
    (
        "project_accepted",
        "项目通过数据目录验收前置检查",
        "the project passed the gate to its acceptance",
    ),
    (
        "platform_recorded",
        "平台备案[cross_department?（跨部门）|][migrate_by?，{migrate_by} 前迁移|]",
        "a platform was put on record[cross_department? (cross-department)|][migrate_by?, to migrate by {migrate_by}|]",
    ),
    (
        "batch_recorded",
        "数据批次备案：{rows} 行，检出问题 {failed}",
        "a batch was put on record: {rows} rows, {failed} failures",
    ),
    (
        "report_moved",
        "错误反馈进展：{state}[late?，逾期|]",
        "the error report went on: {state}[late?, late|]",
    ),
    ("report_corrected", "错误数据已由批次 {batch} 更正", "batch {batch} corrected the data"),
    (
        "report_propagated",
        "已通知持有单位：{holders}",
        "those who hold the data were told: {holders}",
    ),
    (
        "quality_overdue",
        "{due_date} 期满未反馈：责令{ordered}改正[escalated_to?，上报{escalated_to}|]",
        "no feedback by {due_date}: {ordered} ordered to correct[escalated_to?, escalated to {escalated_to}|]",
    ),
    (
        "personal_objection_moved",
        "个人异议进展：{state}，由{receiver}办理[late?，逾期|]",
        "the personal objection went on: {state}, with {receiver}[late?, late|]",
    ),
    (
        "head_held",
        "持有 {domain} 账本 {tree_size} 条记录的树头",
        "the head of {domain} over {tree_size} records is held",
    ),
    (
        "head_forked",
        "{domain} 的新树头（{tree_size} 条）不延续所持树头（{held_size} 条）：其历史被改写，已留存证据",
        "the new head of {domain} ({tree_size} records) does not extend the one held ({held_size}): its past was rewritten; the evidence is kept",
    ),
    (
        "head_cosigned",
        "{cosigner} 会签本账本 {tree_size} 条记录的树头",
        "{cosigner} cosigned our head over {tree_size} records",
    ),
    (
        "segment_sealed",
        "封存账本第 {number} 段，记录 {from} 至 {through} 之前",
        "segment {number} of the ledger was sealed: records {from} and on, before {through}",
    ),
    (
        "payload_erased",
        "依法删除第 {sequence} 号记录的文本",
        "the text beside record {sequence} was erased by law",
    ),
    (
        "payloads_purged",
        "保存期满，清理记录 {from} 至 {through} 之前的文本 {count} 份",
        "after the end of retention {count} texts beside records {from} and on, before {through}, were deleted",
    ),
    (
        "webhook_registered",
        "登记 {organization} 的通知推送地址",
        "an address was registered to which notices for {organization} are pushed",
    ),
    ("webhook_removed", "注销通知推送地址", "the address for notices was removed"),
    (
        "notice_given_up",
        "第 {sequence} 号记录的通知推送未达，停止重试；仍可拉取",
        "the notice of record {sequence} could not be delivered and is not tried again; it can still be pulled",
    ),
    (
        "cell_written",
        "{domain} 写入见证记录（{write}，修订 {revision}）：{pair}，主用站点 {site}，模式 {mode}",
        "{domain} wrote its cell ({write}, revision {revision}): {pair} at {site}, {mode}",
    ),
    (
        "cell_noted",
        "见证方记录本域为 {pair}，主用站点 {site}，模式 {mode}（修订 {revision}）",
        "our witness has us at {pair}, active site {site}, {mode} (revision {revision})",
    ),
    (
        "sites_set",
        "登记成员站点：节点 {nodes} 依次属于 {sites}，主用站点 {active}",
        "the sites of members were set: nodes {nodes} are at {sites}, in that order; {active} is active",
    ),
    (
        "mode_changed",
        "运行模式改为 {mode}[without_witness?，见证方不可达，由两人批准|（见证记录修订 {cell_revision}）]",
        "the mode became {mode}[without_witness?; two persons stood in for the witness| (revision {cell_revision} of the cell)]",
    ),
    (
        "dr_policy_filed",
        "备案灾备策略第 {version} 版，文号 {document_number}[witness?，见证方 {witness}|]",
        "version {version} of the disaster recovery policy was filed, {document_number}[witness?, witness {witness}|]",
    ),
    (
        "acts_released",
        "经两人批准，{pair} 期间单站点运行时允许办理重要数据和核心数据事项",
        "two persons released acts on important and core data while one site alone works, in {pair}",
    ),
    (
        "switchover_moved",
        "第 {number} 次计划切换（{from} 至 {to}）：{state}",
        "switchover {number} from {from} to {to}: {state}",
    ),
    (
        "forked",
        "强制接管：{pair} 自 {from} 第 {tree_size} 条记录后分叉，站点 {site}，结论 {verdict}[missing?，缺失：{missing}|]",
        "forced failover: {pair} leaves {from} after {tree_size} records, at {site}; what was lost: {verdict}[missing? (missing: {missing})|]",
    ),
    (
        "act_refused_one_site",
        "单站点运行，{grade}数据事项被拒绝",
        "refused because one site alone works: the data are graded {grade}",
    ),
    (
        "head_left",
        "{domain} 强制接管至 {pair}，自第 {tree_size} 条记录后分叉，此前所持 {held_size} 条中有 {lost} 条丢失；两份树头均已留存",
        "forced failover of {domain} to {pair}: it forked after {tree_size} records, {lost} of the {held_size} that were held are lost; both heads are kept",
    ),
    (
        "window_closed",
        "第 {generation} 代次分叉后已核实相邻域，恢复发出逾期命令",
        "after the fork of generation {generation} neighbours were asked; overdue orders leave again",
    ),
    (
        "drill_opened",
        "开始演练“{plan}”（须 {approvals_needed} 份批准）[takes_site?，结束后一个站点停止服务|]",
        "the drill {plan} began; it takes {approvals_needed} approvals[takes_site? and a site out of service|]",
    ),
    (
        "drill_approved",
        "批准演练（第 {count} 份）[asserted?，由业务系统代为确认|]",
        "the drill was approved ({count} so far)[asserted?, as a system vouched|]",
    ),
    (
        "drill_stepped",
        "演练步骤 {phase}/{step}：[ok?符合预案|不符合预案]",
        "step {step} of the drill ({phase}): [ok?as planned|not as planned]",
    ),
    (
        "drill_closed",
        "演练“{plan}”结束，[ok?通过|未通过]：丢失判定 {rpo}，确认 {acknowledged} 笔、丢失 {lost} 笔、重复 {duplicated} 笔，中断 {pause_ms} 毫秒，恢复用时 {rto_ms} 毫秒，报告摘要 {report}",
        "the drill {plan} ended, [ok?passed|not passed]: {rpo}, {acknowledged} acknowledged, {lost} lost, {duplicated} done twice, a pause of {pause_ms} ms, back after {rto_ms} ms; report {report}",
    ),
    (
        "drill_abandoned",
        "放弃演练“{plan}”[acted?（故障已制造）|（未制造故障）]",
        "the drill {plan} was given up[acted?, after the failure was made|, before any failure was made]",
    ),
];

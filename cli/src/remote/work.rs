//! `luqiao today` and `luqiao statistics`; precedents for `luqiao request`.

use std::{
    fs,
    io::{self, Write},
};

use catalog_model::reason::Lang;
use luqiao_proto::work::v1::{
    DueBasis, GetCalendarFeedRequest, GetStatisticsRequest, ListPrecedentsRequest, ListWorkRequest,
    ListWorkResponse, OrganizationStatistics, WorkItem,
};

use crate::{
    args::work::{Statistics, Today},
    both,
    exit::Exit,
    failure::Failure,
    message::kind,
    output::{Column, Format, column},
};

use super::{Remote, answer, json};

const COLUMNS: [Column; 9] = [
    column("DUE", "期限", "/due_date"),
    column("LEFT", "剩余工作日", "/working_days_left"),
    column("OVERDUE", "逾期", "/overdue"),
    column("TASK", "事项", "/task"),
    column("TITLE", "名称", "/title"),
    column("CASE", "案号", "/case_number"),
    column("OTHER SIDE", "对方", "/counterpart"),
    column("RULE", "依据", "/citation"),
    column("NAME", "资源名", "/subject"),
];

const PRECEDENT_COLUMNS: [Column; 8] = [
    column("DATE", "答复日期", "/answer_date"),
    column("ANSWER", "答复", "/kind"),
    column("SAME SCENARIO", "场景相同", "/same_scenario"),
    column("COMMON ITEMS", "相同信息项", "/common_items"),
    column("GROUND", "依据代码", "/ground"),
    column("REASON", "理由", "/reason"),
    column("RULE", "依据", "/citation"),
    column("CASE", "案号", "/case_number"),
];

/// `luqiao today`.
pub async fn today(remote: &Remote, asked: Today) -> Result<Exit, Failure> {
    let session = &remote.session;
    let mut client = session.work();
    let Today { organization, person, until, ics, print, page } = asked;
    let parent = session.parent();
    if let Some(file) = ics {
        let request = GetCalendarFeedRequest { parent, organization, person };
        let feed = answer(client.get_calendar_feed(session.call(request)).await)?;
        fs::write(&file, &feed.calendar).map_err(|error| Failure::file(&file, &error))?;
        let events = feed.calendar.matches("BEGIN:VEVENT").count();
        let path = file.display();
        remote.output.say(&both!("{events} event(s) in {path}", "{path}：共 {events} 项"));
        if feed.truncated {
            remote.output.say(&both!(
                "there is more work than a calendar holds; what is due first is in it",
                "待办事项超出日历容量，已收录最先到期的事项"
            ));
        }
        return Ok(Exit::Ok);
    }
    let mut request = ListWorkRequest {
        parent,
        organization,
        person,
        until: until.map_or_else(String::new, |day| day.to_string()),
        page_size: page.page_size,
        page_token: page.page_token,
    };
    if !print || remote.output.format == Format::Json {
        let list = answer(client.list_work(session.call(request)).await)?;
        remote.show_page(kind::WORK_PAGE, &list, "items", &COLUMNS)?;
        return Ok(Exit::Ok);
    }
    // Paper has no next page.
    let mut whole = ListWorkResponse::default();
    loop {
        let list = answer(client.list_work(session.call(request.clone())).await)?;
        request.page_token.clone_from(&list.next_page_token);
        whole.items.extend(list.items);
        (whole.as_of, whole.organization_name) = (list.as_of, list.organization_name);
        if request.page_token.is_empty() {
            break;
        }
    }
    let data = json(kind::WORK_PAGE, &whole)?;
    remote.output.data(&data, |out, lang| write_sheet(out, &whole, lang))?;
    Ok(Exit::Ok)
}

/// Whether a piece of work belongs to a group.
type Belongs<'a> = &'a dyn Fn(&WorkItem) -> bool;

/// The list as a sheet of paper: what is late first, a box before each.
fn write_sheet(out: &mut dyn Write, list: &ListWorkResponse, lang: Lang) -> io::Result<()> {
    let say = |en: &'static str, zh: &'static str| match lang {
        Lang::En => en,
        Lang::Zh => zh,
    };
    let name = &list.organization_name;
    let as_of = list.as_of.as_ref().map_or_else(String::new, |at| {
        catalog_model::time::UtcMillis(at.seconds.unsigned_abs() * 1000).local_date().to_string()
    });
    writeln!(out, "{}", say("WORK TO DO", "待办事项"))?;
    writeln!(out, "{name}  {as_of}")?;
    let groups: [(&str, Belongs<'_>); 4] = [
        (say("Overdue", "已逾期"), &|item| item.overdue),
        (say("By law", "法定期限"), &|item| {
            !item.overdue && item.basis() == DueBasis::Statutory
        }),
        (say("By rules of the house", "内部期限"), &|item| {
            !item.overdue && item.basis() == DueBasis::House
        }),
        (say("Without a day", "未定期限"), &|item| {
            !item.overdue && item.basis() == DueBasis::Undated
        }),
    ];
    for (heading, belongs) in groups {
        let items: Vec<_> = list.items.iter().filter(|item| belongs(item)).collect();
        if items.is_empty() {
            continue;
        }
        writeln!(out)?;
        writeln!(out, "{heading} ({})", items.len())?;
        for item in items {
            write_item(out, item, lang)?;
        }
    }
    if list.items.is_empty() {
        writeln!(out)?;
        writeln!(out, "{}", say("Nothing.", "无。"))?;
    }
    Ok(())
}

fn write_item(out: &mut dyn Write, item: &WorkItem, lang: Lang) -> io::Result<()> {
    let WorkItem { due_date, task, title, case_number, counterpart, citation, subject, .. } = item;
    let left = item.working_days_left;
    let day = match (due_date.as_str(), item.overdue, lang) {
        ("", ..) => String::new(),
        (day, true, _) => format!("{day}  "),
        (day, false, Lang::En) => format!("{day} ({left} working days left)  "),
        (day, false, Lang::Zh) => format!("{day}（剩余{left}个工作日）  "),
    };
    let of = match (title.as_str(), lang) {
        ("", _) => String::new(),
        (title, Lang::En) => format!(": {title}"),
        (title, Lang::Zh) => format!("：{title}"),
    };
    writeln!(out, "  □ {day}{task}{of}")?;
    let beside: Vec<&str> = [case_number, counterpart, citation, subject]
        .into_iter()
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect();
    writeln!(out, "      {}", beside.join(" · "))?;
    if item.acts != 0 {
        let first = match lang {
            Lang::En => "the head consents first",
            Lang::Zh => "须先经负责人同意",
        };
        writeln!(out, "      {first}")?;
    }
    Ok(())
}

/// `luqiao request precedents`.
pub async fn precedents(remote: &Remote, name: String, limit: i32) -> Result<Exit, Failure> {
    let request = ListPrecedentsRequest { name, page_size: limit };
    let session = &remote.session;
    let found = answer(session.work().list_precedents(session.call(request)).await)?;
    remote.show_page(kind::PRECEDENT_LIST, &found, "precedents", &PRECEDENT_COLUMNS)?;
    Ok(Exit::Ok)
}

/// What was answered before, beside a case that is shown to a person: nothing where nothing was, and
/// no failure of its own.
pub async fn beside(remote: &Remote, name: &str) {
    if remote.output.format == Format::Json {
        return;
    }
    let request = ListPrecedentsRequest { name: name.to_owned(), page_size: 5 };
    let session = &remote.session;
    let found = match answer(session.work().list_precedents(session.call(request)).await) {
        Ok(found) => found,
        Err(failure) => return remote.output.detail(&failure.message),
    };
    if !found.precedents.is_empty() {
        remote.output.say(&both!("earlier answers about this entry:", "该目录以往答复："));
        let shown =
            remote.show_page(kind::PRECEDENT_LIST, &found, "precedents", &PRECEDENT_COLUMNS);
        if let Err(failure) = shown {
            remote.output.detail(&failure.message);
        }
    }
}

/// `luqiao statistics`.
pub async fn statistics(remote: &Remote, asked: Statistics) -> Result<Exit, Failure> {
    let session = &remote.session;
    let request = GetStatisticsRequest {
        parent: session.parent(),
        organization: if asked.all { "-".to_owned() } else { asked.organization },
        from: asked.from.to_string(),
        to: asked.to.to_string(),
    };
    let told = answer(session.work().get_statistics(session.call(request)).await)?;
    let data = json(kind::STATISTICS, &told)?;
    remote.output.data(&data, |out, lang| {
        for one in &told.organizations {
            write_figures(out, one, lang)?;
        }
        let (calendar, size) = (told.calendar_version, told.tree_size);
        match lang {
            Lang::En => writeln!(
                out,
                "counted by calendar {calendar}; the first {size} ledger records say the same"
            ),
            Lang::Zh => writeln!(out, "按日历第 {calendar} 版计；账本前 {size} 条记录可复算"),
        }
    })?;
    Ok(Exit::Ok)
}

fn write_figures(out: &mut dyn Write, one: &OrganizationStatistics, lang: Lang) -> io::Result<()> {
    let name = &one.display_name;
    let OrganizationStatistics {
        answered, on_time, agreed, agreed_in_part, refused, overdue, ..
    } = one;
    if *answered == 0 {
        match lang {
            Lang::En => writeln!(out, "{name}: no answers; {overdue} order(s) to correct")?,
            Lang::Zh => writeln!(out, "{name}：无答复；责令改正 {overdue} 次")?,
        }
        return Ok(());
    }
    let rate = format!("{}.{}", one.on_time_per_mille / 10, one.on_time_per_mille % 10);
    let half = if one.median_half_days.is_multiple_of(2) { "" } else { ".5" };
    let median = format!("{}{half}", one.median_half_days / 2);
    match lang {
        Lang::En => writeln!(
            out,
            "{name}: {answered} answer(s), {on_time} in time ({rate}%), median {median} working \
             day(s); {agreed} agreed, {agreed_in_part} in part, {refused} refused; {overdue} \
             order(s) to correct"
        )?,
        Lang::Zh => writeln!(
            out,
            "{name}：答复 {answered} 件，按时 {on_time} 件（{rate}%），答复时长中位数 {median} 个工作日；\
             同意 {agreed}，部分同意 {agreed_in_part}，不同意 {refused}；责令改正 {overdue} 次"
        )?,
    }
    for ground in &one.grounds {
        let (code, count) = (&ground.ground, ground.count);
        let code = match (code.as_str(), lang) {
            ("", Lang::En) => "no ground claimed",
            ("", Lang::Zh) => "未写明依据",
            (code, _) => code,
        };
        writeln!(out, "  {code}: {count}")?;
    }
    Ok(())
}

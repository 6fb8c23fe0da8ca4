//! Full-text search in Chinese.

use std::collections::BTreeSet;

use luqiao_proto::catalog::v1::{SearchEntriesRequest, SearchEntriesResponse};

use crate::{
    both,
    dev::{
        actor::Look,
        cast::{DEPARTMENT, Level},
        story::{StepFailed, Telling, failed},
    },
};

use super::{SEARCH_ENTRIES, Walk, catalog::NEEDLE};

pub(super) async fn search(walk: &mut Walk, told: &mut Telling) -> Result<(), StepFailed> {
    let reader = walk.town.office(Level::City, DEPARTMENT).await?;
    let published = walk.published[&Level::City].clone();
    // A foreign catalog may have no repairs; then its own words are searched for.
    let word = if published.iter().any(|entry| entry.title.contains(NEEDLE)) {
        NEEDLE.to_owned()
    } else {
        published[0].title.chars().filter(|c| c.is_alphanumeric()).take(2).collect()
    };
    let expected: BTreeSet<&str> = published
        .iter()
        .filter(|entry| entry.title.contains(&word))
        .map(|entry| entry.title.as_str())
        .collect();

    // The index of each node is filled beside the state: wait for what was published last.
    let statuses = walk.town.witness(Level::City).statuses().await;
    let index = statuses.iter().map(|(_, status)| status.commit_index).max().unwrap_or(0);
    let question = SearchEntriesRequest {
        parent: reader.parent(),
        query: word.clone(),
        page_size: 100,
        min_index: index,
        ..Default::default()
    };
    let look: Look<SearchEntriesResponse> =
        walk.town.look(Level::City, &reader, SEARCH_ENTRIES, &question).await?;
    let found: Vec<_> = look.answer.hits.into_iter().filter_map(|hit| hit.entry).collect();
    let titles: BTreeSet<&str> = found
        .iter()
        .map(|entry| entry.title.as_str())
        .filter(|title| title.contains(&word))
        .collect();
    told.saw("entries whose title speaks of it", titles, expected)?;

    // A whole title is found by itself, and first.
    let most_alike = format!("{word}信息");
    let alike = published.iter().find(|entry| entry.title.contains(&most_alike));
    let other = || published.iter().find(|entry| entry.title.contains(&word));
    let Some(entry) = alike.or_else(other) else {
        return failed(both!("no title holds {word}", "没有标题包含“{word}”"));
    };
    let question = SearchEntriesRequest { query: entry.title.clone(), ..question };
    let look: Look<SearchEntriesResponse> =
        walk.town.look(Level::City, &reader, SEARCH_ENTRIES, &question).await?;
    let first = look.answer.hits.first().and_then(|hit| hit.entry.as_ref());
    told.saw(
        "first hit for a whole title",
        first.map(|entry| entry.title.as_str()),
        Some(entry.title.as_str()),
    )?;

    let (hits, total, node) = (found.len(), look.answer.total, look.node);
    let title = &entry.title;
    told.say(both!(
        "{word} finds {hits} entries, among them {title}; asked at node {node}",
        "检索“{word}”得到 {hits} 条，其中有《{title}》；经节点 {node} 检索"
    ));
    told.say(both!(
        "the whole title finds {total}, itself first; spaces are not needed",
        "以全名检索得到 {total} 条，本条居首；无需分词空格"
    ));
    told.about(&entry.name);
    Ok(())
}

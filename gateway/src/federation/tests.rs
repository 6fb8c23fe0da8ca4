use super::*;

fn row(domain: &str, feed_revision: u64, outbox_size: u64) -> LinkStatus {
    LinkStatus { domain: domain.to_owned(), feed_revision, outbox_size, ..Default::default() }
}

fn config() -> Config {
    let text = include_str!("../../gateway.example.toml");
    Config::parse(text, std::path::Path::new("")).unwrap()
}

#[test]
fn a_status_has_a_row_for_every_link_with_what_both_know() {
    let of_cluster = vec![row("fujian", 7, 0), row("fusion", 0, 3)];
    let ours = vec![
        LinkStatus { connected: true, ..row("fujian", 5, 2) },
        LinkStatus { last_error: "refused".to_owned(), ..row("siming", 0, 1) },
    ];
    let expected = [
        LinkStatus { connected: true, ..row("fujian", 7, 2) },
        row("fusion", 0, 3),
        LinkStatus { last_error: "refused".to_owned(), ..row("siming", 0, 1) },
    ];
    assert_eq!(merged(of_cluster, ours), expected);
}

#[test]
fn only_the_status_is_completed_and_the_rest_of_it_is_kept() {
    let links = Links::new(&config());
    let answer = GetStatusResponse { domain: "xiamen".to_owned(), term: 7, ..Default::default() };
    let bytes: Bytes = answer.encode_to_vec().into();

    let completed = links.complete(GET_STATUS, bytes.clone());
    let status = GetStatusResponse::decode(completed).unwrap();
    let domains: Vec<_> = status.links.iter().map(|link| link.domain.as_str()).collect();
    assert_eq!(domains, ["fujian", "siming"]);
    assert_eq!(GetStatusResponse { links: Vec::new(), ..status }, answer);

    assert_eq!(links.complete("/luqiao.catalog.v1.CatalogService/GetEntry", bytes.clone()), bytes);
    let no_message = Bytes::from_static(&[0xff]);
    assert_eq!(links.complete(GET_STATUS, no_message.clone()), no_message);
}

#[test]
fn a_link_counts_as_connected_when_all_its_work_goes_on() {
    let links = Links::new(&config());
    let fujian: DomainId = "fujian".parse().unwrap();
    let connected = || links.status().iter().any(|row| row.domain == "fujian" && row.connected);
    let set = |work, connected| links.links[&fujian].state().side(work).connected = connected;
    assert!(!connected());
    set(Work::Delivering, true);
    assert!(!connected(), "its feed is not followed yet");
    set(Work::Following, true);
    assert!(connected());
    links.cut(&fujian);
    assert!(!connected());
    links.heal(&fujian);
    assert!(connected());
}

#[tokio::test]
async fn those_who_wait_for_a_link_hear_when_it_is_switched() {
    let links = Links::new(&config());
    let fujian: DomainId = "fujian".parse().unwrap();
    let stranger: DomainId = "fuzhou".parse().unwrap();
    assert!(!links.cut(&stranger) && !links.heal(&stranger));

    links.until_healed(&fujian).await;
    let cut = links.until_cut(&fujian);
    assert!(links.cut(&fujian));
    cut.await;
    links.until_cut(&fujian).await;
    let healed = links.until_healed(&fujian);
    assert!(links.heal(&fujian));
    healed.await;
}

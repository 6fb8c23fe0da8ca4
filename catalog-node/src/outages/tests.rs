use catalog_model::time::UtcMillis;
use tempfile::TempDir;

use super::{NAME, Outage, Outages};

#[tokio::test]
async fn what_is_not_on_record_outlives_the_process() {
    let folder = TempDir::new().unwrap();
    let mut outages = Outages::open(folder.path());
    outages.over(UtcMillis(1)).await;
    assert!(!folder.path().join(NAME).exists(), "nothing was refused");
    outages.refusing(UtcMillis(2)).await;
    outages.refusing(UtcMillis(3)).await;

    let mut outages = Outages::open(folder.path());
    outages.over(UtcMillis(5)).await;
    outages.over(UtcMillis(6)).await;

    let outages = Outages::open(folder.path());
    assert_eq!(outages.content.since, None);
    assert_eq!(outages.content.ended, [Outage { from: UtcMillis(2), until: UtcMillis(5) }]);
}

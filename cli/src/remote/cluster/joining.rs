//! Joining: what does a new node have to be told in its configuration?

use std::fmt::Write as _;

use luqiao_proto::operations::v1::Member;

/// The lines that make a new node of a cluster join it. Certificates and the data folder are the
/// operator's own.
pub(super) fn settings(domain: &str, cluster: &str, node: u64, members: &[Member]) -> String {
    let id = node.to_string();
    let listen = members.iter().find(|member| member.id == id);
    let listen = listen.map_or_else(String::new, |member| member.endpoint.clone());
    let mut text = format!(
        "# {listen} is where the others reach it; `listen` is the address of its own machine.\n\
         domain = \"{domain}\"\ncluster_id = \"{cluster}\"\nid = {node}\njoin = true\n"
    );
    for Member { id, endpoint, .. } in members {
        let _ = write!(text, "\n[[members]]\nid = {id}\naddress = \"{endpoint}\"\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_name_the_cluster_the_node_and_everybody() {
        let member = |id: &str| Member {
            id: id.to_owned(),
            endpoint: format!("node-{id}:7443"),
            ..Default::default()
        };
        let text = settings("xiamen", "0123456789abcdef", 4, &[member("1"), member("4")]);
        let parsed: toml::Table = toml::from_str(&text).unwrap();
        assert_eq!(parsed["cluster_id"].as_str(), Some("0123456789abcdef"));
        assert_eq!((parsed["id"].as_integer(), parsed["join"].as_bool()), (Some(4), Some(true)));
        let members = parsed["members"].as_array().unwrap();
        assert_eq!(members.len(), 2, "itself among them");
        assert_eq!(members[0]["address"].as_str(), Some("node-1:7443"));
    }
}

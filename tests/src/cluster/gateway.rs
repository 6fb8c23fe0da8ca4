//! Gateway: how do departments get into a cluster that runs without the rest of its federation?

use std::{
    fmt::Write as _,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use luqiao::{
    context::Context,
    dev::cast::{AUTHORITY, Level},
};
use luqiao_transport::identity::{SpiffeId, Subject};

use super::{Cluster, domain, free_ports};
use crate::{federation::seat, process::Process, publishing::Press, role::Role};

/// A gateway that runs before a cluster.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    process: Process,
}

impl Cluster {
    /// Starts a gateway before the nodes that are laid out.
    ///
    /// # Panics
    ///
    /// If that cannot be done.
    pub fn open_gateway(&self) -> Gateway {
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, free_ports(1)[0]).into();
        let mut text = format!(
            "domain = \"{}\"\ngateway = \"gw-1\"\nlisten = \"{address}\"\n\n\
             [tls]\ncert = \"gateway.pem\"\nkey = \"gateway.key\"\nca = \"ca.pem\"\n",
            domain(),
        );
        for (id, node) in &self.nodes {
            let endpoint = node.listen;
            write!(text, "\n[[nodes]]\nid = \"{id}\"\nendpoint = \"{endpoint}\"\n")
                .expect("a string takes everything");
        }
        text.push_str("\n[timeouts]\nprobe_interval = \"200ms\"\nlink_retry_max = \"500ms\"\n");
        let config = self.folder.join("gateway.toml");
        fs::write(&config, text).expect("settings can be written");
        let config = config.to_str().expect("a path in UTF-8");
        let log = self.folder.join("gateway.txt");
        let mut process = Process::new("gateway", &["--config", config], log);
        process.start();
        Gateway { address, process }
    }

    /// Somebody who calls at a gateway.
    fn caller(&self, gateway: &Gateway, stem: &str, subject: Subject) -> Role {
        assert!(gateway.process.is_started(), "nobody opened the gateway");
        let name = SpiffeId { domain: domain(), subject };
        self.issuer.write(&self.folder, stem, &name, IpAddr::V4(Ipv4Addr::LOCALHOST));
        Role::of(Context {
            gateways: vec![gateway.address.to_string()],
            nodes: Vec::new(),
            ca: self.folder.join("ca.pem"),
            cert: self.folder.join(format!("{stem}.pem")),
            key: self.folder.join(format!("{stem}.key")),
            trust: None,
            domain: Some(domain().to_string()),
        })
    }

    /// An office's system.
    pub fn role(&self, gateway: &Gateway, office: &str) -> Role {
        self.caller(gateway, office, seat(Level::City, office).system_subject())
    }

    /// An office's head.
    pub fn head(&self, gateway: &Gateway, office: &str) -> Role {
        let subject = seat(Level::City, office).head_subject();
        self.caller(gateway, &format!("{office}-head"), subject)
    }

    /// Who publishes entries of an office.
    pub fn press(&self, gateway: &Gateway, office: &str) -> Press {
        Press {
            provider: self.role(gateway, office),
            head: self.head(gateway, office),
            authority: self.role(gateway, AUTHORITY),
        }
    }
}

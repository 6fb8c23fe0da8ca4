//! The file `IDENTITY`: whose folder is this, and what must this node remember for itself whatever
//! becomes of its state?
//!
//! A few lines of text, replaced as a whole: written beside, synced, renamed, the folder synced. It
//! holds what neither the log nor another node could give back: the id of the store, how often it
//! was opened, with which store each peer came first, and to which opening of its cluster the node
//! belongs and of which it heard ([`Known`]). A digest over the text makes a flipped byte a refusal
//! with the right name, not another node's folder.
//!
//! Folders of versions that kept these rows in the state store are taken over at their first start.
//! A file of a version that knew of no openings is one of the first; what goes beyond that is
//! written only once there is any, so that such a version reads the file as long as it could.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use catalog_model::{
    fence::{Known, Sealed},
    site::Pair,
};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{StorageError, folders::write_durably, hex};

const NAME: &str = "IDENTITY";

/// Whose folder this is. Fixed when the folder was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Identity {
    /// The cluster.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub cluster_id: [u8; 16],
    /// The node within it.
    #[n(1)]
    pub node: u64,
    /// Drawn when the folder was created. A node that comes back with another one has lost what
    /// it promised, and its peers do not talk to it.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub store_uuid: [u8; 16],
    /// The generation to which the folder belongs; from 1. Of a folder in use, as it was when it
    /// was opened: what may have changed since is asked of [`IdentityFile::known`].
    #[n(3)]
    pub generation: u64,
}

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) identity: Identity,
    /// The voters with whom the cluster was founded, ascending; empty for a node that joined later.
    pub(super) founders: Vec<u64>,
    /// Whether a log was begun: from then on a folder without one has lost it.
    pub(super) log_begun: bool,
    /// How often the folder was opened.
    pub(super) boot: u64,
    /// The store with which each peer presented itself first.
    pub(super) peer_stores: BTreeMap<u64, [u8; 16]>,
    /// To which opening the node belongs. Its generation is the identity's.
    pub(super) known: Known,
}

/// The text of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    cluster_id: String,
    node: u64,
    store_uuid: String,
    generation: u64,
    /// Absent: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    /// Absent: what the node belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heard: Option<String>,
    /// The same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opened: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed_for: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed_pair: Option<String>,
    /// Absent: the node belongs to its generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    joining: Option<bool>,
    founders: Vec<u64>,
    log_begun: bool,
    boot: u64,
    /// Keys are text because TOML has no others.
    peer_stores: BTreeMap<String, String>,
}

/// The file with what it says; the only way to change it.
#[derive(Debug)]
pub struct IdentityFile {
    folder: PathBuf,
    content: Mutex<Content>,
}

impl IdentityFile {
    /// The file in `folder`, if there is one.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, StorageError> {
        let text = match fs::read_to_string(folder.join(NAME)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(StorageError::Identity { cause: "it is no text" });
            }
            Err(source) => return Err(StorageError::in_folder(folder)(source)),
        };
        let content = parse(&text).map_err(|cause| StorageError::Identity { cause })?;
        Ok(Some(Self { folder: folder.to_owned(), content: Mutex::new(content) }))
    }

    /// Makes `content` the file of `folder`, durably.
    pub(super) fn create(folder: &Path, content: Content) -> Result<Self, StorageError> {
        write(folder, &content).map_err(StorageError::in_folder(folder))?;
        Ok(Self { folder: folder.to_owned(), content: Mutex::new(content) })
    }

    /// What it says now.
    pub(super) fn content(&self) -> Content {
        self.content.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whose folder it is.
    pub fn identity(&self) -> Identity {
        self.content().identity
    }

    /// The store with which `peer` presented itself first, if it ever did.
    pub fn known_store(&self, peer: u64) -> Option<[u8; 16]> {
        let content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        content.peer_stores.get(&peer).copied()
    }

    /// The store with which `peer` presented itself first; remembers `store_uuid`, durably, if it
    /// is the first.
    pub fn peer_store(&self, peer: u64, store_uuid: [u8; 16]) -> Result<[u8; 16], StorageError> {
        if let Some(known) = self.known_store(peer) {
            return Ok(known);
        }
        let kept = self.change(|content| {
            content.peer_stores.entry(peer).or_insert(store_uuid);
        })?;
        Ok(kept.peer_stores[&peer])
    }

    /// To which opening the node belongs, and of which it heard.
    pub fn known(&self) -> Known {
        self.content.lock().unwrap_or_else(PoisonError::into_inner).known.clone()
    }

    /// Does `step` to what is known of the openings, durably, before anything can rely on it.
    /// Returns what `step` returns, and what is known then; a step that fails changes nothing.
    pub fn note<T, E>(
        &self,
        step: impl FnOnce(&mut Known) -> Result<T, E>,
    ) -> Result<(Result<T, E>, Known), StorageError> {
        let mut came_of_it = None;
        let content = self.change(|content| {
            let mut known = content.known.clone();
            let done = step(&mut known);
            if done.is_ok() {
                debug_assert_eq!(known.check(), Ok(()));
                content.identity.generation = known.speaks_for().generation;
                content.known = known;
            }
            came_of_it = Some(done);
        })?;
        Ok((came_of_it.expect("the step was done"), content.known))
    }

    /// Changes what it says, durably, and returns all of it.
    pub(super) fn change(
        &self,
        change: impl FnOnce(&mut Content),
    ) -> Result<Content, StorageError> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = content.clone();
        change(&mut changed);
        if changed != *content {
            write(&self.folder, &changed).map_err(StorageError::in_folder(&self.folder))?;
            content.clone_from(&changed);
        }
        Ok(changed)
    }
}

fn write(folder: &Path, content: &Content) -> io::Result<()> {
    write_durably(&folder.join(NAME), compose(content).as_bytes())
}

fn compose(content: &Content) -> String {
    let Known { belongs, heard, opened, sealed } = &content.known;
    let speaks_for = content.known.speaks_for();
    let unless = |pair: &Pair, usual: Pair| (*pair != usual).then(|| pair.to_string());
    let text = Text {
        cluster_id: hex(&content.identity.cluster_id),
        node: content.identity.node,
        store_uuid: hex(&content.identity.store_uuid),
        generation: speaks_for.generation,
        epoch: Some(speaks_for.epoch).filter(|epoch| *epoch != Pair::FIRST.epoch),
        heard: unless(heard, speaks_for),
        opened: unless(opened, speaks_for),
        sealed_for: sealed.as_ref().map(|sealed| sealed.failover.to_string()),
        sealed_pair: sealed.as_ref().map(|sealed| sealed.pair.to_string()),
        joining: belongs.is_none().then_some(true),
        founders: content.founders.clone(),
        log_begun: content.log_begun,
        boot: content.boot,
        peer_stores: content
            .peer_stores
            .iter()
            .map(|(peer, store)| (peer.to_string(), hex(store)))
            .collect(),
    };
    let text = toml::to_string(&text).expect("these values are TOML");
    let digest = hex(&Sha256::digest(text.as_bytes()));
    format!(
        "# Whose data folder this is. Kept by the node; changed by hand it is refused.\n# {digest}\n{text}"
    )
}

fn parse(text: &str) -> Result<Content, &'static str> {
    let mut lines = text.splitn(3, '\n');
    let (Some(_), Some(digest), Some(text)) = (lines.next(), lines.next(), lines.next()) else {
        return Err("it is cut short");
    };
    if digest.strip_prefix("# ") != Some(hex(&Sha256::digest(text.as_bytes())).as_str()) {
        return Err("it does not match its digest");
    }
    let text: Text = toml::from_str(text).map_err(|_| "it was written by another version")?;
    let sixteen = |text: &str| {
        let number = u128::from_str_radix(text, 16).map_err(|_| "an id in it is no id")?;
        Ok::<_, &'static str>(number.to_be_bytes())
    };
    let mut peer_stores = BTreeMap::new();
    for (peer, store) in &text.peer_stores {
        let peer = peer.parse().map_err(|_| "an id in it is no id")?;
        peer_stores.insert(peer, sixteen(store)?);
    }
    let known = known(&text)?;
    Ok(Content {
        identity: Identity {
            cluster_id: sixteen(&text.cluster_id)?,
            node: text.node,
            store_uuid: sixteen(&text.store_uuid)?,
            generation: text.generation,
        },
        founders: text.founders,
        log_begun: text.log_begun,
        boot: text.boot,
        peer_stores,
        known,
    })
}

fn known(text: &Text) -> Result<Known, &'static str> {
    let unreadable = "an opening in it is none";
    let own = Pair { generation: text.generation, epoch: text.epoch.unwrap_or(Pair::FIRST.epoch) };
    let pair = |text: &Option<String>| match text {
        Some(text) => text.parse().map_err(|_| unreadable),
        None => Ok(own),
    };
    let sealed = match (&text.sealed_for, &text.sealed_pair) {
        (Some(failover), Some(_)) => Some(Sealed {
            failover: failover.parse().map_err(|_| unreadable)?,
            pair: pair(&text.sealed_pair)?,
        }),
        (None, None) => None,
        _ => return Err("half of a seal is in it"),
    };
    let known = Known {
        belongs: (text.joining != Some(true)).then_some(own),
        heard: pair(&text.heard)?,
        opened: pair(&text.opened)?,
        sealed,
    };
    known.check()?;
    Ok(known)
}

#[cfg(test)]
mod tests;

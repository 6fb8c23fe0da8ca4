//! Where an archive lies: a folder, or a bucket that speaks S3.

use std::{io, path::PathBuf, sync::Arc};

use object_store::{
    ObjectStore, aws::AmazonS3Builder, local::LocalFileSystem, path::Path, prefix::PrefixStore,
};
use serde::Deserialize;

use crate::{ArchiveError, http_client::OwnHttp};

/// Where an archive lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// In a folder: another disk, or a mounted share.
    Folder(PathBuf),
    /// In a bucket.
    S3(S3),
}

/// A bucket of a service that speaks S3.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// `https://host:port`; `http://` is for a service on the same machine.
    pub endpoint: String,
    /// The bucket, which exists.
    pub bucket: String,
    /// Begins the name of every object; empty = none.
    pub prefix: String,
    /// The region, as the service calls it.
    pub region: String,
    /// File with two lines: the id of the access key, and its secret.
    pub credentials: PathBuf,
    /// Authorities that may name the service, PEM; needed for `https://`.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
}

impl Target {
    /// The store of objects, not yet asked for anything.
    pub(crate) fn open(&self) -> Result<Arc<dyn ObjectStore>, ArchiveError> {
        let failed = |source: object_store::Error| ArchiveError::Store {
            attempt: "open",
            object: self.to_string(),
            source,
        };
        match self {
            Self::Folder(folder) => {
                let unread = |source: io::Error| ArchiveError::Folder {
                    folder: folder.display().to_string(),
                    source,
                };
                std::fs::create_dir_all(folder).map_err(unread)?;
                let store = LocalFileSystem::new_with_prefix(folder).map_err(failed)?;
                // An object that was acknowledged is there after a power loss.
                Ok(Arc::new(store.with_fsync(true)))
            }
            Self::S3(s3) => {
                let unread = |source: io::Error| ArchiveError::Folder {
                    folder: s3.credentials.display().to_string(),
                    source,
                };
                let text = std::fs::read_to_string(&s3.credentials).map_err(unread)?;
                let mut lines = text.lines().map(str::trim);
                let (id, secret) = (lines.next(), lines.next());
                let store = AmazonS3Builder::new()
                    .with_endpoint(s3.endpoint.trim_end_matches('/'))
                    .with_bucket_name(&s3.bucket)
                    .with_region(&s3.region)
                    .with_access_key_id(id.unwrap_or_default())
                    .with_secret_access_key(secret.unwrap_or_default())
                    .with_allow_http(s3.endpoint.starts_with("http://"))
                    .with_http_connector(OwnHttp::new(s3.authorities.clone()))
                    .build()
                    .map_err(failed)?;
                if s3.prefix.is_empty() {
                    return Ok(Arc::new(store));
                }
                Ok(Arc::new(PrefixStore::new(store, Path::from(s3.prefix.as_str()))))
            }
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::S3(S3 { endpoint, bucket, prefix, .. }) => {
                write!(f, "{endpoint}/{bucket}/{prefix}")
            }
        }
    }
}

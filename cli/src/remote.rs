//! Remote: the commands that need a server, one file for each noun.
//!
//! Thin: a command becomes one call (for a change of something that exists, two: which version is
//! it?), the answer is printed as JSON or as a table of it. What may be done and what not is
//! decided elsewhere; a refusal is passed on in its own words.

pub mod session;

pub mod acquisition;
pub mod audit;
pub mod calendar;
pub mod case;
pub mod case_bag;
pub(crate) mod case_file;
pub mod catalog;
pub mod cluster;
pub mod dataset;
pub mod deadline;
pub mod demand;
pub mod dispute;
pub mod dr;
pub mod drill;
pub mod entry_life;
pub mod explain;
pub mod grant;
pub mod notice;
pub mod objection;
pub mod organization;
pub mod outage;
pub mod quality;
pub mod receipt;
pub mod request;
pub mod rules;
pub mod separation;
pub mod service_change;
pub mod status;
pub mod transfer;

use catalog_model::name::{Resource, ResourceName};
use luqiao_transport::identity::Subject;
pub mod work;

use prost::Message;
use serde_json::Value;
use tonic::Status;

use crate::{
    both, calls,
    exit::Exit,
    failure::Failure,
    message,
    output::{Column, Output},
};

use self::session::{Session, request_id};

/// What every remote command works with.
#[derive(Debug)]
pub struct Remote {
    /// The connection.
    pub session: Session,
    /// How this run speaks.
    pub output: Output,
}

impl Remote {
    /// `domains/{domain}` for a `--domain` option; the caller's without one.
    fn parent(&self, domain: Option<&str>) -> String {
        domain.map_or_else(|| self.session.parent(), |domain| format!("domains/{domain}"))
    }

    /// The id of this attempt. It is told before anything is sent: who is left without an answer
    /// needs it.
    fn attempt(&self, stated: Option<String>) -> String {
        let id = stated.unwrap_or_else(request_id);
        self.output.detail(&both!("request id {id}", "请求标识 {id}"));
        calls::begin(&id);
        id
    }

    /// The organization that is stated, or the caller's.
    fn organization(&self, stated: Option<String>) -> Result<String, Failure> {
        let own = || {
            let caller = self.session.caller()?;
            match caller.subject {
                Subject::System { organization, .. } | Subject::Person { organization, .. } => {
                    let resource = Resource::Organization(organization);
                    Some(ResourceName::new(caller.domain.clone(), resource).to_string())
                }
                Subject::Gateway { .. } | Subject::Node { .. } => None,
            }
        };
        stated.or_else(own).ok_or_else(|| {
            Failure::usage(both!(
                "the context belongs to no organization; name one",
                "上下文不属于任何单位，请指明单位"
            ))
        })
    }

    /// Tells that something is not there any more.
    fn deleted(&self, name: &str) -> Result<(), Failure> {
        self.output.resource(&serde_json::json!({ "name": name, "deleted": true }))
    }

    fn show<M: Message>(&self, kind: &str, message: &M) -> Result<(), Failure> {
        self.output.resource(&json(kind, message)?)
    }

    fn show_page<M: Message>(
        &self,
        kind: &str,
        message: &M,
        key: &str,
        columns: &[Column],
    ) -> Result<(), Failure> {
        self.output.page(&json(kind, message)?, key, columns)
    }
}

fn json<M: Message>(kind: &str, message: &M) -> Result<Value, Failure> {
    message::to_json(kind, message).map_err(|error| malformed(&error))
}

/// As [`json`], with zeros and empty values said too.
fn whole_json<M: Message>(kind: &str, message: &M) -> Result<Value, Failure> {
    message::to_whole_json(kind, message).map_err(|error| malformed(&error))
}

fn malformed(error: &serde_json::Error) -> Failure {
    Failure::new(
        Exit::Error,
        "answer_malformed",
        both!("the server's answer cannot be shown: {error}", "无法显示服务端的答复：{error}"),
    )
}

/// The message of an answer, or the failure in its status.
fn answer<T>(result: Result<tonic::Response<T>, Status>) -> Result<T, Failure> {
    result.map(tonic::Response::into_inner).map_err(|status| Failure::call(&status))
}

/// Sends a request and prints its answer, which is of this kind:
/// `send!(remote, DATASET, client.get_dataset(request))`.
macro_rules! send {
    ($remote:ident, $kind:ident, $client:ident.$method:ident($request:expr)) => {{
        let answered = $client.$method($remote.session.call($request)).await;
        $remote.show(crate::message::kind::$kind, &$crate::remote::answer(answered)?)?;
    }};
}
pub(super) use send;

/// The version to which a change applies, as stated or as it is read now, and the id of the attempt:
/// `version!(remote, client.get_dataset(GetDatasetRequest), name, change)`.
macro_rules! version {
    ($remote:ident, $client:ident.$get:ident($request:ident), $name:expr, $change:expr) => {{
        let etag = if let Some(etag) = $change.etag {
            etag
        } else {
            let request = $request { name: $name.clone() };
            $crate::remote::answer($client.$get($remote.session.call(request)).await)?.etag
        };
        (etag, $remote.attempt($change.change.request_id))
    }};
}
pub(super) use version;

//! Openings: how do callers and nodes tell each other which generation and epoch they follow?
//!
//! In one header on every call and every answer, whatever the method, refusals included:
//!
//! ```text
//! luqiao-opening: {cluster id} {belongs or -} {heard} {opened}
//! ```
//!
//! A header and no field, so that no method can be without it. The client's side is [`Telling`],
//! which is put around a channel; what a server does about it is the server's to decide. Programs
//! older than the header do not send it: they know of the first opening only.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    str::FromStr,
    task::{Context, Poll},
};

use catalog_model::{fence::Said, site::Pair};
use http::{HeaderMap, HeaderValue, Request, Response};
use tower::Service;

/// The header's name.
pub const OPENING: &str = "luqiao-opening";

/// Longest header that is read: a cluster's id and three pairs of the greatest numbers.
const BYTES_MAX: usize = 192;

/// What one end says of the openings of which cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The cluster, hexadecimal; empty if the sender does not know yet.
    pub cluster: String,
    /// What it says.
    pub said: Said,
}

/// The header cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the header luqiao-opening cannot be read")]
pub struct OpeningUnreadable;

impl Opening {
    /// The header's value.
    pub fn header(&self) -> HeaderValue {
        HeaderValue::try_from(self.to_string()).expect("ids and numbers are visible ASCII")
    }

    /// What `headers` say, if they say anything.
    pub fn in_headers(headers: &HeaderMap) -> Result<Option<Self>, OpeningUnreadable> {
        let Some(value) = headers.get(OPENING) else { return Ok(None) };
        let text = value.to_str().map_err(|_| OpeningUnreadable)?;
        text.parse().map(Some)
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cluster = if self.cluster.is_empty() { "-" } else { &self.cluster };
        let Said { belongs, heard, opened } = self.said;
        match belongs {
            Some(belongs) => write!(f, "{cluster} {belongs} {heard} {opened}"),
            None => write!(f, "{cluster} - {heard} {opened}"),
        }
    }
}

impl FromStr for Opening {
    type Err = OpeningUnreadable;

    fn from_str(text: &str) -> Result<Self, OpeningUnreadable> {
        if text.len() > BYTES_MAX {
            return Err(OpeningUnreadable);
        }
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or(OpeningUnreadable);
        let (cluster, belongs, heard, opened) = (word()?, word()?, word()?, word()?);
        if words.next().is_some() {
            return Err(OpeningUnreadable);
        }
        let pair = |text: &str| text.parse::<Pair>().map_err(|_| OpeningUnreadable);
        let id = cluster.bytes().all(|byte| byte.is_ascii_hexdigit());
        let cluster = match cluster {
            "-" => String::new(),
            cluster if id && !cluster.is_empty() => cluster.to_ascii_lowercase(),
            _ => return Err(OpeningUnreadable),
        };
        let belongs = if belongs == "-" { None } else { Some(pair(belongs)?) };
        Ok(Self { cluster, said: Said { belongs, heard: pair(heard)?, opened: pair(opened)? } })
    }
}

/// Who knows what to say with a call, and hears what the answer says.
pub trait Ledger: Clone + Send + Sync + 'static {
    /// The header of the next call; `None` says nothing.
    fn says(&self) -> Option<HeaderValue>;

    /// The other end answered so. What cannot be read is not heard.
    fn hears(&self, opening: Opening);
}

/// A channel whose calls tell and hear openings.
#[derive(Debug, Clone)]
pub struct Telling<C, L> {
    channel: C,
    ledger: L,
}

impl<C, L> Telling<C, L> {
    /// `channel`, whose calls say what `ledger` knows.
    pub fn new(channel: C, ledger: L) -> Self {
        Self { channel, ledger }
    }
}

impl<C, L, A, B> Service<Request<A>> for Telling<C, L>
where
    C: Service<Request<A>, Response = Response<B>>,
    C::Future: Send + 'static,
    L: Ledger,
{
    type Response = Response<B>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, C::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        if let Some(header) = self.ledger.says() {
            request.headers_mut().insert(OPENING, header);
        }
        let (answer, ledger) = (self.channel.call(request), self.ledger.clone());
        Box::pin(async move {
            let answer = answer.await?;
            if let Ok(Some(opening)) = Opening::in_headers(answer.headers()) {
                ledger.hears(opening);
            }
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(text: &str) -> Pair {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_said_is_read_again() {
        let max = Pair { generation: u64::MAX, epoch: u64::MAX };
        for said in [
            Said { belongs: None, heard: pair("1.1"), opened: pair("1.1") },
            Said { belongs: Some(pair("1.2")), heard: pair("2.3"), opened: pair("1.1") },
            Said { belongs: Some(max), heard: max, opened: max },
        ] {
            for cluster in [String::new(), "ab".repeat(16)] {
                let opening = Opening { cluster, said };
                let mut headers = HeaderMap::new();
                headers.insert(OPENING, opening.header());
                assert_eq!(Opening::in_headers(&headers), Ok(Some(opening)));
            }
        }
        assert_eq!(Opening::in_headers(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_not_silence() {
        let long = format!("{} - 1.1 1.1", "a".repeat(BYTES_MAX));
        for text in [
            "",
            "ab",
            "ab - 1.1",
            "ab - 1.1 1.1 1.1",
            "xy - 1.1 1.1",
            " - 1.1 1.1",
            "ab 1 1.1 1.1",
            "ab - 1.-1 1.1",
            "ab  - 1.1 1.1",
            "ab - 99999999999999999999.1 1.1",
            &long,
        ] {
            assert_eq!(text.parse::<Opening>(), Err(OpeningUnreadable), "{text}");
        }
    }
}

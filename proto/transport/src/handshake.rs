//! Handshake: why could two ends not agree to talk, in words a person can act on?
//!
//! TLS reports failure as a number on the wire and an enum in the library. Both the server's log
//! and the command line turn that into a [`HandshakeFailure`] here, so that they use the same
//! words. It is kept apart from *no connection at all* (`dial`), where no certificate was looked
//! at yet.

use std::{error::Error, fmt, io};

use catalog_model::reason::Lang;
use rustls::{AlertDescription, CertificateError, Error as TlsFailure};

use crate::{identity::CertificateRefused, tls::UnexpectedServer};

/// A handshake that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeFailure {
    /// What was wrong.
    pub cause: Cause,
    /// Which end ended it.
    pub refused_by: End,
    /// The library's own words, for the log.
    pub detail: String,
}

/// Which end of the connection ended a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// We refused what the other end presented.
    Ours,
    /// The other end refused what we presented; the cause is read from its alert.
    Theirs,
}

/// What was wrong in a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The certificate's time is over. An alert does not tell this from *not begun*, so for
    /// [`End::Theirs`] it may be either.
    CertificateExpired,
    /// The certificate's time has not begun.
    CertificateNotYetValid,
    /// The certificate comes from an authority that is not trusted, or not for this domain.
    UnknownAuthority,
    /// The server's certificate is for another host.
    WrongHost,
    /// The server's certificate is genuine and names someone else than was to be called.
    WrongIdentity,
    /// The certificate carries a name of ours that is malformed or not alone.
    NameMalformed,
    /// The certificate may not be used for this, is revoked, or cannot be read.
    CertificateUnfit,
    /// The server takes only callers with a certificate.
    CertificateRequired,
    /// No TLS version, cipher or application protocol in common.
    NoSharedProtocol,
    /// The other end does not speak TLS.
    NotTls,
    /// The other end said nothing, or stopped midway, until our patience ended.
    Silent,
    /// The other end closed the connection.
    WentAway,
    /// Something else; the detail has it.
    Other,
}

impl Cause {
    /// A stable word for counters and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::CertificateExpired => "certificate_expired",
            Self::CertificateNotYetValid => "certificate_not_yet_valid",
            Self::UnknownAuthority => "unknown_authority",
            Self::WrongHost => "wrong_host",
            Self::WrongIdentity => "wrong_identity",
            Self::NameMalformed => "name_malformed",
            Self::CertificateUnfit => "certificate_unfit",
            Self::CertificateRequired => "certificate_required",
            Self::NoSharedProtocol => "no_shared_protocol",
            Self::NotTls => "not_tls",
            Self::Silent => "silent",
            Self::WentAway => "went_away",
            Self::Other => "other",
        }
    }
}

impl HandshakeFailure {
    /// The other end was given its time and did not finish.
    pub(crate) fn silent() -> Self {
        Self {
            cause: Cause::Silent,
            refused_by: End::Ours,
            detail: "the handshake did not finish in its time".to_owned(),
        }
    }

    /// Reads what tokio-rustls and the socket report.
    pub fn from_io(error: &io::Error) -> Self {
        if let Some(failure) = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsFailure>())
        {
            return Self::from_tls(failure);
        }
        let cause = match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected => Cause::WentAway,
            io::ErrorKind::TimedOut => Cause::Silent,
            _ => Cause::Other,
        };
        Self { cause, refused_by: End::Theirs, detail: error.to_string() }
    }

    /// Reads what rustls reports.
    pub fn from_tls(failure: &TlsFailure) -> Self {
        let (cause, refused_by) = match failure {
            TlsFailure::AlertReceived(alert) => (cause_of_alert(*alert), End::Theirs),
            TlsFailure::InvalidCertificate(error) => (cause_of_certificate(error), End::Ours),
            TlsFailure::NoCertificatesPresented => (Cause::CertificateRequired, End::Ours),
            TlsFailure::PeerIncompatible(_) | TlsFailure::NoApplicationProtocol => {
                (Cause::NoSharedProtocol, End::Ours)
            }
            TlsFailure::InvalidMessage(_)
            | TlsFailure::InappropriateMessage { .. }
            | TlsFailure::PeerSentOversizedRecord => (Cause::NotTls, End::Ours),
            _ => (Cause::Other, End::Ours),
        };
        Self { cause, refused_by, detail: failure.to_string() }
    }

    /// What happened and what to do about it.
    pub fn explain(&self, lang: Lang) -> String {
        let (what, advice) = self.words(lang);
        match lang {
            Lang::Zh => format!("{what}：{advice}"),
            Lang::En => format!("{what}: {advice}"),
        }
    }

    /// What happened; what to do.
    fn words(&self, lang: Lang) -> (&'static str, &'static str) {
        let (en, zh) = match (self.cause, self.refused_by) {
            (Cause::CertificateExpired, End::Ours) => (
                ("the other end's certificate has expired", "its holder has to renew it"),
                ("对方证书已过期", "请持有者更新证书"),
            ),
            (Cause::CertificateExpired, End::Theirs) => (
                (
                    "our certificate was refused as expired or not yet valid",
                    "renew it, and check the clocks of both machines",
                ),
                ("我方证书因过期或尚未生效被拒绝", "请更新证书，并核对双方机器时钟"),
            ),
            (Cause::CertificateNotYetValid, _) => (
                (
                    "the other end's certificate is not yet valid",
                    "check the clocks of both machines and the first day of the certificate",
                ),
                ("对方证书尚未生效", "请核对双方机器时钟和证书起始日期"),
            ),
            (Cause::UnknownAuthority, End::Ours) => (
                (
                    "the other end's certificate comes from an authority that is not trusted here for that domain",
                    "check that the right platform was called; add its authority to the trust files if it should be trusted",
                ),
                (
                    "对方证书的签发机构在此不受信任",
                    "请确认连接的平台无误；如应信任，请将其签发机构加入信任文件",
                ),
            ),
            (Cause::UnknownAuthority, End::Theirs) => (
                (
                    "our certificate was refused: its authority is not trusted there",
                    "use the certificate that the called platform issued or has on its trust list",
                ),
                (
                    "我方证书被拒绝：其签发机构不受对方信任",
                    "请使用对方平台签发或已列入其信任文件的证书",
                ),
            ),
            (Cause::WrongHost, _) => (
                (
                    "the server's certificate is for another host",
                    "call the server by a name that its certificate carries",
                ),
                ("服务器证书不属于该主机", "请使用证书中列出的主机名"),
            ),
            (Cause::WrongIdentity, _) => (
                (
                    "the server is genuine but not the one that was to be called",
                    "check the address: it leads to another domain or another kind of server",
                ),
                ("服务器真实，但并非要连接的对象", "请核对地址：它指向了另一个域或另一类服务"),
            ),
            (Cause::NameMalformed, _) => (
                (
                    "the other end's certificate carries a Luqiao name that is malformed or not alone",
                    "issue it again with exactly one spiffe:// URI",
                ),
                ("对方证书中的鹭桥名称格式错误或不唯一", "请重新签发，且只包含一个 spiffe:// URI"),
            ),
            (Cause::CertificateUnfit, End::Ours) => (
                (
                    "the other end's certificate cannot be used for this",
                    "issue it again for client and server authentication",
                ),
                ("对方证书不能用于此用途", "请按客户端和服务器认证用途重新签发"),
            ),
            (Cause::CertificateUnfit, End::Theirs) => (
                (
                    "our certificate was refused",
                    "the other end's log has the cause; check the certificate's name and its uses",
                ),
                ("我方证书被拒绝", "原因见对方日志；请检查证书名称和用途"),
            ),
            (Cause::CertificateRequired, _) => (
                (
                    "a client certificate is required",
                    "present the one issued to your system or person",
                ),
                ("需要客户端证书", "请出示签发给贵单位系统或人员的证书"),
            ),
            (Cause::NoSharedProtocol, _) => (
                (
                    "the two ends share no TLS version, cipher or protocol",
                    "use TLS 1.2 or 1.3 with HTTP/2",
                ),
                ("双方没有共同的 TLS 版本、算法或协议", "请使用 TLS 1.2 或 1.3 及 HTTP/2"),
            ),
            (Cause::NotTls, _) => (
                (
                    "the other end does not speak TLS",
                    "check address and port; plain text is not served",
                ),
                ("对方未使用 TLS", "请核对地址和端口；不提供明文服务"),
            ),
            (Cause::Silent, _) => (
                (
                    "the other end did not finish the handshake in time",
                    "check the network; a port scan or a health probe looks like this too",
                ),
                ("对方未在时限内完成握手", "请检查网络；端口扫描或探活也会如此"),
            ),
            (Cause::WentAway, _) => (
                (
                    "the other end closed the connection during the handshake",
                    "its log has the cause",
                ),
                ("对方在握手中关闭了连接", "原因见对方日志"),
            ),
            (Cause::Other, _) => {
                (("the handshake failed", "the log has the details"), ("握手失败", "详情见日志"))
            }
        };
        match lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

impl fmt::Display for HandshakeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.explain(Lang::En), self.detail)
    }
}

impl Error for HandshakeFailure {}

fn cause_of_alert(alert: AlertDescription) -> Cause {
    match alert {
        AlertDescription::CertificateExpired => Cause::CertificateExpired,
        AlertDescription::UnknownCA => Cause::UnknownAuthority,
        AlertDescription::CertificateRequired => Cause::CertificateRequired,
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::CertificateRevoked
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied
        | AlertDescription::DecryptError => Cause::CertificateUnfit,
        AlertDescription::ProtocolVersion
        | AlertDescription::HandshakeFailure
        | AlertDescription::InsufficientSecurity
        | AlertDescription::NoApplicationProtocol => Cause::NoSharedProtocol,
        AlertDescription::CloseNotify | AlertDescription::UserCanceled => Cause::WentAway,
        _ => Cause::Other,
    }
}

fn cause_of_certificate(error: &CertificateError) -> Cause {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            Cause::CertificateExpired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Cause::CertificateNotYetValid
        }
        CertificateError::UnknownIssuer => Cause::UnknownAuthority,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Cause::WrongHost
        }
        CertificateError::Other(other) if other.0.is::<UnexpectedServer>() => Cause::WrongIdentity,
        CertificateError::Other(other) if other.0.is::<CertificateRefused>() => {
            Cause::NameMalformed
        }
        _ => Cause::CertificateUnfit,
    }
}

#[cfg(test)]
mod tests;

//! Exit codes: what does a script learn from how the command ended?
//!
//! One table. 2 is the command line's own (clap uses it too); everything a server says is mapped
//! here from its gRPC code, which in turn follows from the reason in `luqiao_transport::status`.

use catalog_model::reason::Reason;
use luqiao_transport::{dial::DialError, status::Problem};
use tonic::Code;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done.
    Ok = 0,
    /// It was not done, and no other line of this table says why.
    Error = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// What was looked at is not well.
    Unhealthy = 3,
    /// What was named does not exist, or not for this caller.
    NotFound = 4,
    /// The caller may not do it, or is not known.
    Denied = 5,
    /// Something else must change first: another version, another state, a missing step.
    Conflict = 6,
    /// It was sent and no answer came: it may have been done. Repeat with the same request id.
    OutcomeUnknown = 7,
    /// Nobody could be reached who can do it now; nothing was done.
    Unavailable = 8,
    /// Too much was asked at once.
    Quota = 9,
    /// Stopped by the person at the keyboard.
    Interrupted = 130,
}

impl Exit {
    /// Every way to end, in the order of the table.
    pub const ALL: [Self; 11] = [
        Self::Ok,
        Self::Error,
        Self::Usage,
        Self::Unhealthy,
        Self::NotFound,
        Self::Denied,
        Self::Conflict,
        Self::OutcomeUnknown,
        Self::Unavailable,
        Self::Quota,
        Self::Interrupted,
    ];

    /// The number that the shell sees.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// For a call that ended with `problem`.
    pub fn of_problem(problem: &Problem) -> Self {
        match problem.reason {
            // The gRPC code of this one is UNKNOWN, as it is of statuses that are not ours.
            Some(Reason::OutcomeUnknown) => Self::OutcomeUnknown,
            _ => Self::of_code(problem.code),
        }
    }

    /// For a gRPC code.
    pub fn of_code(code: Code) -> Self {
        match code {
            Code::Ok => Self::Ok,
            Code::NotFound => Self::NotFound,
            Code::PermissionDenied | Code::Unauthenticated => Self::Denied,
            Code::AlreadyExists | Code::Aborted | Code::FailedPrecondition => Self::Conflict,
            // A call that was given up, and a connection that broke under it, may have got through.
            Code::Cancelled | Code::DeadlineExceeded | Code::Unknown => Self::OutcomeUnknown,
            Code::Unavailable => Self::Unavailable,
            Code::ResourceExhausted => Self::Quota,
            Code::InvalidArgument
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Internal
            | Code::DataLoss => Self::Error,
        }
    }

    /// For a server that could not be reached. Nothing was sent.
    pub fn of_dial(error: &DialError) -> Self {
        match error {
            DialError::Address { .. } | DialError::Own { .. } => Self::Error,
            DialError::Unreachable { .. } | DialError::TimedOut { .. } => Self::Unavailable,
            DialError::Handshake { .. } => Self::Denied,
        }
    }
}

#[cfg(test)]
mod tests {
    use catalog_model::refusal::Refusal;
    use luqiao_transport::status;

    use super::*;

    #[test]
    fn numbers_are_the_documented_ones() {
        let numbers = Exit::ALL.map(Exit::number);
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130]);
    }

    #[test]
    fn reasons_end_as_the_table_says() {
        let check = |reason, expected| {
            let status = status::of(&Refusal::new(reason), catalog_model::reason::Lang::En);
            assert_eq!(Exit::of_problem(&Problem::from_status(&status)), expected, "{reason}");
        };
        check(Reason::NotFound, Exit::NotFound);
        check(Reason::OrganizationUnknown, Exit::NotFound);
        check(Reason::CertificateMissing, Exit::Denied);
        check(Reason::NotTheDecider, Exit::Denied);
        check(Reason::NotShared, Exit::Denied);
        check(Reason::EtagMismatch, Exit::Conflict);
        check(Reason::RequestIdReused, Exit::Conflict);
        check(Reason::EntryLinksMissing, Exit::Conflict);
        check(Reason::AlreadyExists, Exit::Conflict);
        check(Reason::OutcomeUnknown, Exit::OutcomeUnknown);
        check(Reason::TimedOut, Exit::OutcomeUnknown);
        check(Reason::NoLeader, Exit::Unavailable);
        check(Reason::Draining, Exit::Unavailable);
        check(Reason::Overloaded, Exit::Quota);
        check(Reason::ScenarioMissing, Exit::Error);
        check(Reason::Internal, Exit::Error);
    }

    #[test]
    fn no_refusal_ends_as_success_or_as_a_wrong_command_line() {
        for reason in Reason::ALL {
            let exit = Exit::of_code(status::code(*reason));
            assert!(
                !matches!(exit, Exit::Ok | Exit::Usage | Exit::Interrupted),
                "{reason}: {exit:?}"
            );
        }
    }
}

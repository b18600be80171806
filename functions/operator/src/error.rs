//! Why a command was not carried out, in words for the operator.

use lambda_runtime::Diagnostic;
use shared::{error::Causes, id::Cuid, store::StoreError};

/// Why a command was not carried out. Nothing was changed.
pub enum OperatorError {
    /// The command, or one of its fields, is not as it should be.
    Invalid {
        /// What is wrong, all of it at once.
        told: String,
        /// The same for the log, without names that the caller made up: they could be anything.
        logged: String,
    },
    /// The caller may not give this command; the text says which, and by which name it called.
    NotAllowed(String),
    /// There is no such record; the text says which kind.
    NotFound(&'static str),
    /// The address belongs to another customer of the App.
    AddressTaken {
        /// The customer who has it.
        cuid: Cuid,
    },
    /// A dependency failed.
    Failed(StoreError),
}

impl OperatorError {
    /// What is wrong, in words that the log may have too.
    #[must_use]
    pub fn invalid(message: &str) -> Self {
        Self::Invalid { told: message.to_owned(), logged: message.to_owned() }
    }

    /// Writes the line of a command that was not carried out. `command` is what it is called, if there is one of that name.
    pub(crate) fn log(&self, request_id: &str, command: Option<&str>) {
        let refused = |cause: &str| {
            tracing::warn!(request_id, command, step = "The command was refused.", cause, "refused");
        };
        match self {
            Self::Invalid { logged, .. } => refused(logged),
            Self::NotAllowed(message) => refused(message),
            Self::NotFound(what) => refused(&format!("No such {what}.")),
            Self::AddressTaken { cuid } => refused(&format!("The customer {cuid} has that address.")),
            Self::Failed(cause) => {
                let cause = Causes(&**cause);
                tracing::error!(request_id, command, step = FAILED, cause = %cause, "failed");
            }
        }
    }
}

const FAILED: &str = "The command could not be carried out. Try again later.";

/// For tests and the fuzzer. A dependency's error in full would hold the request, addresses among it.
impl std::fmt::Debug for OperatorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid { logged, .. } => write!(f, "Invalid({logged})"),
            Self::NotAllowed(message) => write!(f, "NotAllowed({message})"),
            Self::NotFound(what) => write!(f, "NotFound({what})"),
            Self::AddressTaken { cuid } => write!(f, "AddressTaken({cuid})"),
            Self::Failed(_) => f.write_str("Failed(…)"),
        }
    }
}

impl From<StoreError> for OperatorError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<getrandom::Error> for OperatorError {
    fn from(error: getrandom::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// As Lambda reports it: a stable `errorType`, and what the operator reads.
impl From<OperatorError> for Diagnostic {
    fn from(error: OperatorError) -> Self {
        let (error_type, error_message) = match error {
            OperatorError::Invalid { told, .. } => ("InvalidCommand", told),
            OperatorError::NotAllowed(message) => ("NotAllowed", message),
            OperatorError::NotFound(what) => ("NotFound", format!("No such {what}.")),
            OperatorError::AddressTaken { cuid } => {
                ("AddressTaken", format!("The customer {cuid} of this App has that address."))
            }
            OperatorError::Failed(_) => ("Failed", FAILED.to_owned()),
        };
        Self { error_type: error_type.to_owned(), error_message }
    }
}

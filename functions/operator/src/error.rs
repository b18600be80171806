//! Why a command was not carried out, in words for the operator.

use lambda_runtime::Diagnostic;
use shared::{id::Cuid, store::StoreError};

/// Why a command was not carried out. Nothing was changed.
pub enum OperatorError {
    /// The command, or one of its fields, is not as it should be; the text says which, all of them at once.
    Invalid(String),
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

/// The runtime logs this. A dependency's error in full would hold the request, addresses among it.
impl std::fmt::Debug for OperatorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid(message) => write!(f, "Invalid({message})"),
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
            OperatorError::Invalid(message) => ("InvalidCommand", message),
            OperatorError::NotAllowed(message) => ("NotAllowed", message),
            OperatorError::NotFound(what) => ("NotFound", format!("No such {what}.")),
            OperatorError::AddressTaken { cuid } => {
                ("AddressTaken", format!("The customer {cuid} of this App has that address."))
            }
            OperatorError::Failed(_) => ("Failed", "The command could not be carried out. Try again later.".to_owned()),
        };
        Self { error_type: error_type.to_owned(), error_message }
    }
}

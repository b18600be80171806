//! The operator's commands: Apps, platforms and customers, for whoever may invoke this function by IAM.
//!
//! One flat JSON object a call, one back. What cannot be done is a function error that says why, and changes nothing.

mod apps;
mod customers;
mod error;
mod fields;
mod list;
mod platforms;
mod rights;
mod tokens;
mod values;

use aws_config::SdkConfig;
pub use error::OperatorError;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use shared::{Clock, Store, audit, error::Causes, fields::Fields, status::Status, store::Table};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Apps, Customers, Directory, Credentials and Passcodes.
    pub store: Store,
    /// The time.
    pub clock: Clock,
}

impl Deps {
    /// Reads the settings.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, lambda_runtime::Error> {
        let tables = [Table::Apps, Table::Customers, Table::Directory, Table::Credentials, Table::Passcodes];
        Ok(Self { store: Store::from_env(sdk, &tables)?, clock: Clock::system() })
    }
}

/// What a command came to.
struct Done {
    answer: Value,
    /// The key or `cuid` that it changed; nothing for a command that only shows.
    changed: Option<String>,
}

impl Done {
    const fn shown(answer: Value) -> Self {
        Self { answer, changed: None }
    }

    fn changed(subject: &str, answer: Value) -> Self {
        Self { answer, changed: Some(subject.to_owned()) }
    }
}

/// Answers one command.
///
/// # Errors
/// [`OperatorError`] for an unknown command, one that the caller may not give, a bad or unknown field, a record that is
/// missing, or a failed dependency.
pub async fn handle(deps: &Deps, event: LambdaEvent<Value>) -> Result<Value, OperatorError> {
    let (command, fields) = fields::command(event.payload)?;
    rights::check(&event.context.invoked_function_arn, &command)?;
    // Boxed: the futures of all commands in one are too deep for the compiler.
    let done = Box::pin(dispatch(deps, &command, fields)).await.inspect_err(|error| {
        if let OperatorError::Failed(cause) = error {
            let cause = Causes(&**cause);
            tracing::error!(request_id = event.context.request_id, command, cause = %cause, "failed");
        }
    })?;
    if let Some(subject) = &done.changed {
        audit::log_command(&event.context.request_id, &command, subject);
    }
    Ok(done.answer)
}

async fn dispatch(deps: &Deps, command: &str, fields: Fields) -> Result<Done, OperatorError> {
    match command {
        "create_app" => apps::create(deps, fields).await,
        "show_app" => apps::show(deps, fields).await,
        "change_app" => apps::change(deps, fields).await,
        "suspend_app" => apps::set_status(deps, fields, Status::Suspended).await,
        "resume_app" => apps::set_status(deps, fields, Status::Active).await,
        "list_apps" => list::apps(deps, fields).await,
        "create_platform" => platforms::create(deps, fields).await,
        "show_platform" => platforms::show(deps, fields).await,
        "change_platform" => platforms::change(deps, fields).await,
        "suspend_platform" => platforms::set_status(deps, fields, Status::Suspended).await,
        "resume_platform" => platforms::set_status(deps, fields, Status::Active).await,
        "list_platforms" => list::platforms(deps, fields).await,
        "rotate_token" => tokens::rotate(deps, fields).await,
        "show_customer" => customers::show(deps, fields).await,
        "change_customer" => customers::change(deps, fields).await,
        "suspend_customer" => customers::set_status(deps, fields, Status::Suspended).await,
        "resume_customer" => customers::set_status(deps, fields, Status::Active).await,
        "revoke_credentials" => customers::revoke(deps, fields).await,
        "erase_customer" => customers::erase(deps, fields).await,
        _ => Err(OperatorError::Invalid("Unknown command.".to_owned())),
    }
}

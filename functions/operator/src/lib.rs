//! The operator's commands: Apps, platforms and customers, for whoever may invoke this function by IAM.
//!
//! One flat JSON object a call, one back. What cannot be done is a function error that says why, and changes nothing.

mod apps;
mod customers;
mod error;
mod fields;
mod list;
mod platforms;
mod records;
mod rights;
mod sending;
mod ses;
mod tokens;
mod values;

use aws_config::SdkConfig;
pub use error::OperatorError;
use fields::Given;
use lambda_runtime::{Context, LambdaEvent};
use operator_commands::{Command, Effect, Id};
use serde_json::Value;
pub use ses::Ses;
use shared::{
    Clock, Store, audit,
    fields::{Fields, Sent},
    status::Status,
    store::{StoreError, Table},
};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Apps, Customers, Directory, Credentials and Passcodes.
    pub store: Store,
    /// Apps' tenants and senders, and the addresses that SES mails nothing to.
    pub ses: Ses,
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
        Ok(Self { store: Store::from_env(sdk, &tables)?, ses: Ses::from_env(sdk)?, clock: Clock::system() })
    }
}

/// What a command came to.
struct Done {
    answer: Value,
    /// The keys or the `cuid` of what it changed, or of the person whom it showed; nothing else has to be accounted for.
    subjects: Vec<String>,
    /// Why it did not do all of it. What is missing, another command does.
    unfinished: Option<StoreError>,
}

impl Done {
    /// What is no person's was shown.
    const fn shown(answer: Value) -> Self {
        Self { answer, subjects: Vec::new(), unfinished: None }
    }

    /// This was changed, or this person shown.
    fn with(subject: &str, answer: Value) -> Self {
        Self { answer, subjects: vec![subject.to_owned()], unfinished: None }
    }
}

/// Answers one command.
///
/// # Errors
/// [`OperatorError`] for an unknown command, one that the caller may not give, a bad or unknown field, a record that is
/// missing, or a failed dependency.
pub async fn handle(deps: &Deps, event: LambdaEvent<Sent>) -> Result<Value, OperatorError> {
    let LambdaEvent { payload, context } = event;
    let given = fields::command(payload).inspect_err(|error| error.log(&context.request_id, None))?;
    let Given { command, fields, changes } = given;
    let log = |error: &OperatorError| error.log(&context.request_id, Some(command.name));
    rights::check(&context.invoked_function_arn, command).inspect_err(log)?;
    // Boxed: the futures of all commands in one are too deep for the compiler.
    let done = Box::pin(dispatch(deps, command.id, fields)).await.inspect_err(log)?;
    for subject in &done.subjects {
        account_for(command, subject, &changes, &context);
    }
    if let Some(cause) = done.unfinished {
        log(&OperatorError::Failed(cause));
    }
    Ok(done.answer)
}

/// Writes the line of the audit log. Of the caller, Lambda tells the name by which the function was called, and a Cognito
/// identity where there is one; `CloudTrail` has the principal under the same request id.
fn account_for(command: &Command, subject: &str, changes: &str, context: &Context) {
    let changes = (command.effect != Effect::Reads && !changes.is_empty()).then_some(changes);
    let arn = &*context.invoked_function_arn;
    let called_as = arn.split_once(":function:").map_or(arn, |(_, name)| name);
    let identity = context.identity.as_ref().map(|identity| &*identity.identity_id);
    let request_id = &*context.request_id;
    tracing::info!(
        target: audit::TARGET, event = command.name, request_id, subject, changes, called_as, identity, "audit"
    );
}

async fn dispatch(deps: &Deps, command: Id, fields: Fields) -> Result<Done, OperatorError> {
    match command {
        Id::CreateApp => apps::create(deps, fields).await,
        Id::ShowApp => apps::show(deps, fields).await,
        Id::ChangeApp => apps::change(deps, fields).await,
        Id::SuspendApp => apps::set_status(deps, fields, Status::Suspended).await,
        Id::ResumeApp => apps::set_status(deps, fields, Status::Active).await,
        Id::SuspendMail => sending::set_suspended(deps, fields, true).await,
        Id::ResumeMail => sending::set_suspended(deps, fields, false).await,
        Id::SetSender => sending::set_sender(deps, fields).await,
        Id::MakeTenants => sending::make_tenants(deps, fields).await,
        Id::ListApps => list::apps(deps, fields).await,
        Id::CreatePlatform => platforms::create(deps, fields).await,
        Id::ShowPlatform => platforms::show(deps, fields).await,
        Id::ChangePlatform => platforms::change(deps, fields).await,
        Id::SuspendPlatform => platforms::set_status(deps, fields, Status::Suspended).await,
        Id::ResumePlatform => platforms::set_status(deps, fields, Status::Active).await,
        Id::ListPlatforms => list::platforms(deps, fields).await,
        Id::RotateToken => tokens::rotate(deps, fields).await,
        Id::MendCopies => records::mend(deps, fields).await,
        Id::FindCustomer => customers::find(deps, fields).await,
        Id::ShowCustomer => customers::show(deps, fields).await,
        Id::ChangeCustomer => customers::change(deps, fields).await,
        Id::SuspendCustomer => customers::set_status(deps, fields, Status::Suspended).await,
        Id::ResumeCustomer => customers::set_status(deps, fields, Status::Active).await,
        Id::RevokeCredentials => customers::revoke(deps, fields).await,
        Id::AllowMail => customers::allow_mail(deps, fields).await,
        Id::ResetLimits => customers::reset_limits(deps, fields).await,
        Id::EraseCustomer => customers::erase(deps, fields).await,
    }
}

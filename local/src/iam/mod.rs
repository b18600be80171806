//! IAM: whether a function's own statements in the template allow a call, asked before every call.
//!
//! The evaluation is iam-rs's. What a call needs is said here, service by service; callers that are no function (a
//! developer's own tools) may do anything.

mod dynamodb;
mod ses;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Write,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, bail};
pub use dynamodb::needs as dynamodb_needs;
use iam_rs::{Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, Principal, PrincipalId, evaluate_policy};
use serde_json::{Value, json};
pub use ses::{
    association_needs as ses_association_needs, identity_needs as ses_identity_needs, needs as ses_needs,
    new_identity_needs as ses_new_identity_needs, tenant_needs as ses_tenant_needs,
    without_resource as ses_without_resource,
};

use crate::template::{ACCOUNT, Function};

/// One permission that a call needs: the action on any one of these resources, under these condition keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    action: String,
    resources: Vec<String>,
    context: BTreeMap<String, String>,
}

/// What a statement grants to a function: one action on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The function.
    pub function: String,
    /// Such as `dynamodb:PutItem`.
    pub action: String,
    /// An ARN, or a pattern of ARNs, as the statement has it.
    pub resource: String,
}

impl std::fmt::Display for Permission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.function, self.action, self.resource)
    }
}

/// A call that the policies do not allow, in AWS's words.
#[derive(Debug)]
pub struct Denied(pub String);

/// A function's policy as a whole, and each of its statements as if it were alone.
struct Policy {
    whole: IAMPolicy,
    statements: Vec<(Value, IAMPolicy)>,
}

impl Policy {
    fn of(function: &Function) -> Result<Self> {
        let parsed = |statements: &[Value]| {
            let policy = serde_json::from_value(json!({ "Version": "2012-10-17", "Statement": statements }));
            policy.with_context(|| format!("the policy of {} cannot be read", function.name))
        };
        let one = |statement: &Value| Ok((statement.clone(), parsed(std::slice::from_ref(statement))?));
        let statements = function.statements.iter().map(one).collect::<Result<_>>()?;
        Ok(Self { whole: parsed(&function.statements)?, statements })
    }
}

/// Every function's policy, and what was used of it.
#[derive(Clone, Default)]
pub struct Policies {
    by_function: Arc<BTreeMap<String, Policy>>,
    used: Arc<Mutex<BTreeSet<Permission>>>,
    record: Option<Arc<File>>,
}

impl Policies {
    /// The policies of these functions. Each permission is noted in the file `record`, a line each, when it is first
    /// used; several systems may share the file.
    ///
    /// # Errors
    /// A statement that is no IAM statement, or a file that cannot be written.
    pub fn new(functions: &[Function], record: Option<&Path>) -> Result<Self> {
        let by_function = functions.iter().map(|function| Ok((function.name.clone(), Policy::of(function)?)));
        let open = |path: &Path| {
            let file = File::options().create(true).append(true).open(path);
            file.with_context(|| format!("cannot write {}", path.display()))
        };
        Ok(Self {
            by_function: Arc::new(by_function.collect::<Result<_>>()?),
            used: Arc::default(),
            record: record.map(open).transpose()?.map(Arc::new),
        })
    }

    /// Whether the caller has every permission that a call needs, and by which statements.
    ///
    /// # Errors
    /// [`Denied`] with AWS's message on the first that is missing.
    pub fn check(&self, function: Option<&str>, needs: &[Need]) -> Result<Vec<Value>, Denied> {
        let Some(function) = function else { return Ok(Vec::new()) };
        let mut allowed_by = Vec::new();
        for need in needs {
            let grants = need.resources.iter().filter_map(|resource| self.grant(function, need, resource));
            let grant = grants.min_by_key(|(_, number, _)| *number);
            let Some((permission, number, statement)) = grant else { return Err(denied(function, need)) };
            let Permission { action, resource, .. } = &permission;
            let number = number + 1;
            allowed_by
                .push(json!({ "number": number, "action": action, "resource": resource, "statement": statement }));
            self.note(permission);
        }
        Ok(allowed_by)
    }

    /// The statement that allows this, its place in the function's policy, and what of it.
    fn grant(&self, function: &str, need: &Need, resource: &str) -> Option<(Permission, usize, &Value)> {
        let policy = self.by_function.get(function)?;
        if !allows(&policy.whole, function, need, resource) {
            return None;
        }
        let alone = |(_, (_, alone)): &(usize, &(Value, IAMPolicy))| allows(alone, function, need, resource);
        let (number, (statement, _)) = policy.statements.iter().enumerate().find(alone)?;
        let listed = |list: &Value| match list {
            Value::Array(list) => list.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect(),
            one => one.as_str().map(|it| vec![it.to_owned()]).unwrap_or_default(),
        };
        let named = |list: &Value, wanted: &str| listed(list).into_iter().find(|it| Arn::wildcard_match(wanted, it));
        let (action, resource) = (named(&statement["Action"], &need.action)?, named(&statement["Resource"], resource)?);
        Some((Permission { function: function.to_owned(), action, resource }, number, statement))
    }

    fn note(&self, permission: Permission) {
        let line = format!("{permission}\n");
        let is_new = self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(permission);
        if let Some(mut record) = self.record.as_deref().filter(|_| is_new) {
            // One write a line, so that lines of several systems do not mix. What cannot be noted is reported as unused.
            let _ = record.write_all(line.as_bytes());
        }
    }

    /// Every permission that was used so far.
    #[must_use]
    pub fn used(&self) -> BTreeSet<Permission> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn allows(policy: &IAMPolicy, function: &str, need: &Need, resource: &str) -> bool {
    // Whoever asks for no resource in particular is allowed by a statement for all of them alone.
    let resource = if resource == "*" { "arn:aws:none:::none" } else { resource };
    let Ok(arn) = Arn::parse(resource) else { return false };
    let mut context = Context::new();
    for (key, value) in &need.context {
        context.insert(key.clone(), ContextValue::String(value.clone()));
    }
    let principal = Principal::Aws(PrincipalId::String(role(function)));
    let request = IAMRequest::new_with_context(principal, need.action.clone(), arn, context);
    matches!(evaluate_policy(policy, &request), Ok(Decision::Allow))
}

/// Every permission that the statements of these functions grant.
///
/// # Errors
/// A statement that is wider than an exact action on an exact resource, or that does anything but allow. A tenant's ARN holds
/// an id that nobody can know before, and partners' domains have no names in common: tenants may be named by the stack's, and
/// identities be all those with the stack's tag or its tenants.
pub fn granted(functions: &[Function]) -> Result<BTreeSet<Permission>> {
    let mut granted = BTreeSet::new();
    for function in functions {
        for statement in &function.statements {
            let several = |name: &str| match &statement[name] {
                Value::String(one) => Ok(vec![one.clone()]),
                Value::Array(list) => Ok(list.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()),
                _ => bail!("a statement of {} has no {name}", function.name),
            };
            if statement["Effect"] != "Allow" {
                bail!("a statement of {} does not allow", function.name);
            }
            for action in several("Action")? {
                for resource in several("Resource")? {
                    let permission = Permission { function: function.name.clone(), action: action.clone(), resource };
                    let is_narrow =
                        !permission.resource.contains('*') || ses::is_as_narrow_as_it_can_be(&permission, statement);
                    if permission.action.contains('*') || !is_narrow {
                        bail!("{permission} is wider than one action on one resource");
                    }
                    granted.insert(permission);
                }
            }
        }
    }
    Ok(granted)
}

fn role(function: &str) -> String {
    format!("arn:aws:sts::{ACCOUNT}:assumed-role/{function}/{function}")
}

fn denied(function: &str, need: &Need) -> Denied {
    let resource = need.resources.first().map(String::as_str).unwrap_or_default();
    let action = &need.action;
    Denied(format!(
        "User: {} is not authorized to perform: {action} on resource: {resource} because no identity-based policy \
         allows the {action} action",
        role(function)
    ))
}

#[cfg(test)]
mod tests;

//! What calls of SES need, and with which resources.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Need, Permission};
use crate::mailbox::{Account, arn};

/// The actions that a statement grants on all resources: SES knows none of a list, and a tenant's ARN holds an id that it has
/// only once it is made.
pub const WITHOUT_RESOURCE: [&str; 2] = ["ses:DeleteSuppressedDestination", "ses:CreateTenant"];

/// Whether a permission on more than one resource cannot be narrower.
#[must_use]
pub fn is_as_narrow_as_it_can_be(permission: &Permission, statement: &Value) -> bool {
    let Permission { action, resource, .. } = permission;
    let conditions = statement["Condition"].as_object().into_iter().flatten();
    let mut keys = conditions.filter(|(operator, _)| !operator.ends_with("IfExists"));
    let by_tag = |key: &str| key.starts_with("aws:ResourceTag/") || key.starts_with("aws:RequestTag/");
    let is_ours = |key: &str| by_tag(key) || key == "ses:TenantName";
    match resource.strip_prefix(&arn("")) {
        None => WITHOUT_RESOURCE.contains(&&**action) && resource == "*",
        Some("identity/*") => keys.any(|(_, it)| it.as_object().into_iter().flatten().any(|(key, _)| is_ours(key))),
        Some(name) => name
            .strip_prefix("tenant/")
            .and_then(|name| name.strip_suffix("_*/*"))
            .is_some_and(|stack| !stack.is_empty() && !stack.contains('*')),
    }
}

/// The permissions that sending this mail needs: on the sender's identity, which is its address or its domain, and on the
/// configuration set.
#[must_use]
pub fn needs(request: &Value) -> Vec<Need> {
    let from = request["FromEmailAddress"].as_str().unwrap_or_default();
    let address = from.rsplit_once('<').map_or(from, |(_, rest)| rest.trim_end_matches('>'));
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let mut context = BTreeMap::from([("ses:FromAddress".to_owned(), address.to_owned())]);
    context.extend(request["TenantName"].as_str().map(|name| ("ses:TenantName".to_owned(), name.to_owned())));
    let need = |resources| Need { action: "ses:SendEmail".to_owned(), resources, context: context.clone() };
    let mut needs = vec![need(vec![arn(&format!("identity/{address}")), arn(&format!("identity/{domain}"))])];
    let set = request["ConfigurationSetName"].as_str();
    needs.extend(set.map(|set| need(vec![arn(&format!("configuration-set/{set}"))])));
    needs
}

/// The permission for an action that has no resource.
#[must_use]
pub fn without_resource(action: &str) -> Vec<Need> {
    vec![Need { action: action.to_owned(), resources: vec!["*".to_owned()], context: BTreeMap::new() }]
}

/// The permission for an action on a tenant.
#[must_use]
pub fn tenant_needs(action: &str, account: &Account, name: &str) -> Vec<Need> {
    let resource = match account.tenant(name) {
        Some(tenant) => tenant.arn(name),
        None => arn(&format!("tenant/{name}/none")),
    };
    vec![Need { action: action.to_owned(), resources: vec![resource], context: BTreeMap::new() }]
}

/// The permissions for an association: on both ends.
#[must_use]
pub fn association_needs(account: &Account, tenant: &str, resource: &str) -> Vec<Need> {
    let action = "ses:CreateTenantResourceAssociation";
    let mut needs = tenant_needs(action, account, tenant);
    let identity = resource.strip_prefix(&arn("identity/")).unwrap_or_default();
    let context = tags("aws:ResourceTag", account.identity(identity).map(|identity| identity.tags).unwrap_or_default());
    needs.push(Need { action: action.to_owned(), resources: vec![resource.to_owned()], context });
    needs
}

/// The permission for an action on an identity, whose tags count.
#[must_use]
pub fn identity_needs(action: &str, account: &Account, name: &str) -> Vec<Need> {
    let context = tags("aws:ResourceTag", account.identity(name).map(|identity| identity.tags).unwrap_or_default());
    vec![Need { action: action.to_owned(), resources: vec![arn(&format!("identity/{name}"))], context }]
}

/// The permissions for a new identity: to make it, and to tag it.
#[must_use]
pub fn new_identity_needs(account: &Account, name: &str, asked: &BTreeMap<String, String>) -> Vec<Need> {
    let actions = ["ses:CreateEmailIdentity", "ses:TagResource"].into_iter().take(if asked.is_empty() { 1 } else { 2 });
    let mut needs: Vec<Need> = actions.flat_map(|action| identity_needs(action, account, name)).collect();
    for need in &mut needs {
        need.context.extend(tags("aws:RequestTag", asked.clone()));
    }
    needs
}

fn tags(key: &str, tags: BTreeMap<String, String>) -> BTreeMap<String, String> {
    tags.into_iter().map(|(name, value)| (format!("{key}/{name}"), value)).collect()
}

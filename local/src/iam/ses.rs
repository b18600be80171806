//! What `SendEmail` needs: the sender's identity, which is its address or its domain, and the configuration set.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Need;
use crate::template::{ACCOUNT, REGION};

/// The actions for which SES knows no resource, so that a statement names all of them.
pub const WITHOUT_RESOURCE: [&str; 1] = ["ses:DeleteSuppressedDestination"];

/// The permissions that sending this mail needs.
#[must_use]
pub fn needs(request: &Value) -> Vec<Need> {
    let from = request["FromEmailAddress"].as_str().unwrap_or_default();
    let address = from.rsplit_once('<').map_or(from, |(_, rest)| rest.trim_end_matches('>'));
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let context = BTreeMap::from([("ses:FromAddress".to_owned(), address.to_owned())]);
    let arn = |kind: &str, name: &str| format!("arn:aws:ses:{REGION}:{ACCOUNT}:{kind}/{name}");
    let need = |resources| Need { action: "ses:SendEmail".to_owned(), resources, context: context.clone() };
    let mut needs = vec![need(vec![arn("identity", address), arn("identity", domain)])];
    needs.extend(request["ConfigurationSetName"].as_str().map(|set| need(vec![arn("configuration-set", set)])));
    needs
}

/// The permission that a change of the suppression list needs: the list has no ARN.
#[must_use]
pub fn list_needs() -> Vec<Need> {
    let [action] = WITHOUT_RESOURCE;
    vec![Need { action: action.to_owned(), resources: vec!["*".to_owned()], context: BTreeMap::new() }]
}

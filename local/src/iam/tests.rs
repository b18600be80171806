use std::time::Duration;

use serde_json::{Value, json};

use super::{Policies, dynamodb_needs, granted, ses_needs};
use crate::template::Function;

const APPS: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/Apps";

fn function(statements: &Value) -> Function {
    Function {
        name: "f".to_owned(),
        environment: std::collections::BTreeMap::new(),
        timeout: Duration::from_secs(1),
        memory_mb: 128,
        routes: Vec::new(),
        statements: statements.as_array().unwrap().clone(),
        aliases: Vec::new(),
    }
}

fn policies(statements: &Value) -> Policies {
    Policies::new(&[function(statements)], None).unwrap()
}

fn allow(actions: &Value, resource: &str) -> Value {
    json!([{ "Effect": "Allow", "Action": actions, "Resource": resource }])
}

#[test]
fn an_action_is_allowed_on_the_table_that_the_statement_names() {
    let policies = policies(&allow(&json!(["dynamodb:BatchGetItem"]), APPS));
    let get = |table: &str| dynamodb_needs("BatchGetItem", &json!({ "RequestItems": { table: {} } }));
    assert!(policies.check(Some("f"), &get("Apps")).is_ok());
    assert_eq!(policies.used().len(), 1);
    for refused in [get("App"), get("Apps2"), dynamodb_needs("GetItem", &json!({ "TableName": "Apps" }))] {
        assert!(policies.check(Some("f"), &refused).is_err(), "{refused:?}");
    }
    assert_eq!(policies.used().len(), 1, "what was refused was not used");
}

#[test]
fn a_refusal_has_the_words_of_aws() {
    let denied = policies(&json!([])).check(Some("f"), &dynamodb_needs("Scan", &json!({ "TableName": "Apps" })));
    assert_eq!(
        denied.unwrap_err().0,
        "User: arn:aws:sts::123456789012:assumed-role/f/f is not authorized to perform: dynamodb:Scan on resource: \
         arn:aws:dynamodb:eu-west-1:123456789012:table/Apps because no identity-based policy allows the dynamodb:Scan \
         action"
    );
}

#[test]
fn a_transaction_needs_the_permission_of_each_of_its_items() {
    let transaction = json!({ "TransactItems": [
        { "Put": { "TableName": "Apps" } }, { "ConditionCheck": { "TableName": "Apps" } },
    ] });
    let needs = dynamodb_needs("TransactWriteItems", &transaction);
    assert!(
        policies(&allow(&json!(["dynamodb:PutItem", "dynamodb:ConditionCheckItem"]), APPS))
            .check(Some("f"), &needs)
            .is_ok()
    );
    assert!(policies(&allow(&json!(["dynamodb:PutItem"]), APPS)).check(Some("f"), &needs).is_err());
    assert!(policies(&allow(&json!(["dynamodb:TransactWriteItems"]), APPS)).check(Some("f"), &needs).is_err());
}

#[test]
fn a_batch_needs_its_permission_on_each_of_its_tables() {
    let needs = dynamodb_needs("BatchGetItem", &json!({ "RequestItems": { "Apps": {}, "Other": {} } }));
    assert!(policies(&allow(&json!("dynamodb:BatchGetItem"), APPS)).check(Some("f"), &needs).is_err());
}

#[test]
fn mail_goes_from_the_address_of_the_condition_alone() {
    let statement = json!([{
        "Effect": "Allow",
        "Action": "ses:SendEmail",
        "Resource": ["arn:aws:ses:eu-west-1:123456789012:identity/example.com", "arn:aws:ses:eu-west-1:123456789012:configuration-set/c"],
        "Condition": { "StringEquals": { "ses:FromAddress": "no-reply@example.com" } },
    }]);
    let from = |from: &str, set: &str| ses_needs(&json!({ "FromEmailAddress": from, "ConfigurationSetName": set }));
    let policies = policies(&statement);
    assert!(policies.check(Some("f"), &from("\"ATOM\" <no-reply@example.com>", "c")).is_ok());
    assert!(policies.check(Some("f"), &from("ceo@example.com", "c")).is_err());
    assert!(policies.check(Some("f"), &from("no-reply@example.com", "d")).is_err());
    assert!(policies.check(Some("f"), &from("no-reply@example.org", "c")).is_err());
}

#[test]
fn a_denial_wins() {
    let mut statements = allow(&json!("dynamodb:Scan"), APPS).as_array().unwrap().clone();
    statements.push(json!({ "Effect": "Deny", "Action": "dynamodb:*", "Resource": "*" }));
    let needs = dynamodb_needs("Scan", &json!({ "TableName": "Apps" }));
    assert!(policies(&json!(statements)).check(Some("f"), &needs).is_err());
}

#[test]
fn whoever_is_no_function_may_do_anything() {
    assert!(policies(&json!([])).check(None, &dynamodb_needs("Scan", &json!({ "TableName": "Apps" }))).is_ok());
}

#[test]
fn what_is_granted_is_exact() {
    let of = |statements: &Value| granted(&[function(statements)]);
    assert_eq!(of(&allow(&json!(["dynamodb:Scan", "dynamodb:PutItem"]), APPS)).unwrap().len(), 2);
    assert!(of(&allow(&json!("dynamodb:*"), APPS)).is_err());
    assert!(of(&allow(&json!("dynamodb:Scan"), "*")).is_err());
    assert!(of(&json!([{ "Effect": "Deny", "Action": "dynamodb:Scan", "Resource": APPS }])).is_err());
}

#[test]
fn what_cannot_be_exact_is_narrowed_by_the_stacks_name() {
    let of = |action: &str, resource: &str, condition: Value| {
        let resource = format!("arn:aws:ses:eu-west-1:123456789012:{resource}");
        let statement = json!({ "Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition });
        granted(&[function(&json!([statement]))])
    };
    let by = |operator: &str, key: &str| json!({ operator: { key: "local*" } });
    assert!(of("ses:GetTenant", "tenant/local_*/*", json!({})).is_ok());
    for tenants in ["tenant/*/*", "tenant/local*", "tenant/*_*/*", "*"] {
        assert!(of("ses:GetTenant", tenants, json!({})).is_err(), "{tenants}");
    }
    for key in ["ses:TenantName", "aws:ResourceTag/AtomCustomers", "aws:RequestTag/AtomCustomers"] {
        assert!(of("ses:SendEmail", "identity/*", by("StringLike", key)).is_ok(), "{key}");
        assert!(of("ses:SendEmail", "identity/*", by("StringEqualsIfExists", key)).is_err(), "{key}");
        assert!(of("ses:SendEmail", "configuration-set/*", by("StringLike", key)).is_err(), "{key}");
    }
    assert!(of("ses:SendEmail", "identity/*", json!({})).is_err());
    assert!(of("ses:SendEmail", "identity/*", by("StringEquals", "ses:FromAddress")).is_err());
}

#[test]
fn a_pattern_that_was_used_is_noted_as_the_statement_has_it() {
    let arn = |name: &str| format!("arn:aws:ses:eu-west-1:123456789012:{name}");
    let policies = policies(&json!([
        { "Effect": "Allow", "Action": "ses:SendEmail", "Resource": arn("identity/atom.example") },
        {
            "Effect": "Allow", "Action": "ses:SendEmail", "Resource": arn("identity/*"),
            "Condition": { "StringLike": { "ses:TenantName": "local_*" } },
        },
    ]));
    let from = |from: &str, tenant: &str| ses_needs(&json!({ "FromEmailAddress": from, "TenantName": tenant }));
    assert!(policies.check(Some("f"), &from("a@acme.example", "other_a")).is_err());
    assert!(policies.check(Some("f"), &ses_needs(&json!({ "FromEmailAddress": "a@acme.example" }))).is_err());
    assert!(policies.used().is_empty());
    assert!(policies.check(Some("f"), &from("a@acme.example", "local_a")).is_ok());
    let used: Vec<_> = policies.used().into_iter().map(|permission| permission.resource).collect();
    assert_eq!(used, [arn("identity/*")]);
    assert!(policies.check(Some("f"), &from("a@atom.example", "local_a")).is_ok());
    assert_eq!(policies.used().len(), 2, "the exact statement comes first");
}

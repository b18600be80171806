//! The resources of the template that stand for something here: functions, tables and the API's limits.

use super::{Function, Limit, Route, Table, intrinsics::Scope, parameters::scalar};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, time::Duration};

/// Limits by route key.
type Limits = Vec<(String, Limit)>;

/// Whether the resource's condition, if it has one, holds.
pub fn exists(scope: &Scope, resource: &Value) -> Result<bool> {
    resource["Condition"].as_str().map_or(Ok(true), |condition| scope.condition(condition))
}

/// A function from its evaluated properties over the evaluated `Globals`, and the limits on its own routes.
/// `fill` resolves references to secrets.
pub fn function(
    name: String,
    properties: &Value,
    defaults: &Value,
    fill: &mut impl FnMut(&str) -> Result<String>,
) -> Result<(Function, Limits)> {
    let setting = |key: &str| scalar(&properties[key]).or_else(|| scalar(&defaults[key]));
    let number = |key: &str, otherwise: u32| {
        setting(key).map_or(Ok(otherwise), |text| text.parse().with_context(|| format!("{key} is not a number")))
    };
    let mut environment = BTreeMap::new();
    for source in [defaults, properties] {
        for (variable, value) in source["Environment"]["Variables"].as_object().into_iter().flatten() {
            let value = scalar(value).with_context(|| format!("the variable {variable} is not a plain value"))?;
            environment.insert(variable.clone(), fill(&value)?);
        }
    }
    let (routes, limits) = routes(&properties["Events"])?;
    let function = Function {
        name,
        environment,
        // SAM's own defaults.
        timeout: Duration::from_secs(number("Timeout", 3)?.into()),
        memory_mb: number("MemorySize", 128)?,
        routes,
        statements: statements(&properties["Policies"])?,
    };
    Ok((function, limits))
}

fn routes(events: &Value) -> Result<(Vec<Route>, Limits)> {
    let (mut routes, mut limits) = (Vec::new(), Vec::new());
    for (name, event) in events.as_object().into_iter().flatten() {
        match event["Type"].as_str() {
            Some("HttpApi") => {}
            // Nobody sends such events here but by the Invoke API.
            Some("EventBridgeRule") => continue,
            other => bail!("the event {name} is of the type {other:?}, which the local system does not serve"),
        }
        let properties = &event["Properties"];
        let route = match properties["Path"].as_str() {
            None | Some("$default") => Route::Default,
            Some(path) => Route::Path {
                method: properties["Method"]
                    .as_str()
                    .map(str::to_ascii_uppercase)
                    .filter(|method| method != "ANY" && method != "*"),
                path: path.to_owned(),
            },
        };
        limits.extend(limit(&properties["RouteSettings"])?.map(|limit| (route.key(), limit)));
        routes.push(route);
    }
    Ok((routes, limits))
}

/// The statements of a function's own policies. Managed policies and SAM's templates of policies say nothing here
/// that could be evaluated, and are refused.
fn statements(policies: &Value) -> Result<Vec<Value>> {
    let policies = match policies {
        Value::Null => return Ok(Vec::new()),
        Value::Array(policies) => policies.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut statements = Vec::new();
    for policy in policies {
        match &policy["Statement"] {
            Value::Array(several) => statements.extend(several.iter().cloned()),
            one @ Value::Object(_) => statements.push(one.clone()),
            _ => bail!("the policy {policy} has no statement of its own"),
        }
    }
    Ok(statements)
}

/// A table from its evaluated properties.
pub fn table(logical_id: &str, properties: &Value) -> Result<Table> {
    let mut create = Map::from_iter([("TableName".to_owned(), json!(logical_id))]);
    for key in ["KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        if let Some(value) = properties.get(key) {
            create.insert(key.to_owned(), value.clone());
        }
    }
    // Capacity is the one thing that the machine at hand decides.
    create.insert("BillingMode".to_owned(), json!("PAY_PER_REQUEST"));
    let ttl = &properties["TimeToLiveSpecification"];
    let enabled = scalar(&ttl["Enabled"]).is_some_and(|flag| flag == "true");
    let ttl_attribute = if enabled {
        Some(ttl["AttributeName"].as_str().context("TimeToLiveSpecification names no attribute")?.to_owned())
    } else {
        None
    };
    Ok(Table { name: logical_id.to_owned(), create: Value::Object(create), ttl_attribute })
}

/// `RouteSettings`: limits by route key.
pub fn limits(settings: &Value) -> Result<Limits> {
    let settings = settings.as_object().into_iter().flatten();
    settings.filter_map(|(key, value)| limit(value).map(|limit| Some((key.clone(), limit?))).transpose()).collect()
}

/// One route's limit, if the settings have one.
pub fn limit(settings: &Value) -> Result<Option<Limit>> {
    let number = |key: &str| {
        scalar(&settings[key])
            .map(|text| text.parse::<f64>().with_context(|| format!("{key} is not a number")))
            .transpose()
    };
    Ok(match (number("ThrottlingRateLimit")?, number("ThrottlingBurstLimit")?) {
        (Some(rate), Some(burst)) => Some(Limit { rate, burst }),
        (None, None) => None,
        _ => bail!("a limit has ThrottlingRateLimit or ThrottlingBurstLimit, but not both"),
    })
}

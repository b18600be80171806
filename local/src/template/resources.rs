//! The resources of the template that stand for something here: functions, their aliases, tables and the API's limit.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::{Function, Limit, Route, Table, intrinsics::Scope, parameters::scalar};

/// Whether the resource's condition, if it has one, holds.
pub fn exists(scope: &Scope, resource: &Value) -> Result<bool> {
    resource["Condition"].as_str().map_or(Ok(true), |condition| scope.condition(condition))
}

/// A function from its evaluated properties over the evaluated `Globals`.
/// `fill` resolves references to secrets.
pub fn function(
    name: String,
    properties: &Value,
    defaults: &Value,
    fill: &mut impl FnMut(&str) -> Result<String>,
) -> Result<Function> {
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
    Ok(Function {
        name,
        environment,
        // SAM's own defaults.
        timeout: Duration::from_secs(number("Timeout", 3)?.into()),
        memory_mb: number("MemorySize", 128)?,
        routes: routes(&properties["Events"])?,
        statements: statements(&properties["Policies"])?,
        aliases: Vec::new(),
    })
}

/// An alias from its evaluated properties: whose it is, and its name.
pub fn alias(properties: &Value) -> Result<(String, String)> {
    let text =
        |key: &str| properties[key].as_str().map(str::to_owned).with_context(|| format!("an alias has no {key}"));
    // A published version would keep the code and the settings of the day when it was published.
    ensure!(text("FunctionVersion")? == "$LATEST", "an alias is of a published version");
    Ok((text("FunctionName")?, text("Name")?))
}

fn routes(events: &Value) -> Result<Vec<Route>> {
    let mut routes = Vec::new();
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
        ensure!(properties.get("RouteSettings").is_none(), "a route has a limit of its own (RouteSettings)");
        routes.push(route);
    }
    Ok(routes)
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

/// The limit that the API's evaluated properties, over the evaluated `Globals`, give to each route, if they give one.
/// A route with a limit of its own is refused: strangers could use it up and stop that route for everybody.
pub fn limit(properties: &Value, defaults: &Value) -> Result<Option<Limit>> {
    let own = [properties, defaults].iter().any(|source| source.get("RouteSettings").is_some());
    ensure!(!own, "a route has a limit of its own (RouteSettings)");
    let settings = properties.get("DefaultRouteSettings").unwrap_or(&defaults["DefaultRouteSettings"]);
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

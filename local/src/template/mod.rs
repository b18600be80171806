//! What `template.yaml` deploys, as far as one machine can stand for it: functions, routes, tables and limits.
//!
//! Only this module knows CloudFormation; the rest of the crate sees the types below.

mod intrinsics;
mod parameters;
mod resources;
mod secrets;
mod yaml;

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result};
use intrinsics::Scope;
pub use intrinsics::{ACCOUNT, REGION};
pub use secrets::Secrets;
use serde_json::{Map, Value};
pub use yaml::parse;

/// One deployed function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its local name: that of its crate and its binary.
    pub name: String,
    /// What the template puts into its environment, secrets resolved.
    pub environment: BTreeMap<String, String>,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Memory in MB.
    pub memory_mb: u32,
    /// The routes that lead to it; none for the operator.
    pub routes: Vec<Route>,
    /// Its own IAM statements, evaluated.
    pub statements: Vec<Value>,
    /// The other names by which it may be called.
    pub aliases: Vec<String>,
}

/// One route of the HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A method (`None` is `ANY`) and a path such as `/customer/{identifier}`.
    Path { method: Option<String>, path: String },
    /// `$default`: whatever no other route takes.
    Default,
}

impl Route {
    /// API Gateway's own name for the route, as in `routeKey`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Path { method, path } => format!("{} {path}", method.as_deref().unwrap_or("ANY")),
            Self::Default => "$default".to_owned(),
        }
    }
}

/// One DynamoDB table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name here, which is its logical id.
    pub name: String,
    /// The `CreateTable` request that makes it.
    pub create: Value,
    /// The attribute by which items expire.
    pub ttl_attribute: Option<String>,
}

/// A token bucket's size, as in `DefaultRouteSettings`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Requests a second.
    pub rate: f64,
    /// Requests at once.
    pub burst: f64,
}

/// The template, evaluated.
#[derive(Clone, Debug)]
pub struct Template {
    /// Every function, by logical id.
    pub functions: Vec<Function>,
    /// Every table, by logical id.
    pub tables: Vec<Table>,
    /// `DefaultRouteSettings`, where it limits anything: the limit of each route.
    pub limit: Option<Limit>,
}

impl Template {
    /// Reads the template `text` with `overrides` of its parameters.
    ///
    /// # Errors
    /// Whatever is not understood or not allowed, by name.
    pub fn load(text: &str, overrides: &BTreeMap<String, String>, secrets: &mut Secrets) -> Result<Self> {
        let mut root = parse(text)?;
        let mut section = |name: &str| match root[name].take() {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let globals = Value::Object(section("Globals"));
        let scope = Scope {
            parameters: parameters::resolve(&section("Parameters"), overrides)?,
            conditions: section("Conditions"),
            resources: section("Resources"),
        };
        scope.check_rules(&section("Rules"))?;
        let declared = secret_declarations(&scope)?;
        let mut fill = |text: &str| secrets.fill(text, &declared);
        let mut template = Self { functions: Vec::new(), tables: Vec::new(), limit: None };
        let mut aliases = Vec::new();
        for (logical_id, resource) in &scope.resources {
            if !resources::exists(&scope, resource)? {
                continue;
            }
            let properties = || scope.evaluate(&resource["Properties"]).map(Option::unwrap_or_default);
            let read = || -> Result<()> {
                match resource["Type"].as_str() {
                    Some("AWS::Serverless::Function") => {
                        let name = intrinsics::function_name(logical_id, resource)?;
                        let defaults = scope.evaluate(&globals["Function"])?.unwrap_or_default();
                        template.functions.push(resources::function(name, &properties()?, &defaults, &mut fill)?);
                    }
                    Some("AWS::DynamoDB::Table") => template.tables.push(resources::table(logical_id, &properties()?)?),
                    Some("AWS::Serverless::HttpApi") => {
                        let defaults = scope.evaluate(&globals["HttpApi"])?.unwrap_or_default();
                        template.limit = resources::limit(&properties()?, &defaults)?;
                    }
                    Some("AWS::Lambda::Alias") => aliases.push(resources::alias(&properties()?)?),
                    _ => {}
                }
                Ok(())
            };
            let mut read = read;
            read().with_context(|| format!("in the template's {logical_id}"))?;
        }
        for (function, alias) in aliases {
            let known = template.functions.iter_mut().find(|known| known.name == function);
            known.with_context(|| format!("the alias {alias} is of no function"))?.aliases.push(alias);
        }
        Ok(template)
    }
}

/// The secrets that the template declares, evaluated, by logical id.
fn secret_declarations(scope: &Scope) -> Result<Map<String, Value>> {
    scope
        .resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::SecretsManager::Secret")
        .map(|(logical_id, resource)| Ok((logical_id.clone(), scope.evaluate(resource)?.unwrap_or_default())))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use super::{Limit, Route, Secrets, Template};

    const SAMPLE: &str = include_str!("sample.yaml");

    fn load(overrides: &[(&str, &str)]) -> anyhow::Result<Template> {
        let overrides: BTreeMap<String, String> =
            overrides.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Template::load(SAMPLE, &overrides, &mut Secrets::default())
    }

    #[test]
    fn a_function_has_its_environment_routes_and_statements() {
        let template = load(&[]).unwrap();
        let auth = template.functions.iter().find(|function| function.name == "auth").unwrap();
        assert_eq!(auth.timeout, Duration::from_secs(10));
        assert_eq!(auth.memory_mb, 256);
        assert_eq!(auth.environment["APPS_TABLE"], "AppsTable");
        assert_eq!(auth.environment["PASSCODE_TTL_SECONDS"], "600");
        assert!(auth.environment["PEPPER"].starts_with("1:"), "a secret is resolved");
        assert_eq!(auth.environment["PEPPER"].len(), 2 + 64);
        assert!(!auth.environment.contains_key("AWS_CA_BUNDLE"), "AWS::NoValue leaves nothing behind");
        assert_eq!(
            auth.routes,
            [Route::Path { method: Some("GET".into()), path: "/customer/{identifier}/auth".into() }, Route::Default]
        );
        assert_eq!(auth.statements.len(), 1);
        assert_eq!(auth.statements[0]["Resource"], "arn:aws:dynamodb:eu-west-1:123456789012:table/AppsTable");
    }

    #[test]
    fn a_table_has_its_keys_and_its_ttl() {
        let template = load(&[]).unwrap();
        assert_eq!(template.tables.len(), 1, "a resource whose condition fails does not exist");
        assert_eq!(template.tables[0].create["KeySchema"][0]["AttributeName"], "key");
        assert_eq!(template.tables[0].ttl_attribute.as_deref(), Some("ttl"));
    }

    #[test]
    fn the_limit_of_each_route_is_the_apis() {
        assert_eq!(load(&[]).unwrap().limit, Some(Limit { rate: 100.0, burst: 200.0 }));
        let narrower = SAMPLE.replace("DefaultRouteSettings", "RouteSettings");
        let error = Template::load(&narrower, &BTreeMap::new(), &mut Secrets::default()).unwrap_err();
        assert_eq!(format!("{error:#}"), "in the template's Api: a route has a limit of its own (RouteSettings)");
    }

    #[test]
    fn a_function_has_its_aliases() {
        let template = load(&[]).unwrap();
        assert_eq!(template.functions[0].aliases, ["look"]);
    }

    #[test]
    fn a_rule_refuses_parameters_in_its_own_words() {
        let error = load(&[("CaBundle", "relative.pem")]).unwrap_err();
        assert_eq!(error.to_string(), "the bundle is an absolute path");
        assert!(load(&[("CaBundle", "/ca.pem")]).is_ok());
    }

    #[test]
    fn an_override_changes_what_refers_to_it() {
        let template = load(&[("PasscodeTtlSeconds", "5"), ("CaBundle", "/ca.pem")]).unwrap();
        assert_eq!(template.functions[0].environment["PASSCODE_TTL_SECONDS"], "5");
        assert_eq!(template.functions[0].environment["AWS_CA_BUNDLE"], "/ca.pem");
    }
}

//! `Ref`, `Sub`, `GetAtt`, `If`, `Select` and `Split`, and the condition functions, over the template's own parameters
//! and resources.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use super::parameters::scalar;

/// The Region that every local function believes to be in.
pub const REGION: &str = "eu-west-1";
/// The account number that AWS uses in its own examples.
pub const ACCOUNT: &str = "123456789012";

/// What the intrinsic functions look things up in.
pub struct Scope {
    /// Every parameter's value.
    pub parameters: BTreeMap<String, String>,
    /// The `Conditions` section, in long form.
    pub conditions: Map<String, Value>,
    /// The `Resources` section, in long form.
    pub resources: Map<String, Value>,
}

impl Scope {
    /// `value` with every intrinsic function replaced by what it yields; `None` is `AWS::NoValue`.
    ///
    /// # Errors
    /// A name that the template does not define, and anything that is not understood, by name.
    pub fn evaluate(&self, value: &Value) -> Result<Option<Value>> {
        match value {
            Value::Array(items) => {
                let items: Result<Vec<Value>> =
                    items.iter().filter_map(|item| self.evaluate(item).transpose()).collect();
                Ok(Some(Value::Array(items?)))
            }
            Value::Object(fields) => {
                if let Some((name, argument)) = single(fields)
                    && (name == "Ref" || name.starts_with("Fn::"))
                {
                    return self.call(name, argument);
                }
                let mut evaluated = Map::new();
                for (name, field) in fields {
                    if let Some(field) = self.evaluate(field)? {
                        evaluated.insert(name.clone(), field);
                    }
                }
                Ok(Some(Value::Object(evaluated)))
            }
            plain => Ok(Some(plain.clone())),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Result<Option<Value>> {
        match name {
            "Ref" => match argument.as_str() {
                Some("AWS::NoValue") => Ok(None),
                Some(target) => self.reference(target).map(|text| Some(text.into())),
                None => bail!("a Ref does not name anything"),
            },
            "Fn::GetAtt" => {
                let part = |index: usize| argument.get(index).and_then(Value::as_str);
                let (Some(resource), Some(attribute)) = (part(0), part(1)) else {
                    bail!("a Fn::GetAtt does not name a resource and its attribute: {argument}");
                };
                self.attribute(resource, attribute).map(|text| Some(text.into()))
            }
            "Fn::Sub" => self.substitute(argument).map(|text| Some(text.into())),
            "Fn::If" => {
                let branches = argument.as_array().filter(|branches| branches.len() == 3);
                let Some([condition, yes, no]) = branches.map(Vec::as_slice) else {
                    bail!("a Fn::If does not have three parts: {argument}");
                };
                let condition = condition.as_str().context("a Fn::If does not name its condition")?;
                self.evaluate(if self.condition(condition)? { yes } else { no })
            }
            "Fn::Select" => {
                let parts = argument.as_array().filter(|parts| parts.len() == 2);
                let Some([index, list]) = parts.map(Vec::as_slice) else {
                    bail!("a Fn::Select is not an index and a list: {argument}");
                };
                let index: usize = scalar(index).and_then(|index| index.parse().ok()).context("no index")?;
                let list = self.evaluate(list)?.unwrap_or_default();
                let chosen = list.get(index).with_context(|| format!("a Fn::Select finds nothing at {index}"))?;
                Ok(Some(chosen.clone()))
            }
            "Fn::Split" => {
                let parts = argument.as_array().filter(|parts| parts.len() == 2);
                let Some([delimiter, text]) = parts.map(Vec::as_slice) else {
                    bail!("a Fn::Split is not a delimiter and a text: {argument}");
                };
                let delimiter = delimiter.as_str().context("a Fn::Split's delimiter is no text")?;
                let text = self.evaluate(text)?.as_ref().and_then(scalar).context("a Fn::Split has no text")?;
                Ok(Some(text.split(delimiter).collect()))
            }
            other => bail!("{other} cannot stand here"),
        }
    }

    /// Refuses parameters that one of the template's `Rules` does not allow, in the rule's words.
    ///
    /// # Errors
    /// The description of the first assertion that fails, and a rule that is not understood.
    pub fn check_rules(&self, rules: &Map<String, Value>) -> Result<()> {
        for (name, rule) in rules {
            let applies = rule.get("RuleCondition").map_or(Ok(true), |condition| self.holds(condition));
            if !applies.with_context(|| format!("in the rule {name}"))? {
                continue;
            }
            for assertion in rule["Assertions"].as_array().into_iter().flatten() {
                let held = self.holds(&assertion["Assert"]).with_context(|| format!("in the rule {name}"))?;
                ensure!(held, "{}", assertion["AssertDescription"].as_str().unwrap_or(name));
            }
        }
        Ok(())
    }

    /// What `Ref` yields: a parameter, a pseudo parameter, or a resource's name.
    fn reference(&self, name: &str) -> Result<String> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        let pseudo = match name {
            "AWS::Region" => REGION,
            "AWS::AccountId" => ACCOUNT,
            "AWS::Partition" => "aws",
            "AWS::URLSuffix" => "amazonaws.com",
            "AWS::StackName" => "local",
            _ => return self.resource_name(name),
        };
        Ok(pseudo.to_owned())
    }

    /// The physical name of a resource: the one the template gives it, or its logical id.
    fn resource_name(&self, logical_id: &str) -> Result<String> {
        let resource = self
            .resources
            .get(logical_id)
            .with_context(|| format!("the template refers to {logical_id}, which it does not define"))?;
        let properties = &resource["Properties"];
        let named = match resource["Type"].as_str() {
            Some("AWS::Serverless::Function") => return function_name(logical_id, resource),
            Some("AWS::SecretsManager::Secret") => return self.attribute(logical_id, "Arn"),
            Some("AWS::SES::ConfigurationSet") => &properties["Name"],
            Some("AWS::SES::EmailIdentity") => &properties["EmailIdentity"],
            Some("AWS::Logs::LogGroup") => &properties["LogGroupName"],
            _ => &Value::Null,
        };
        let named = self.evaluate(named)?.as_ref().and_then(scalar);
        Ok(named.unwrap_or_else(|| logical_id.to_owned()))
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<String> {
        let resource = self
            .resources
            .get(logical_id)
            .with_context(|| format!("the template refers to {logical_id}, which it does not define"))?;
        let kind = resource["Type"].as_str().unwrap_or_default();
        let suffix = match (kind, attribute) {
            ("AWS::DynamoDB::Table", "Arn") => format!("dynamodb:{REGION}:{ACCOUNT}:table/{logical_id}"),
            ("AWS::Serverless::Function", "Arn") => {
                format!("lambda:{REGION}:{ACCOUNT}:function:{}", function_name(logical_id, resource)?)
            }
            ("AWS::SecretsManager::Secret", "Arn" | "Id") => {
                format!("secretsmanager:{REGION}:{ACCOUNT}:secret:{logical_id}")
            }
            ("AWS::KMS::Key", "Arn") => format!("kms:{REGION}:{ACCOUNT}:key/{logical_id}"),
            ("AWS::SQS::Queue", "Arn") => format!("sqs:{REGION}:{ACCOUNT}:{logical_id}"),
            ("AWS::IAM::Role", "Arn") => format!("iam::{ACCOUNT}:role/{logical_id}"),
            ("AWS::Logs::LogGroup", "Arn") => {
                format!("logs:{REGION}:{ACCOUNT}:log-group:{}:*", self.resource_name(logical_id)?)
            }
            _ => bail!("the local system does not know the attribute {attribute} of {logical_id} ({kind})"),
        };
        Ok(format!("arn:aws:{suffix}"))
    }

    /// `Fn::Sub` in both forms: a text, or a text and a map of its own variables.
    fn substitute(&self, argument: &Value) -> Result<String> {
        let nothing = Map::new();
        let (text, own) = match argument {
            Value::String(text) => (text.as_str(), &nothing),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(text), Value::Object(own)] => (text.as_str(), own),
                _ => bail!("a Fn::Sub is not a text and its variables: {argument}"),
            },
            _ => bail!("a Fn::Sub has no text: {argument}"),
        };
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) = after.split_once('}').with_context(|| format!("`{text}` has a ${{ without its }}"))?;
            filled.push_str(before);
            filled.push_str(&self.variable(name, own)?);
            rest = tail;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn variable(&self, name: &str, own: &Map<String, Value>) -> Result<String> {
        if let Some(literal) = name.strip_prefix('!') {
            return Ok(format!("${{{literal}}}"));
        }
        if let Some(value) = own.get(name) {
            let value = self.evaluate(value)?;
            return value.as_ref().and_then(scalar).with_context(|| format!("${{{name}}} is not a plain value"));
        }
        match name.split_once('.') {
            Some((resource, attribute)) => self.attribute(resource, attribute),
            None => self.reference(name),
        }
    }

    /// Whether the named condition holds.
    ///
    /// # Errors
    /// A condition that the template does not define, or one built of something that is not understood.
    pub fn condition(&self, name: &str) -> Result<bool> {
        let expression = self.conditions.get(name).with_context(|| format!("the template has no condition {name}"))?;
        self.holds(expression).with_context(|| format!("in the condition {name}"))
    }

    fn holds(&self, expression: &Value) -> Result<bool> {
        let Some((name, argument)) = expression.as_object().and_then(single) else {
            bail!("not one condition function: {expression}");
        };
        let parts = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        match (name, parts) {
            ("Condition", _) => self.condition(argument.as_str().context("a Condition has no name")?),
            ("Fn::Equals", [left, right]) => {
                let text = |side| Ok::<_, anyhow::Error>(self.evaluate(side)?.as_ref().and_then(scalar));
                Ok(text(left)? == text(right)?)
            }
            ("Fn::Not", [inner]) => self.holds(inner).map(|held| !held),
            ("Fn::And", [_, ..]) => parts.iter().try_fold(true, |all, part| Ok(self.holds(part)? && all)),
            ("Fn::Or", [_, ..]) => parts.iter().try_fold(false, |any, part| Ok(self.holds(part)? || any)),
            _ => bail!("{name} is not understood as a condition"),
        }
    }
}

/// A function's local name: that of its binary, which is also its crate's.
pub fn function_name(logical_id: &str, resource: &Value) -> Result<String> {
    resource["Metadata"]["BuildProperties"]["Binary"]
        .as_str()
        .map(str::to_owned)
        .with_context(|| format!("{logical_id} does not say its binary (Metadata: BuildProperties: Binary)"))
}

fn single(fields: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut fields = fields.iter();
    match (fields.next(), fields.next()) {
        (Some((name, value)), None) => Some((name, value)),
        _ => None,
    }
}

//! Secrets Manager's part: values that the template has generated, and the dynamic references that read them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

const OPENING: &str = "{{resolve:secretsmanager:";
const ALPHANUMERIC: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Generated secrets: the same for as long as the declaration of the secret stays the same.
#[derive(Default)]
pub struct Secrets {
    /// By logical id and declaration, since CloudFormation generates anew when the declaration changes.
    values: BTreeMap<String, String>,
    file: Option<PathBuf>,
}

impl Secrets {
    /// Secrets that are kept in `file`, readable by its owner alone.
    ///
    /// # Errors
    /// A file that is there but cannot be read.
    pub fn kept_in(file: PathBuf) -> Result<Self> {
        let values = match std::fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
        };
        Ok(Self { values, file: Some(file) })
    }

    /// `text` with each `{{resolve:secretsmanager:...}}` in it replaced by the secret's value.
    ///
    /// # Errors
    /// A reference to a secret that the template does not define or that cannot be generated here.
    pub fn fill(&mut self, text: &str, resources: &Map<String, Value>) -> Result<String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPENING) {
            let (reference, tail) = after.split_once("}}").with_context(|| format!("{OPENING}... is never closed"))?;
            filled.push_str(before);
            filled.push_str(&self.value(reference, resources)?);
            rest = tail;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// The value behind `secret-id[:SecretString[:json-key]]`, the id being the ARN that `Ref` yields here.
    fn value(&mut self, reference: &str, resources: &Map<String, Value>) -> Result<String> {
        let (id, key) = match reference.split_once(":SecretString") {
            Some((id, key)) => (id, key.trim_start_matches(':').split(':').next().unwrap_or_default()),
            None => (reference, ""),
        };
        let logical_id = id.rsplit(':').next().unwrap_or(id);
        let declaration = resources
            .get(logical_id)
            .filter(|resource| resource["Type"] == "AWS::SecretsManager::Secret")
            .with_context(|| format!("no secret of the template is meant by {OPENING}{reference}}}}}"))?;
        let secret = self.generated(logical_id, &declaration["Properties"])?;
        if key.is_empty() {
            return Ok(secret);
        }
        let fields: Value = serde_json::from_str(&secret).with_context(|| format!("{logical_id} is not JSON"))?;
        fields[key].as_str().map(str::to_owned).with_context(|| format!("{logical_id} has no key {key}"))
    }

    fn generated(&mut self, logical_id: &str, properties: &Value) -> Result<String> {
        if let Some(fixed) = properties["SecretString"].as_str() {
            return Ok(fixed.to_owned());
        }
        let declaration = format!("{logical_id} {properties}");
        if let Some(value) = self.values.get(&declaration) {
            return Ok(value.clone());
        }
        let how = &properties["GenerateSecretString"];
        if !how.is_object() {
            bail!("{logical_id} neither holds a SecretString nor generates one");
        }
        let length = super::parameters::scalar(&how["PasswordLength"]);
        let length = length.map_or(Ok(32), |text| text.parse()).context("PasswordLength is not a number")?;
        let password = password(length)?;
        let value = match (how["SecretStringTemplate"].as_str(), how["GenerateStringKey"].as_str()) {
            (Some(template), Some(key)) => {
                let mut fields: Map<String, Value> =
                    serde_json::from_str(template).with_context(|| format!("{logical_id}'s template"))?;
                fields.insert(key.to_owned(), password.into());
                Value::Object(fields).to_string()
            }
            _ => password,
        };
        self.values.insert(declaration, value.clone());
        if let Some(file) = &self.file {
            crate::files::write_private(file, serde_json::to_string(&self.values)?.as_bytes())?;
        }
        Ok(value)
    }

    /// Where the secrets of a kept system lie within its data folder.
    #[must_use]
    pub fn file_in(data: &Path) -> PathBuf {
        data.join("secrets.json")
    }
}

/// `length` random letters and digits, each as likely as any other.
fn password(length: usize) -> Result<String> {
    let mut password = String::with_capacity(length);
    while password.len() < length {
        let mut bytes = [0_u8; 64];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        // 248 is the largest multiple of 62 in a byte: what lies above would favour the first letters.
        let fair =
            bytes.iter().filter(|&&byte| byte < 248).map(|&byte| char::from(ALPHANUMERIC[usize::from(byte % 62)]));
        password.extend(fair.take(length - password.len()));
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::Secrets;

    fn resources() -> Map<String, Value> {
        let secret = json!({"Type": "AWS::SecretsManager::Secret", "Properties": {
            "GenerateSecretString": {"PasswordLength": 40, "SecretStringTemplate": "{\"v\":\"1\"}", "GenerateStringKey": "p"}
        }});
        Map::from_iter([("Pepper".to_owned(), secret)])
    }

    #[test]
    fn one_declaration_yields_one_value() {
        let (mut secrets, resources) = (Secrets::default(), resources());
        let text = "1:{{resolve:secretsmanager:arn:aws:secretsmanager:r:1:secret:Pepper:SecretString:p}}";
        let first = secrets.fill(text, &resources).unwrap();
        assert_eq!(first.len(), 42);
        assert_eq!(secrets.fill(text, &resources).unwrap(), first);
    }

    #[test]
    fn a_secret_of_another_stack_is_refused() {
        let refused = Secrets::default().fill("{{resolve:secretsmanager:other:SecretString}}", &resources());
        assert!(refused.unwrap_err().to_string().contains("secretsmanager:other"));
    }
}

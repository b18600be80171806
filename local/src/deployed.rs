//! A deployment of the template on an AWS that is none, as far as a test has to reach it.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, bail};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::Value;

use crate::mailbox::Mail;

/// The access key of the account's root; nobody looks at the signature.
pub(crate) const ROOT: &str = "test";

/// Where it is, as the file says that `./check rehearsal` writes.
#[derive(Clone, Debug, Deserialize)]
pub struct Deployed {
    /// The URL of every service of this AWS, and of the API under its own name.
    pub endpoint: String,
    /// The name under which the API answers.
    pub host: String,
    /// The name of each function and table, by logical id.
    pub resources: BTreeMap<String, String>,
    /// The value of each of the template's parameters.
    pub parameters: BTreeMap<String, String>,
}

impl Deployed {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, or holds something else.
    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} does not say where a deployment is", file.display()))
    }

    /// The name that was given to what the template calls `logical_id`.
    ///
    /// # Errors
    /// The stack has no such thing.
    pub fn name(&self, logical_id: &str) -> Result<&str> {
        let name = self.resources.get(logical_id).with_context(|| format!("the stack has no {logical_id}"))?;
        Ok(name)
    }

    /// A call of a function as the Lambda Invoke API takes it, by its local name, and behind a colon an alias.
    ///
    /// # Errors
    /// The stack has no such function.
    pub fn request(&self, client: &Client, function: &str) -> Result<RequestBuilder> {
        let (function, alias) = function.split_at(function.find(':').unwrap_or(function.len()));
        let name = self.name(&logical_id(function))?;
        let request = client.post(format!("{}/2015-03-31/functions/{name}{alias}/invocations", self.endpoint));
        Ok(request.header("authorization", authorization(ROOT, "lambda")))
    }

    /// Calls a function.
    ///
    /// # Errors
    /// The function's error as JSON, or a text if it was not called at all.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Value, Value> {
        let ask = async {
            let client = Client::builder().no_proxy().build()?;
            let answer = self.request(&client, function)?.json(payload).send().await?;
            let failed = answer.headers().contains_key("x-amz-function-error") || !answer.status().is_success();
            let text = answer.text().await?;
            let answer: Value = serde_json::from_str(&text).with_context(|| format!("{function}: {text}"))?;
            anyhow::Ok(if failed { Err(answer) } else { Ok(answer) })
        };
        ask.await.unwrap_or_else(|error| Err(Value::from(format!("{error:#}"))))
    }

    /// Every mail that was sent, the oldest first.
    ///
    /// # Errors
    /// Nobody answers, or in other words.
    pub fn mails(&self) -> Result<Vec<Mail>> {
        let url = format!("{}/_fakecloud/ses/emails", self.endpoint);
        let found: Value =
            wait(async { Ok(Client::builder().no_proxy().build()?.get(url).send().await?.json().await?) })?;
        let mails = found["emails"].as_array().context("there is no list of mails")?;
        Ok(mails.iter().map(mail).collect())
    }
}

fn mail(sent: &Value) -> Mail {
    let text = |name: &str| sent[name].as_str().unwrap_or_default().to_owned();
    let to: Vec<_> = sent["to"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Mail {
        id: text("messageId"),
        from: text("from"),
        to: to.join(", "),
        subject: text("subject"),
        text: text("textBody"),
        html: text("htmlBody"),
        sent_at: text("timestamp"),
        headers: Vec::new(),
    }
}

/// `send-passcode` is `SendPasscodeFunction` in the template.
#[must_use]
pub fn logical_id(function: &str) -> String {
    let words = function.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    });
    words.collect::<String>() + "Function"
}

/// The header that names the access key of whoever calls a service.
pub(crate) fn authorization(key: &str, service: &str) -> String {
    let scope = format!("{key}/20260101/eu-west-1/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
}

/// Waits for the network in a thread of its own, for whoever cannot wait as the servers do.
pub(crate) fn wait<T: Send>(asked: impl Future<Output = Result<T>> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        let ask = move || runtime()?.block_on(asked);
        scope.spawn(ask).join().unwrap_or_else(|_| bail!("it panicked"))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_function_has_its_logical_id() {
        assert_eq!(super::logical_id("send-passcode"), "SendPasscodeFunction");
    }
}

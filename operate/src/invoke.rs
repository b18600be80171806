//! The call of the function, here or in the cloud.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Calls the local system's function. Whoever else answers at the address is no operator.
pub async fn local(api: &str, event: &Value) -> Result<Value> {
    let api = api.trim_end_matches('/');
    let url = format!("{api}/2015-03-31/functions/operator/invocations");
    let client = reqwest::Client::builder().no_proxy().build()?;
    let Ok(reply) = client.post(&url).json(event).send().await else {
        bail!("nothing answers at {api}: start it with `cargo run -p local`, or say --api URL or --function NAME");
    };
    let (status, failed) = (reply.status(), reply.headers().contains_key("x-amz-function-error"));
    if !status.is_success() || !reply.headers().contains_key("x-amz-executed-version") {
        bail!("{api} answers {status}, and not as the operator's function: is it the API's address?");
    }
    outcome(reply.json().await.context("the answer is no JSON")?, failed)
}

/// Through the AWS CLI, which knows profiles, regions and single sign-on. The event goes in by standard input, where no
/// list of processes shows it, and the answer comes out by standard output.
pub fn remote(function: &str, event: &Value) -> Result<Value> {
    let mut child = Command::new("aws")
        .args(["lambda", "invoke", "--function-name", function, "--payload", "fileb:///dev/stdin"])
        .args(["--query", "FunctionError", "--output", "text", "/dev/stderr"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("the AWS CLI (`aws`) cannot be started")?;
    child.stdin.take().context("no way to the AWS CLI")?.write_all(event.to_string().as_bytes())?;
    let ended = child.wait_with_output()?;
    let answer = String::from_utf8_lossy(&ended.stderr).into_owned();
    if !ended.status.success() {
        bail!("{}", answer.trim());
    }
    let failed = String::from_utf8_lossy(&ended.stdout).trim() != "None";
    outcome(serde_json::from_str(&answer).context("the answer is no JSON")?, failed)
}

fn outcome(answer: Value, failed: bool) -> Result<Value> {
    match answer["errorMessage"].as_str() {
        _ if !failed && answer.is_object() => Ok(answer),
        Some(message) => bail!("{message}"),
        None => bail!("the function failed"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::outcome;

    #[test]
    fn a_functions_error_is_told_in_its_words() {
        let error = outcome(json!({ "errorMessage": "No such App." }), true).unwrap_err();
        assert_eq!(error.to_string(), "No such App.");
        assert_eq!(outcome(json!(null), false).unwrap_err().to_string(), "the function failed");
    }
}

//! A function for the tests of the local system itself: it does what its event tells it to, the bad things too.
//!
//! It speaks to the Runtime API without a runtime, so that nothing stands between the two.

use std::{env, process, time::Duration};

use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    eprintln!("probe starts");
    if let Ok(message) = env::var("PROBE_INIT_ERROR") {
        let body = json!({ "errorType": "Probe", "errorMessage": message });
        post("runtime/init/error", body.to_string()).await?;
        process::exit(1);
    }
    loop {
        let response = reqwest::get(url("runtime/invocation/next")).await?.error_for_status()?;
        let id = header(&response, "lambda-runtime-aws-request-id");
        let mut context = json!({
            "request_id": id,
            "deadline": header(&response, "lambda-runtime-deadline-ms"),
            "arn": header(&response, "lambda-runtime-invoked-function-arn"),
            "trace": header(&response, "lambda-runtime-trace-id"),
            "process": process::id(),
        });
        let event: Value = response.json().await?;
        let asked = &event["queryStringParameters"];
        let text = |name: &str| asked[name].as_str().or(event[name].as_str()).unwrap_or_default().to_owned();
        let milliseconds = text("sleep").parse().unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        match text("do").as_str() {
            "exit" => process::exit(3),
            "error" => {
                let body = json!({ "errorType": "Probe", "errorMessage": "as told" }).to_string();
                post(&format!("runtime/invocation/{id}/error"), body).await?;
                continue;
            }
            "environment" => context["environment"] = env::vars().map(|(name, value)| json!([name, value])).collect(),
            _ => {}
        }
        let reply = match text("reply").as_str() {
            "" => json!({ "statusCode": 200, "body": json!({ "event": event, "context": context }).to_string() }),
            raw => serde_json::from_str(raw)?,
        };
        let padding = " ".repeat(text("pad").parse().unwrap_or(0));
        let accepted = post(&format!("runtime/invocation/{id}/response"), reply.to_string() + &padding).await?;
        eprintln!("probe replied: {accepted}");
    }
}

fn url(path: &str) -> String {
    format!("http://{}/2018-06-01/{path}", env::var("AWS_LAMBDA_RUNTIME_API").unwrap_or_default())
}

fn header(response: &reqwest::Response, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

async fn post(path: &str, body: String) -> reqwest::Result<u16> {
    Ok(reqwest::Client::new().post(url(path)).body(body).send().await?.status().as_u16())
}

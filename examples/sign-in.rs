//! Signs a customer in with Rust. The environment: `API`, `MAILBOX`, `SUPERKEY`, `SUPERTOKEN`.

use std::env::var;

use anyhow::{Context, Result, bail};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

/// Sends a request; an error has the stable `code` of the reply in front.
async fn call(request: RequestBuilder) -> Result<Value> {
    let reply = request.send().await?;
    let failed = !reply.status().is_success();
    let answer: Value = reply.json().await?;
    if failed {
        bail!("{}: {}", answer["code"].as_str().unwrap_or_default(), answer["message"]);
    }
    Ok(answer)
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example shows what it got")]
async fn main() -> Result<()> {
    let (api, mailbox) = (var("API")?, var("MAILBOX")?);
    let (superkey, supertoken) = (var("SUPERKEY")?, var("SUPERTOKEN")?);
    let client = Client::builder().no_proxy().build()?;
    let as_app = |request: RequestBuilder| {
        request.header("x-access-superkey", &superkey).header("x-access-supertoken", &supertoken)
    };

    let email = format!("rust+{}@example.com", std::process::id());
    let path = format!("{api}/customer/{}", email.replace('+', "%2B").replace('@', "%40"));

    let create = client.post(format!("{api}/customer")).json(&json!({ "company": "Rust Ltd", "email": email }));
    match call(as_app(create)).await {
        // A customer who exists already is as good as a new one. Neither reply shows who typed the address: the
        // passcode does. So the pair of the first is for a server alone, and nobody is signed in by the `cuid` of the
        // second.
        Err(error) if error.to_string().starts_with("customer_exists") => {}
        created => drop(created?),
    }
    call(as_app(client.get(format!("{path}/passcode")))).await?;

    // A person reads the mail; here the local mailbox is asked for it.
    let mails = call(client.get(format!("{mailbox}/messages")).query(&[("to", &email)])).await?;
    let text = mails[0]["text"].as_str().context("no mail came")?;
    let is_code =
        |text: &&str| text.bytes().enumerate().all(|(at, byte)| byte.is_ascii_digit() || (at == 4 && byte == b' '));
    let mut places = (0..text.len()).filter_map(|at| text.get(at..at + 9));
    let passcode = places.find(is_code).context("no passcode in the mail")?;

    let pair = call(as_app(client.get(format!("{path}/auth"))).header("x-access-passcode", passcode)).await?;
    let [cuid, key, token] = ["cuid", "key", "token"].map(|name| pair[name].as_str().unwrap_or_default());
    let record =
        client.get(format!("{api}/customer/{cuid}")).header("x-access-key", key).header("x-access-token", token);
    println!("{:#}", call(record).await?);
    Ok(())
}

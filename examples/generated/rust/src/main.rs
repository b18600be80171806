//! The whole story with the client that progenitor generates; see ../README.md.

mod customers {
    progenitor::generate_api!(spec = "../../../openapi.yaml", interface = Builder);
}

use std::{collections::BTreeSet, env::var};

use anyhow::{Context, Result, bail, ensure};
use customers::{
    Client, Error, ResponseValue,
    types::{self, ApiError, Customer, CustomerDetails, IssuedPair, TicketRedemption},
};
use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderName},
    redirect::Policy,
};

type Reply<T> = std::result::Result<ResponseValue<T>, Error<ApiError>>;

/// A caller of one level. The SSO's redirect is for the customer's browser, so nothing is followed.
fn caller(level: &str, key: &str, token: &str) -> Result<Client> {
    let mut headers = HeaderMap::new();
    for (name, value) in [("key", key), ("token", token)] {
        headers.insert(format!("x-access-{level}{name}").parse::<HeaderName>()?, value.parse()?);
    }
    let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).default_headers(headers).build()?;
    Ok(Client::new_with_client(&var("API")?, client))
}

/// The error that a call was refused with, which has this status and code.
fn refused<T: std::fmt::Debug>(reply: Reply<T>, status: u16, code: &str) -> Result<ApiError> {
    match reply {
        Err(Error::ErrorResponse(refusal)) => {
            ensure!((refusal.status().as_u16(), refusal.code.as_deref()) == (status, Some(code)), "{refusal:?}");
            Ok(refusal.into_inner())
        }
        other => bail!("not refused: {other:?}"),
    }
}

fn details(email: &str) -> types::builder::CustomerDetails {
    CustomerDetails::builder().company("Generated Ltd").email(email)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let app = caller("super", &var("SUPERKEY")?, &var("SUPERTOKEN")?)?;
    let platform = caller("platform", &var("PLATFORMKEY")?, &var("PLATFORMTOKEN")?)?;
    let email = format!("generated+rust{}@example.com", std::process::id());
    let created = create(&app, &email).await?;
    let pair = sign_in(&app, &email).await?;
    ensure!(pair.cuid == created.cuid && pair.expires_at > chrono::Utc::now(), "{pair:?}");
    let record = read_record(&pair, &email).await?;
    list_all(&app, &email, &pair.cuid).await?;
    let vouched = app.authenticate_without_passcode().identifier(&*email).send().await?;
    ensure!(vouched.cuid == pair.cuid && vouched.key != pair.key);
    to_the_platform(&app, &platform, &email, &pair.cuid).await?;
    sign_out(&pair, &vouched).await?;
    refused(caller("super", "", "")?.list_customers().send().await, 403, "missing_key")?;
    println!("{}", serde_json::to_string(&record)?);
    Ok(())
}

/// Creates a customer once; the pair is for the server. The 409 says who has the address, and nothing about who typed it.
async fn create(app: &Client, email: &str) -> Result<IssuedPair> {
    let name: types::CustomerDetailsName = "Jané Doe".parse()?;
    let jane = CustomerDetails::try_from(details(email).name(name))?;
    // A reply that is lost is asked for again with the same Idempotency-Key.
    let once = async || app.create_customer().idempotency_key(email).body(jane.clone()).send().await;
    let lost = once().await?;
    let created = once().await?;
    ensure!(created.cuid == lost.cuid && created.headers()["idempotent-replayed"] == "true", "{created:?}");
    let again = refused(app.create_customer().body(jane).send().await, 409, "customer_exists")?;
    ensure!(again.cuid.as_deref() == Some(&**created.cuid));
    let invalid = refused(app.create_customer().body(details("a@b@c")).send().await, 400, "invalid_request")?;
    ensure!(invalid.errors.len() == 1 && invalid.errors[0].field == "email", "{invalid:?}");
    Ok(created.into_inner())
}

/// The passcode decides who signs in. A person reads the mail; here the local mailbox is asked for it.
async fn sign_in(app: &Client, email: &str) -> Result<IssuedPair> {
    let sent = app.send_passcode().identifier(email).send().await?;
    ensure!(sent.message.contains(email));
    let messages = reqwest::Client::builder().no_proxy().build()?.get(format!("{}/messages", var("MAILBOX")?));
    let mails: serde_json::Value = messages.query(&[("to", email)]).send().await?.json().await?;
    let text = mails[0]["text"].as_str().context("no mail came")?;
    let found = regress::Regex::new(r"\d{4} \d{4}")?.find(text).context("no passcode in the mail")?;
    let passcode = &text[found.range()];
    let guess = if passcode == "0000 0000" { "1111 1111" } else { "0000 0000" };
    let with = async |code: &str| app.authenticate().identifier(email).x_access_passcode(code).send().await;
    refused(with(guess).await, 401, "invalid_passcode")?;
    Ok(with(passcode).await?.into_inner())
}

/// With its pair the customer reads its own record, and no other.
async fn read_record(pair: &IssuedPair, email: &str) -> Result<Customer> {
    let customer = caller("", &pair.key, &pair.token)?;
    let record = customer.get_customer().identifier(&**pair.cuid).send().await?.into_inner();
    ensure!(record.email == email && record.name.as_deref() == Some("Jané Doe") && record.city.is_none(), "{record:?}");
    ensure!(record.email_verified, "{record:?}");
    let city: types::CustomerChangeCity = "London".parse()?;
    let change = types::CustomerChange::builder().city(city);
    let record = customer.change_customer().identifier(&**pair.cuid).body(change).send().await?.into_inner();
    ensure!(record.city.as_deref() == Some("London") && record.name.as_deref() == Some("Jané Doe"), "{record:?}");
    refused(customer.get_customer().identifier("0".repeat(22)).send().await, 404, "no_matching_key")?;
    Ok(record)
}

/// The customer signs out, and that pair alone is no longer good.
async fn sign_out(pair: &IssuedPair, other: &IssuedPair) -> Result<()> {
    let customer = caller("", &pair.key, &pair.token)?;
    customer.revoke_credentials().identifier(&**pair.cuid).send().await?;
    refused(customer.get_customer().identifier(&**pair.cuid).send().await, 403, "invalid_token")?;
    let elsewhere = caller("", &other.key, &other.token)?;
    elsewhere.get_customer().identifier(&**pair.cuid).send().await?;
    Ok(())
}

/// One customer by its address; all of them page by page.
async fn list_all(app: &Client, email: &str, cuid: &types::Cuid) -> Result<()> {
    let found = app.list_customers().email(email).send().await?;
    ensure!(found.len() == 1 && found[0].cuid == *cuid, "{found:?}");
    let more = CustomerDetails::builder().company("Müller GmbH").email(format!("more-{email}"));
    let more = app.create_customer().body(more).send().await?;
    let mut seen = BTreeSet::new();
    let mut page = app.list_customers().limit(std::num::NonZeroU32::MIN).send().await?;
    loop {
        for customer in &*page {
            ensure!(seen.insert(customer.cuid.to_string()), "twice: {customer:?}");
        }
        let Some(link) = page.headers().get("link") else { break };
        let path = link.to_str()?.trim_start_matches('<').split('>').next().unwrap_or_default();
        let following = url::Url::parse("https://api.example")?.join(path)?;
        let cursor = following.query_pairs().find(|(name, _)| name == "cursor").context("no cursor")?.1.into_owned();
        page = app.list_customers().limit(std::num::NonZeroU32::MIN).cursor(cursor).send().await?;
    }
    ensure!(seen.contains(&**cuid) && seen.contains(&**more.cuid), "{seen:?}");
    Ok(())
}

/// To the platform: the server takes the address out of the redirect, the browser goes there, the platform redeems.
async fn to_the_platform(app: &Client, platform: &Client, email: &str, cuid: &types::Cuid) -> Result<()> {
    let sso = app.start_sso().identifier(email).return_to("/campaigns?tab=spend").state("4b1f9c2e7a");
    let redirect = match sso.send().await {
        Err(Error::UnexpectedResponse(response)) => response,
        other => bail!("no redirect: {:?}", other.map(drop)),
    };
    ensure!(redirect.status() == StatusCode::FOUND, "{redirect:?}");
    let location = url::Url::parse(redirect.headers()["location"].to_str()?)?;
    // What is bound to the ticket stands where nobody on the way can change it.
    ensure!(location.query_pairs().count() == 1, "{location}");
    let (_, ticket) = location.query_pairs().find(|(name, _)| name == "ticket").context("no ticket")?;
    let body = || TicketRedemption::builder().ticket(ticket.to_string());
    let identity = platform.redeem_ticket().body(body()).send().await?;
    ensure!(identity.cuid == *cuid && identity.email == email, "{identity:?}");
    let bound = (identity.return_to.as_deref(), identity.state.as_deref());
    ensure!(bound == (Some("/campaigns?tab=spend"), Some("4b1f9c2e7a")), "{identity:?}");
    refused(platform.redeem_ticket().body(body()).send().await, 401, "invalid_ticket")?;
    Ok(())
}

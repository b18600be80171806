//! A function that makes the calls of another and does nothing else: no authentication, no validation, no log.
//!
//! `CALLS` holds the calls as another function was seen to make them: a JSON array of trips, each an array of calls that
//! are under way at once, each `{"action", "request"}` with the request as it was sent.

mod calls;

pub use calls::Call;

use aws_sdk_dynamodb::Client;
use futures_util::future::try_join_all;
use lambda_http::{Body, Error, Request, Response, service_fn};
use serde_json::Value;
use shared::sdk;

/// How a mail is sent, where one is among the calls.
pub trait Mail: Sync {
    /// Sends it.
    fn send(&self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Answers every request by making the calls; `mail` sends the mail, where one is among them.
///
/// # Errors
/// Calls that are not understood, and a Runtime API that cannot be reached.
pub async fn serve(mail: impl Mail) -> Result<(), Error> {
    let client = Client::new(&sdk::load().await?);
    let calls: Vec<Vec<Value>> = serde_json::from_str(&shared::config::required("CALLS")?)?;
    let read = |trip: &Vec<Value>| trip.iter().map(|call| Call::read(&client, call)).collect::<Result<Vec<_>, Error>>();
    let trips = calls.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
    let (trips, mail) = (trips.as_slice(), &mail);
    lambda_http::run(service_fn(async |_: Request| {
        make(trips, mail).await?;
        Ok::<_, Error>(Response::new(Body::Text("{}".to_owned())))
    }))
    .await
}

async fn make(trips: &[Vec<Call>], mail: &impl Mail) -> Result<(), Error> {
    for trip in trips {
        try_join_all(trip.iter().map(|call| call.make(mail))).await?;
    }
    Ok(())
}

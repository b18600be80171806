//! The Customers API as a partner's server calls it: one method an endpoint, each with what one does when a reply is
//! lost. This is the model to copy; the pages around it are only pages.

use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header, redirect::Policy};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::scenes::{self, Made};

/// How often a request is sent at most, and the pause before it is sent again, longer each time.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);
/// A little more than the slowest of the endpoints below takes at most, which is 15 seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A partner's super credentials, as its operator hands them out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppCredentials {
    /// The App's key.
    pub superkey: String,
    /// Its token.
    pub supertoken: String,
}

/// A platform's credentials, as its operator hands them out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlatformCredentials {
    /// The platform's key.
    pub platformkey: String,
    /// Its token.
    pub platformtoken: String,
}

/// Why there is no result.
#[derive(Debug)]
pub enum Failure {
    /// The API says no.
    Refused(Refusal),
    /// It did not answer, or failed, each time. The id names the last request to whoever looks into it.
    Unavailable { request_id: String },
}

/// An error of the API's.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// What to decide by; `message` may be worded anew one day.
    pub code: String,
    /// The bad fields, with `invalid_request`.
    pub errors: Vec<FieldError>,
    pub request_id: String,
    /// How long to wait, from the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
    /// Whether an earlier attempt at the same request got no answer: it may have been the one that counted.
    #[serde(skip)]
    pub repeated: bool,
}

/// A field that is not valid, and why.
#[derive(Debug, Deserialize)]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

/// A customer's own credentials.
#[derive(Clone, Deserialize)]
pub struct Pair {
    pub cuid: String,
    key: String,
    token: String,
}

impl Pair {
    fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("x-access-key", &self.key).header("x-access-token", &self.token)
    }
}

/// What the platform learns of a customer. It finds its users by `cuid`: an address is what an App says, may change, and
/// may be somebody else's in another App.
#[derive(Clone, Deserialize)]
pub struct Identity {
    pub cuid: String,
    pub email: String,
    pub company: Option<String>,
    pub name: Option<String>,
    pub app_name: String,
    pub return_to: Option<String>,
    pub state: Option<String>,
}

/// What the platform asks for when it sends a browser to the partner to be signed in.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Asked {
    /// The page to come back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
    /// What the platform gave the browser, and compares when the browser comes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// The API, and both parties' credentials; a real partner has only the App's, a real platform only the platform's.
pub struct Api {
    client: Client,
    url: String,
    app: AppCredentials,
    platform: PlatformCredentials,
}

impl Api {
    /// # Errors
    /// A client that cannot be built.
    pub fn new(url: &str, app: AppCredentials, platform: PlatformCredentials) -> reqwest::Result<Self> {
        // Following the redirect of the SSO would send the App's credentials on to the platform.
        let client = Client::builder().no_proxy().timeout(PATIENCE).redirect(Policy::none()).build()?;
        Ok(Self { client, url: url.to_owned(), app, platform })
    }

    /// `POST /customer`. A customer who exists already is as good as a new one: it may be this very request whose first
    /// reply was lost. Neither answer shows who typed the address: the passcode does. So the pair that comes with a new
    /// customer is left alone, and nobody is signed in by the `cuid` of the `409`.
    ///
    /// Says whether the customer is new.
    pub async fn sign_up(&self, profile: &Value) -> Result<bool, Failure> {
        let request = self.client.post(format!("{}/customer", self.url)).json(profile);
        match self.send(self.as_app(request)).await {
            Err(Failure::Refused(refusal)) if refusal.code == "customer_exists" => Ok(false),
            created => created.map(|_| true),
        }
    }

    /// `GET /customer/{email}/passcode`. Says how long to wait for another mail, where there was one a moment ago.
    pub async fn mail_code(&self, email: &str) -> Result<Option<Duration>, Failure> {
        let request = self.client.get(self.customer(email, "/passcode"));
        self.send(self.as_app(request)).await.map(|response| retry_after(&response))
    }

    /// `GET /customer/{email}/auth`, the code in a header: query strings end up in logs.
    pub async fn exchange(&self, email: &str, code: &str) -> Result<Pair, Failure> {
        let request = self.client.get(self.customer(email, "/auth")).header("x-access-passcode", code);
        read(self.send(self.as_app(request)).await?).await
    }

    /// `GET /customer/{cuid}` with the customer's own pair: a page for one customer needs no more power than that.
    pub async fn record(&self, pair: &Pair) -> Result<Value, Failure> {
        read(self.send(pair.sign(self.client.get(self.customer(&pair.cuid, "")))).await?).await
    }

    /// `DELETE /customer/{cuid}/auth` with the customer's own pair, which ends.
    pub async fn end(&self, pair: &Pair) -> Result<(), Failure> {
        let request = self.client.delete(self.customer(&pair.cuid, "/auth"));
        self.send(pair.sign(request)).await.map(drop)
    }

    /// `GET /customer/{cuid}/sso`: where to send the browser. By `cuid`, for an address may be another's tomorrow.
    pub async fn way_to_platform(&self, cuid: &str, asked: &Asked) -> Result<String, Failure> {
        let request = self.client.get(self.customer(cuid, "/sso")).query(asked);
        let response = self.send(self.as_app(request)).await?;
        let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        location.map(str::to_owned).ok_or_else(|| Failure::Unavailable { request_id: request_id(&response) })
    }

    /// `POST /sso/redeem`, by the platform.
    pub async fn redeem(&self, ticket: &str) -> Result<Identity, Failure> {
        let request = self.client.post(format!("{}/sso/redeem", self.url)).json(&json!({ "ticket": ticket }));
        let request = request
            .header("x-access-platformkey", &self.platform.platformkey)
            .header("x-access-platformtoken", &self.platform.platformtoken);
        read(self.send(request).await?).await
    }

    fn as_app(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("x-access-superkey", &self.app.superkey).header("x-access-supertoken", &self.app.supertoken)
    }

    /// An address has characters that mean something in a path.
    fn customer(&self, identifier: &str, rest: &str) -> String {
        format!("{}/customer/{}{rest}", self.url, utf8_percent_encode(identifier, NON_ALPHANUMERIC))
    }

    /// Sends a request until it is answered. Every request here may be sent again; what a repeated one can come to is
    /// told by `Refusal::repeated`.
    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let mut unanswered = String::new();
        for attempt in 0..ATTEMPTS {
            tokio::time::sleep(PAUSE * attempt).await;
            let Some(request) = request.try_clone() else { break };
            let (started, asked) = (Instant::now(), described(&request));
            // Without a reply nobody knows whether the request has had its effect.
            let Ok(response) = request.send().await else { continue };
            let status = response.status();
            scenes::note(Made {
                request: asked,
                status: status.as_u16(),
                took: started.elapsed(),
                request_id: request_id(&response),
            });
            if status.is_success() || status.is_redirection() {
                return Ok(response);
            }
            unanswered = request_id(&response);
            let retry_after = retry_after(&response);
            // API Gateway's own 429 says neither a code nor how long to wait.
            let throttled = status == StatusCode::TOO_MANY_REQUESTS && retry_after.is_none();
            if !throttled && !status.is_server_error() {
                let refusal: Refusal = read(response).await?;
                return Err(Failure::Refused(Refusal { retry_after, repeated: attempt > 0, ..refusal }));
            }
        }
        Err(Failure::Unavailable { request_id: unanswered })
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Failure> {
    let request_id = request_id(&response);
    response.json().await.map_err(|_| Failure::Unavailable { request_id })
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn request_id(response: &Response) -> String {
    let id = response.headers().get("apigw-requestid").and_then(|id| id.to_str().ok());
    id.unwrap_or_default().to_owned()
}

/// Method and path of a request.
fn described(request: &RequestBuilder) -> String {
    let request = request.try_clone().and_then(|request| request.build().ok());
    request.map(|request| format!("{} {}", request.method(), request.url().path())).unwrap_or_default()
}

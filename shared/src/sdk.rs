//! The AWS SDK, set up for a short-lived process that must be fast at its first call and never hang.

mod http;

use std::time::Duration;

use aws_config::{
    BehaviorVersion, SdkConfig,
    environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider},
    meta::region::ProvideRegion,
    retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::config::StalledStreamProtectionConfig;
use aws_types::{
    sdk_config::SharedCredentialsProvider,
    service_config::{LoadServiceConfig, ServiceConfigKey},
};
pub use http::{client as http_client, client_without_pool};
use lambda_runtime::Error;

use crate::config;

/// How long one attempt at a call may take.
const ATTEMPT: Duration = Duration::from_secs(1);
/// How long a call with all its attempts may take: three in a row fit into the shortest function timeout, 10 seconds.
pub(crate) const OPERATION: Duration = Duration::from_millis(2500);

/// An endpoint that no name server knows.
const NOWHERE: &str = "http://no-endpoint.invalid";

/// Settings that are one service's own, as the SDK asks for them: `AWS_ENDPOINT_URL_DYNAMODB` and the like.
#[derive(Debug)]
struct Environment;

impl LoadServiceConfig for Environment {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        let name = format!("{}_{service}", key.env());
        let value = config::optional(&name);
        if key.env() == "AWS_ENDPOINT_URL" {
            return endpoint(&name, value, config::optional("AWS_SAM_LOCAL").is_some());
        }
        value
    }
}

/// A service's endpoint; AWS's own without one. `sam local` gives a function the developer's own credentials, which AWS
/// would take: there one has to be set.
fn endpoint(name: &str, value: Option<String>, under_sam_local: bool) -> Option<String> {
    if value.is_none() && under_sam_local {
        tracing::error!("Nothing is called: under sam local, {name} has to be set (--env-vars events/env.json).");
        return Some(NOWHERE.to_owned());
    }
    value
}

/// The configuration that every client starts from: region, credentials and endpoints from the environment, where
/// Lambda puts them, under the names that they have for every SDK. There are no profile files in a Lambda function and
/// no other sources of credentials; aws-config's loader, which looks for them, costs a sixth of a cold start's
/// instructions and as much of the size.
///
/// `AWS_CA_BUNDLE` names a PEM file whose certificates are trusted instead of Amazon's.
///
/// # Errors
/// When the bundle cannot be read or its certificates are not PEM.
pub async fn load() -> Result<SdkConfig, Error> {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(OPERATION).build();
    let switch = |name: &str| config::optional(name).map(|value| value.eq_ignore_ascii_case("true"));
    let mut sdk = SdkConfig::builder();
    sdk.set_use_fips(switch("AWS_USE_FIPS_ENDPOINT"));
    sdk.set_use_dual_stack(switch("AWS_USE_DUALSTACK_ENDPOINT"));
    sdk.set_endpoint_url(config::optional("AWS_ENDPOINT_URL"));
    Ok(sdk
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client()?)
        .region(EnvironmentVariableRegionProvider::new().region().await)
        .service_config(Environment)
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .timeout_config(timeouts)
        // The SDK's first back-off is a second, as long as a whole attempt; DynamoDB recovers within milliseconds.
        .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(25)))
        // Replies are small and attempts time out by themselves.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build())
}

#[cfg(test)]
mod tests {
    use super::{NOWHERE, endpoint};

    #[test]
    fn aws_itself_is_out_of_reach_under_sam_local() {
        let (name, local) = ("AWS_ENDPOINT_URL_DYNAMODB", || Some("http://127.0.0.1:9002".to_owned()));
        assert_eq!(endpoint(name, None, false), None);
        assert_eq!(endpoint(name, local(), false), local());
        assert_eq!(endpoint(name, local(), true), local());
        assert_eq!(endpoint(name, None, true).as_deref(), Some(NOWHERE));
    }
}

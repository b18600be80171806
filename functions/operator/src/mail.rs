//! SES's list of addresses that it mails nothing to.

use aws_config::SdkConfig;
use aws_sdk_sesv2::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::delete_suppressed_destination::DeleteSuppressedDestinationError,
};
use shared::{email::EmailAddress, store::StoreError};

/// A client for the list.
#[derive(Debug)]
pub struct Suppressions(Client);

impl Suppressions {
    /// A client of this account.
    #[must_use]
    pub fn new(sdk: &SdkConfig) -> Self {
        Self(Client::new(sdk))
    }

    /// Takes an address off the list, if it is on it.
    ///
    /// # Errors
    /// What SES or the network answered.
    pub async fn remove(&self, address: &EmailAddress) -> Result<(), StoreError> {
        let removed = self.0.delete_suppressed_destination().email_address(address.deliverable()).send().await;
        match removed.map_err(SdkError::into_service_error) {
            Ok(_) | Err(DeleteSuppressedDestinationError::NotFoundException(_)) => Ok(()),
            // The message names the address.
            Err(error) => Err(format!("SES: {}", error.code().unwrap_or("no answer")).into()),
        }
    }
}

//! SES as the operator uses it: the suppression list, a tenant for each App, and partners' own senders.
//!
//! Each call may be repeated: what is there already is as good as made.

use std::time::Duration;

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sesv2::{
    Client,
    config::Builder,
    error::{ProvideErrorMetadata, SdkError},
    operation::get_email_identity::GetEmailIdentityOutput,
    types::{
        BehaviorOnMxFailure, DkimStatus, MailFromDomainStatus, ReputationEntityType, SendingStatus, Tag,
        VerificationStatus,
    },
};
use lambda_runtime::Error;
use shared::{
    app::{AppRecord, Tenant},
    config,
    email::EmailAddress,
    id::Superkey,
    store::StoreError,
};

/// How long one call may take: SES's management is slower than its sending.
const PATIENCE: Duration = Duration::from_secs(5);
/// The tag by which a deployment knows the identities that it made. Its policies name it too.
const TAG: &str = "AtomCustomers";

/// A client, and what this deployment has in SES.
#[derive(Debug)]
pub struct Ses {
    client: Client,
    /// Whether each App has a tenant.
    pub has_tenants: bool,
    /// The stack's name, by which it knows its own in SES.
    pub stack: String,
    identity: String,
    configuration_set: String,
}

/// What SES says of a domain that mails are to come from.
#[derive(Debug)]
pub struct Identity {
    /// Whether mails may come from it.
    pub is_verified: bool,
    /// The status of its verification, in SES's word.
    pub verification: String,
    /// The status of its signatures.
    pub dkim: String,
    /// The status of the domain that bounces go to.
    pub mail_from: String,
    /// The names of the keys that sign.
    pub tokens: Vec<String>,
    /// The zone of the keys.
    pub zone: String,
}

impl Ses {
    /// Reads the settings.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, Error> {
        Ok(Self::new(
            sdk,
            config::switch("MAIL_TENANTS")?,
            [
                config::required("STACK_NAME")?,
                config::required("MAIL_IDENTITY_ARN")?,
                config::required("MAIL_SET_ARN")?,
            ],
        ))
    }

    /// A client for the stack of this name, with the ARNs of its identity and of its configuration set.
    #[must_use]
    pub fn new(sdk: &SdkConfig, has_tenants: bool, [stack, identity, configuration_set]: [String; 3]) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).operation_timeout(PATIENCE).build();
        let ses = Builder::from(sdk).timeout_config(timeouts).retry_config(RetryConfig::standard()).build();
        Self { client: Client::from_conf(ses), has_tenants, stack, identity, configuration_set }
    }

    /// Takes an address off the suppression list, if it is on it.
    ///
    /// # Errors
    /// What SES or the network answered.
    pub async fn allow(&self, address: &EmailAddress) -> Result<(), StoreError> {
        let removed = self.client.delete_suppressed_destination().email_address(address.deliverable()).send().await;
        done(removed, "NotFoundException")
    }

    /// The tenant that an App is to have.
    fn tenant(&self, superkey: &Superkey) -> Tenant {
        Tenant {
            name: Tenant::name_of(&self.stack, superkey),
            identity: self.identity.clone(),
            configuration_set: self.configuration_set.clone(),
        }
    }

    /// Whether the App's record names the tenant that it is to have.
    #[must_use]
    pub fn has_its_tenant(&self, app: &AppRecord) -> bool {
        app.tenant.as_ref() == Some(&self.tenant(&app.superkey))
    }

    /// Makes an App's tenant with all that a mail of its is sent with.
    ///
    /// # Errors
    /// What SES or the network answered. A repeated call goes on from there.
    pub async fn make_tenant(&self, superkey: &Superkey) -> Result<Tenant, StoreError> {
        let tenant = self.tenant(superkey);
        let made = self.client.create_tenant().tenant_name(&tenant.name).send().await;
        done(made, ALREADY)?;
        self.associate(&tenant, &tenant.identity).await?;
        self.associate(&tenant, &tenant.configuration_set).await?;
        Ok(tenant)
    }

    /// Lets a tenant's mails be sent with a resource.
    async fn associate(&self, tenant: &Tenant, arn: &str) -> Result<(), StoreError> {
        let call = self.client.create_tenant_resource_association().tenant_name(&tenant.name).resource_arn(arn);
        done(call.send().await, ALREADY)
    }

    /// A tenant's sending status, in SES's word; `None` where there is no such tenant.
    ///
    /// # Errors
    /// What SES or the network answered.
    pub async fn sending_status(&self, tenant: &Tenant) -> Result<Option<String>, StoreError> {
        Ok(self.look_up(tenant).await?.map(|(_, status)| status))
    }

    /// Lets SES take a tenant's mails, or refuse them. There is nothing to do where there is no such tenant.
    ///
    /// # Errors
    /// What SES or the network answered.
    pub async fn set_sending(&self, tenant: &Tenant, is_enabled: bool) -> Result<(), StoreError> {
        let Some((arn, _)) = self.look_up(tenant).await? else { return Ok(()) };
        let status = if is_enabled { SendingStatus::Enabled } else { SendingStatus::Disabled };
        let call = self.client.update_reputation_entity_customer_managed_status();
        let call = call.reputation_entity_type(ReputationEntityType::Resource).reputation_entity_reference(arn);
        done(call.sending_status(status).send().await, "")
    }

    /// The ARN and the sending status of a tenant.
    async fn look_up(&self, tenant: &Tenant) -> Result<Option<(String, String)>, StoreError> {
        let found = self.client.get_tenant().tenant_name(&tenant.name).send().await;
        let Some(found) = unless(found, "NotFoundException")?.and_then(|found| found.tenant) else { return Ok(None) };
        let status = found.sending_status.map(|status| status.as_str().to_owned()).unwrap_or_default();
        Ok(Some((found.tenant_arn.unwrap_or_default(), status)))
    }

    /// Makes a domain an identity of this deployment's, if it is none, and lets the tenant's mails come from it. `None`
    /// where it is somebody else's.
    ///
    /// # Errors
    /// What SES or the network answered. A repeated call goes on from there.
    pub async fn make_identity(&self, domain: &str, tenant: &Tenant) -> Result<Option<Identity>, StoreError> {
        let tag = Tag::builder().key(TAG).value(&self.stack).build()?;
        let made = self.client.create_email_identity().email_identity(domain).tags(tag).send().await;
        match unless(made, ALREADY) {
            // The policy knows another deployment's by its tag.
            Err(error) if error.to_string() == format!("SES: {DENIED}") => return Ok(None),
            made => made?,
        };
        let Some(found) = self.read_identity(domain).await? else { return Ok(None) };
        let (mut identity, mail_from) = (Identity::of(&found), mail_from(domain));
        if found.mail_from_attributes().is_none_or(|it| it.mail_from_domain() != mail_from) {
            // Until its MX record is there, SES sends from its own domain.
            let call = self.client.put_email_identity_mail_from_attributes().email_identity(domain);
            let call = call.mail_from_domain(mail_from).behavior_on_mx_failure(BehaviorOnMxFailure::UseDefaultValue);
            done(call.send().await, "")?;
            identity.mail_from = word(Some(MailFromDomainStatus::Pending.as_str()));
        }
        if found.feedback_forwarding_status() {
            // A bounce may quote the passcode. Events say all that is needed.
            let call = self.client.put_email_identity_feedback_attributes().email_identity(domain);
            done(call.email_forwarding_enabled(false).send().await, "")?;
        }
        self.associate(tenant, &self.arn_of(domain)).await?;
        Ok(Some(identity))
    }

    /// What SES says of a domain; `None` where it is none of this deployment's.
    ///
    /// # Errors
    /// What SES or the network answered.
    pub async fn identity(&self, domain: &str) -> Result<Option<Identity>, StoreError> {
        Ok(self.read_identity(domain).await?.as_ref().map(Identity::of))
    }

    /// The policy lets this function read identities with this deployment's tag, so a refusal says that it is another's.
    async fn read_identity(&self, domain: &str) -> Result<Option<GetEmailIdentityOutput>, StoreError> {
        let found = self.client.get_email_identity().email_identity(domain).send().await;
        let is_ours = |tag: &Tag| tag.key() == TAG && tag.value() == self.stack;
        Ok(unless(found, DENIED)?.filter(|found| found.tags().iter().any(is_ours)))
    }

    fn arn_of(&self, domain: &str) -> String {
        let account = self.identity.split_once(":identity/").map_or("", |(account, _)| account);
        format!("{account}:identity/{domain}")
    }

    /// The records of DNS that a domain needs: type, name and value.
    #[must_use]
    pub fn records(&self, domain: &str, identity: &Identity) -> Vec<[String; 3]> {
        let record = |kind: &str, name: String, value: String| [kind.to_owned(), name, value];
        // arn:aws:ses:eu-west-1:…
        let region = self.identity.split(':').nth(3).unwrap_or_default();
        let keys = identity
            .tokens
            .iter()
            .map(|token| record("CNAME", format!("{token}._domainkey.{domain}"), format!("{token}.{}", identity.zone)));
        let more = [
            record("MX", mail_from(domain), format!("10 feedback-smtp.{region}.amazonses.com")),
            record("TXT", mail_from(domain), "\"v=spf1 include:amazonses.com -all\"".to_owned()),
            record("TXT", format!("_dmarc.{domain}"), "\"v=DMARC1; p=none\"".to_owned()),
        ];
        keys.chain(more).collect()
    }
}

impl Identity {
    fn of(found: &GetEmailIdentityOutput) -> Self {
        let dkim = found.dkim_attributes();
        let zone = dkim.and_then(|dkim| dkim.signing_hosted_zone()).unwrap_or("dkim.amazonses.com");
        let mail_from = found.mail_from_attributes().map(|it| it.mail_from_domain_status().as_str());
        Self {
            is_verified: found.verified_for_sending_status(),
            verification: word(found.verification_status().map(VerificationStatus::as_str)),
            dkim: word(dkim.and_then(|dkim| dkim.status()).map(DkimStatus::as_str)),
            mail_from: word(mail_from),
            tokens: dkim.map(|dkim| dkim.tokens().to_vec()).unwrap_or_default(),
            zone: zone.to_owned(),
        }
    }
}

/// The domain that bounces of a domain's mails go to.
fn mail_from(domain: &str) -> String {
    format!("bounce.{domain}")
}

/// A status as the operator reads it.
pub fn word(status: Option<&str>) -> String {
    status.unwrap_or("unknown").to_ascii_lowercase()
}

const ALREADY: &str = "AlreadyExistsException";
const DENIED: &str = "AccessDeniedException";

/// What was answered; nothing for an error with this code. An error is told by its code: its message may name addresses.
fn unless<T, E: ProvideErrorMetadata, R>(
    result: Result<T, SdkError<E, R>>,
    code: &str,
) -> Result<Option<T>, StoreError> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == Some(code) => Ok(None),
        Err(error) => Err(format!("SES: {}", error.code().unwrap_or("no answer")).into()),
    }
}

/// As [`unless`], for what answers nothing.
fn done<T, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>, code: &str) -> Result<(), StoreError> {
    unless(result, code).map(drop)
}

//! What SES knows of an account besides its mails: identities, and tenants with what they may send with.
//!
//! Refusals have the words that SES was seen to answer; the one of a tenant that is paused is a guess.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::{
    files, ids,
    template::{ACCOUNT, Function, REGION},
};

/// What SES answers to a call that it refuses: status, type and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub StatusCode, pub &'static str, pub String);

/// The account. It is kept in a file where there is a data folder, since the records of Apps name what is in it.
#[derive(Default)]
pub struct Account {
    state: Mutex<State>,
    file: Option<PathBuf>,
}

#[derive(Default, Serialize, Deserialize)]
struct State {
    identities: BTreeMap<String, Identity>,
    tenants: BTreeMap<String, Tenant>,
    configuration_sets: BTreeSet<String>,
}

/// A domain or an address that mails may come from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Identity {
    /// Whether its records are in DNS, as far as anybody has said so here.
    pub is_verified: bool,
    /// The names of its keys.
    pub tokens: Vec<String>,
    /// Where bounces go.
    pub mail_from: Option<String>,
    /// Whether bounces are mailed to the sender, too.
    pub is_forwarding: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: String,
    /// Its sending status.
    pub status: String,
    /// The ARNs of what it may send with.
    pub resources: BTreeSet<String>,
}

/// The ARN of something of SES's in this account.
#[must_use]
pub fn arn(resource: &str) -> String {
    format!("arn:aws:ses:{REGION}:{ACCOUNT}:{resource}")
}

impl Tenant {
    /// Its ARN, which holds its name and its id.
    #[must_use]
    pub fn arn(&self, name: &str) -> String {
        arn(&format!("tenant/{name}/{}", self.id))
    }
}

impl Account {
    /// The account that `folder` keeps, if there is one, with the identities and configuration sets that the functions'
    /// statements name: a deployment has those.
    ///
    /// # Errors
    /// A file that cannot be read, or that is damaged.
    pub fn open(folder: Option<&Path>, functions: &[Function]) -> Result<Self> {
        let file = folder.map(|folder| folder.join("ses.json"));
        let kept = file.as_deref().and_then(|file| std::fs::read(file).ok());
        let kept = kept.map(|text| serde_json::from_slice(&text)).transpose().context("ses.json is damaged")?;
        let mut state: State = kept.unwrap_or_default();
        let resources = functions.iter().flat_map(|function| &function.statements).flat_map(resources_of);
        for resource in resources.filter(|resource| !resource.contains('*')) {
            let Some((_, name)) = resource.split_once(&arn("")) else { continue };
            if let Some(identity) = name.strip_prefix("identity/") {
                let verified = || Identity { is_verified: true, ..Identity::default() };
                state.identities.entry(identity.to_owned()).or_insert_with(verified);
            } else if let Some(set) = name.strip_prefix("configuration-set/") {
                state.configuration_sets.insert(set.to_owned());
            }
        }
        Ok(Self { state: Mutex::new(state), file })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the account, and keeps it.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let mut state = self.lock();
        let done = change(&mut state)?;
        if let Some(file) = &self.file {
            // What cannot be kept is there all the same, until the system ends.
            let _ = files::write_private(file, serde_json::to_string(&*state).unwrap_or_default().as_bytes());
        }
        Ok(done)
    }

    /// The identity of this name.
    #[must_use]
    pub fn identity(&self, name: &str) -> Option<Identity> {
        self.lock().identities.get(name).cloned()
    }

    /// The tenant of this name.
    #[must_use]
    pub fn tenant(&self, name: &str) -> Option<Tenant> {
        self.lock().tenants.get(name).cloned()
    }

    /// Makes an identity that is still to be verified.
    pub(super) fn create_identity(&self, name: &str, tags: BTreeMap<String, String>) -> Result<(), Refusal> {
        if name.is_empty() || !name.contains('.') {
            return Err(bad("The identity must be a domain or an address."));
        }
        self.change(|state| {
            if state.identities.contains_key(name) {
                return Err(exists(format!("Email identity {name} already exist.")));
            }
            let tokens = (0..3).map(|_| ids::uuid().replace('-', "")).collect();
            let identity = Identity { tokens, tags, is_forwarding: true, ..Identity::default() };
            state.identities.insert(name.to_owned(), identity);
            Ok(())
        })
    }

    /// Changes an identity.
    pub(super) fn change_identity(&self, name: &str, change: impl FnOnce(&mut Identity)) -> Result<(), Refusal> {
        self.change(|state| {
            let identity = state.identities.get_mut(name);
            change(identity.ok_or_else(|| missing(format!("Email identity {name} does not exist.")))?);
            Ok(())
        })
    }

    /// Says that the records of an identity are in DNS, or that they are not; says whether there is such an identity.
    #[must_use]
    pub fn verify(&self, name: &str, is_verified: bool) -> bool {
        self.change_identity(name, |identity| identity.is_verified = is_verified).is_ok()
    }

    /// Makes a tenant.
    pub(super) fn create_tenant(&self, name: &str) -> Result<Tenant, Refusal> {
        let taken = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(taken) {
            return Err(bad("A tenant's name has 1 to 64 letters, digits, hyphens and underscores."));
        }
        self.change(|state| {
            if state.tenants.contains_key(name) {
                return Err(exists(format!("Tenant <{name}> already exists.")));
            }
            let id = format!("tn-{}", &ids::uuid().replace('-', "")[..30]);
            let tenant = Tenant { id, status: "ENABLED".to_owned(), resources: BTreeSet::new() };
            state.tenants.insert(name.to_owned(), tenant.clone());
            Ok(tenant)
        })
    }

    /// Lets a tenant send with a resource, which has to be there. Once more is as good as once.
    pub(super) fn associate(&self, tenant: &str, resource: &str) -> Result<(), Refusal> {
        self.change(|state| {
            let there = resource.strip_prefix(&arn("")).is_some_and(|name| match name.split_once('/') {
                Some(("identity", name)) => state.identities.contains_key(name),
                Some(("configuration-set", name)) => state.configuration_sets.contains(name),
                _ => false,
            });
            if !there {
                return Err(missing(format!("Resource <{resource}> does not exist.")));
            }
            let tenant = state.tenants.get_mut(tenant).ok_or_else(|| no_tenant(tenant))?;
            tenant.resources.insert(resource.to_owned());
            Ok(())
        })
    }

    /// Sets the sending status of the tenant with this ARN.
    pub(super) fn set_status(&self, tenant_arn: &str, status: &str) -> Result<(), Refusal> {
        if !["ENABLED", "DISABLED", "REINSTATED"].contains(&status) {
            return Err(bad("The sending status is none."));
        }
        self.change(|state| {
            let mut tenants = state.tenants.iter_mut();
            let found = tenants.find(|(name, tenant)| tenant.arn(name) == tenant_arn);
            let (_, tenant) = found.ok_or_else(|| bad("The reputation entity does not exist."))?;
            status.clone_into(&mut tenant.status);
            Ok(())
        })
    }

    /// Pauses a tenant as SES does by itself; answers its ARN, if there is such a tenant.
    #[must_use]
    pub fn pause(&self, name: &str) -> Option<String> {
        let arn = self.tenant(name)?.arn(name);
        self.set_status(&arn, "DISABLED").ok().map(|()| arn)
    }

    /// Takes a tenant away, as somebody may in the console; says whether it was there.
    #[must_use]
    pub fn delete_tenant(&self, name: &str) -> bool {
        self.change(|state| Ok(state.tenants.remove(name).is_some())) == Ok(true)
    }

    /// Whether a mail may be sent from this address, with this configuration set and through this tenant.
    pub(super) fn check(&self, from: &str, set: &str, tenant: Option<&str>) -> Result<(), Refusal> {
        let state = self.lock();
        let (address, identity) = state.identity_of(from);
        if let Some(name) = tenant {
            let unknown = || missing(format!("Tenant {name} for AwsAccountId {ACCOUNT} not found."));
            let tenant = state.tenants.get(name).ok_or_else(unknown)?;
            if tenant.status == "DISABLED" {
                let message = format!("Sending is paused for the tenant {name}.");
                return Err(Refusal(StatusCode::BAD_REQUEST, "SendingPausedException", message));
            }
            let needed =
                [Some(format!("identity/{address}")), (!set.is_empty()).then(|| format!("configuration-set/{set}"))];
            let needed = needed.iter().flatten().map(|resource| arn(resource));
            let lacking: Vec<String> = needed.filter(|resource| !tenant.resources.contains(resource)).collect();
            if !lacking.is_empty() {
                let message = format!("Tenant not associated with resources [{}].", lacking.join(", "));
                return Err(Refusal(StatusCode::FORBIDDEN, "AccessDeniedException", message));
            }
        }
        // A template that names no identity says nothing of who may send.
        if state.identities.is_empty() || identity.is_some_and(|identity| identity.is_verified) {
            return Ok(());
        }
        let message = format!(
            "Email address is not verified. The following identities failed the check in region {}: {from}",
            REGION.to_uppercase()
        );
        Err(Refusal(StatusCode::BAD_REQUEST, "MessageRejected", message))
    }
}

impl State {
    /// The identity that an address belongs to: its own where there is one, else its domain's.
    fn identity_of<'a>(&'a self, address: &'a str) -> (&'a str, Option<&'a Identity>) {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        match self.identities.get(address) {
            Some(identity) => (address, Some(identity)),
            None => (domain, self.identities.get(domain)),
        }
    }
}

fn resources_of(statement: &serde_json::Value) -> Vec<String> {
    match &statement["Resource"] {
        serde_json::Value::Array(list) => list.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect(),
    }
}

pub(super) fn no_tenant(name: &str) -> Refusal {
    missing(format!("Tenant <{name}> does not exist."))
}

fn bad(message: &str) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, "BadRequestException", message.to_owned())
}

fn exists(message: String) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, "AlreadyExistsException", message)
}

pub(super) fn missing(message: String) -> Refusal {
    Refusal(StatusCode::NOT_FOUND, "NotFoundException", message)
}

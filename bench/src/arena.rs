//! Where all contestants run: backends behind TLS, filled with the records that the events speak of.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result, ensure};
use local::{
    binaries::project_root,
    system::{Backends, Options},
    template::REGION,
};
use serde_json::Value;

use crate::{contestants::Contestant, process::Process, tls::Authority};

/// Backends, ready to be called.
pub struct Arena {
    /// The backends, past TLS.
    pub backends: Backends,
    /// Who stands before them.
    pub authority: Authority,
    fixtures: Value,
    environment: BTreeMap<String, String>,
}

impl Arena {
    /// Starts the backends; `folder` takes the certificates.
    ///
    /// # Errors
    /// As [`Backends::start`] and [`Authority::new`].
    pub async fn open(folder: &Path) -> Result<Self> {
        let root = project_root()?;
        let read = |name: &str| -> Result<Value> {
            let file = root.join("events").join(name);
            Ok(serde_json::from_slice(&std::fs::read(&file).with_context(|| format!("cannot read {name}"))?)?)
        };
        let (fixtures, fixed) = (read("fixtures.json")?, read("env.json")?["Parameters"].clone());
        let options = Options::new(std::fs::read_to_string(root.join("template.yaml"))?);
        let backends = Backends::start(&options).await?;
        let authority = Authority::new(folder.to_path_buf())?;
        let mut environment = backends.environment(&fixed, &options);
        environment.extend(authority.environment().map(|(name, value)| (name.to_owned(), value)));
        for (variable, url) in [("DYNAMODB", &backends.dynamodb), ("SESV2", &backends.mail)] {
            environment.insert(format!("AWS_ENDPOINT_URL_{variable}"), authority.front(url).await?);
        }
        let lambda = [
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
            ("AWS_DEFAULT_REGION", REGION),
            ("LANG", "en_US.UTF-8"),
            ("TZ", ":UTC"),
        ];
        environment.extend(lambda.map(|(name, value)| (name.to_owned(), value.to_owned())));
        environment.extend(std::env::var("PATH").ok().map(|path| ("PATH".to_owned(), path)));
        let arena = Self { backends, authority, fixtures, environment };
        arena.reset()?;
        Ok(arena)
    }

    /// Puts every record back to what it was.
    ///
    /// # Errors
    /// A failure of the database.
    pub fn reset(&self) -> Result<()> {
        self.backends.mailbox.clear();
        self.backends.tables.replace(&self.fixtures)
    }

    /// Starts a contestant, under the tool that `wrapper` names, if any.
    ///
    /// # Errors
    /// One that does not start.
    pub async fn start(&self, contestant: &Contestant, wrapper: &[String]) -> Result<Process> {
        let mut environment = self.environment.clone();
        let (name, function) = (format!("{}.0", contestant.acts_as), contestant.acts_as.clone());
        environment.extend([("AWS_ACCESS_KEY_ID".to_owned(), name), ("AWS_LAMBDA_FUNCTION_NAME".to_owned(), function)]);
        environment.extend(contestant.environment.clone());
        let command: Vec<String> = wrapper.iter().chain(&contestant.command).cloned().collect();
        Process::start(&command, &environment).await.with_context(|| contestant.name.clone())
    }

    /// Sends a contestant its event, on records as they were at first, and checks that it answers as it should. Returns
    /// how many seconds the answer took.
    ///
    /// # Errors
    /// A failure, and any answer but success.
    pub async fn ask(&self, contestant: &Contestant, process: &mut Process) -> Result<f64> {
        if contestant.leaves_traces() {
            self.reset()?;
        }
        let (answer, took) = process.invoke(&contestant.event).await.with_context(|| contestant.name.clone())?;
        let status = answer["statusCode"].as_u64().unwrap_or(200);
        ensure!((200..400).contains(&status), "{} answered {answer}", contestant.name);
        Ok(took.as_secs_f64())
    }
}

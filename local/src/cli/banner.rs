//! What is printed once everything answers.

use std::collections::BTreeMap;

use crate::{
    demo::Demo,
    system::{Backends, System},
};

/// What a newcomer needs, in lines that fit a terminal: where everything is, and a first walk through the API, to be pasted.
pub fn introduce(system: &System, partner: &str, Demo { app, platform }: &Demo) -> String {
    let (api, mail, dynamodb) = (&system.api, &system.backends.mail, &system.backends.dynamodb);
    format!(
        "
Begin here  {api}/ (all of this, in a browser)
Demo site   {partner}/ (sign up, and read the code in the mailbox)
Mailbox     {mail}/
Inspector   {api}/inspector/ (each request and what it did)
Reference   {api}/docs/
DynamoDB    {dynamodb}

The demo App and its platform, for another shell:
  API={api} MAILBOX={mail}
  SUPERKEY={}
  SUPERTOKEN={}
  PLATFORMKEY={}
  PLATFORMTOKEN={}
  as_app() {{ curl -sS -w '\\n' \\
    -H \"x-access-superkey: $SUPERKEY\" -H \"x-access-supertoken: $SUPERTOKEN\" \\
    \"$@\"; }}

Create a customer, and have a passcode mailed:
  as_app $API/customer -d '{{\"company\": \"Ada Ltd\", \"email\": \"ada@example.com\"}}'
  as_app $API/customer/ada@example.com/passcode

Exchange it for the customer's credentials (write yours for 12345678):
  as_app \"$API/customer/ada@example.com/auth?passcode=12345678\"

Send the customer to the platform, with a ticket in the Location:
  as_app -i $API/customer/ada@example.com/sso

Each request is a line below. Ctrl-C ends it.",
        app.superkey, app.supertoken, platform.platformkey, platform.platformtoken
    )
}

/// Where the backends are, and the variables by which functions that run elsewhere find them and their settings.
pub fn introduce_backends(backends: &Backends, environment: &BTreeMap<String, String>) -> String {
    let (mail, dynamodb) = (&backends.mail, &backends.dynamodb);
    let exports = environment.iter().map(|(name, value)| format!("  export {name}='{value}'\n"));
    let exports: String = exports.collect();
    format!(
        "
Mailbox   {mail}
DynamoDB  {dynamodb}

For `cargo lambda watch`, in its shell:
{exports}
For `sam local`, after `sam build` (docs/deploy.md says how):
  sam local start-api --env-vars events/env.json --add-host host.docker.internal:host-gateway
The file names the ports 9001 and 9002. On Linux, containers reach this machine by the address of Docker's bridge alone:
  --backends-only --mail 172.17.0.1:9001 --dynamodb 172.17.0.1:9002

Ctrl-C ends it."
    )
}

//! What is printed once everything answers.

use std::collections::BTreeMap;

use crate::{
    demo::Demo,
    system::{Backends, System},
};

/// What a newcomer needs: where everything is, and a first walk through the API, line by line to be pasted.
pub fn introduce(system: &System, partner: &str, Demo { app, platform }: &Demo) -> String {
    let (api, mail, dynamodb) = (&system.api, &system.backends.mail, &system.backends.dynamodb);
    let credentials = format!("-H 'x-access-superkey: {}' -H 'x-access-supertoken: {}'", app.superkey, app.supertoken);
    let platform_credentials = format!(
        "-H 'x-access-platformkey: {}' -H 'x-access-platformtoken: {}'",
        platform.platformkey, platform.platformtoken
    );
    format!(
        "
Begin here  {api} (in a browser: all of this, to read and to copy)
Demo site   {partner} (sign up, and read the code in the mailbox)
Mailbox     {mail}
Inspector   {api}/inspector/ (each request and what it did)
Reference   {api}/docs/
DynamoDB    {dynamodb}

Demo App       superkey     {}
               supertoken   {}
Demo platform  platformkey    {}
               platformtoken  {}

Create a customer:
  curl -i {api}/customer {credentials} -d '{{\"company\": \"Analytical Engines\", \"email\": \"ada@example.com\"}}' -H 'content-type: application/json'
Mail a passcode, and read it at {mail} :
  curl -i {api}/customer/ada@example.com/passcode {credentials}
Exchange the passcode for the customer's credentials (write yours for 12345678):
  curl -i '{api}/customer/ada@example.com/auth?passcode=12345678' {credentials}
Send the customer to the platform, which redeems the ticket in the Location (write it for TICKET):
  curl -i {api}/customer/ada@example.com/sso {credentials}
  curl -i {api}/sso/redeem {platform_credentials} -d '{{\"ticket\": \"TICKET\"}}' -H 'content-type: application/json'

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

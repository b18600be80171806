//! The table of the operator's commands: what each is called, what it does, and what it takes.
//!
//! The function `operator` dispatches by it, `operate` helps and completes by it, and `docs/operations.md` prints it.

/// What a command does to what is kept, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It only shows.
    Reads,
    /// It changes something.
    Changes,
    /// It takes away what no command brings back.
    Erases,
}

impl Effect {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Changes => "changes",
            Self::Erases => "erases",
        }
    }
}

/// A field of a command.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name; with a dot, a field of an object.
    pub name: &'static str,
    /// Whether the command needs it.
    pub required: bool,
    /// An example, for a field that is JSON and no text.
    pub json: Option<&'static str>,
    /// What it is.
    pub hint: &'static str,
}

/// A command of the operator's.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Which one it is.
    pub id: Id,
    /// Its name.
    pub name: &'static str,
    /// What it does to what is kept.
    pub effect: Effect,
    /// What it does, in a sentence or two.
    pub does: &'static str,
    groups: &'static [&'static [Field]],
}

impl Command {
    /// Its fields, those that it needs first.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.groups.iter().copied().flatten()
    }
}

/// The command of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

const fn needs(name: &'static str, hint: &'static str) -> Field {
    Field { name, required: true, json: None, hint }
}

const fn may(name: &'static str, hint: &'static str) -> Field {
    Field { name, required: false, json: None, hint }
}

const fn may_json(name: &'static str, json: &'static str, hint: &'static str) -> Field {
    Field { name, required: false, json: Some(json), hint }
}

const SUPERKEY: &[Field] = &[needs("superkey", "the App's key")];
const PLATFORMKEY: &[Field] = &[needs("platformkey", "the platform's key")];
const CUID: &[Field] = &[needs("cuid", "the customer's id")];
const LIST: &[Field] = &[
    may_json("limit", "100", "how many at most, 1 to 1000; 100 without it"),
    may("cursor", "where to go on, from an earlier list"),
];
const GRANTS: Field = may_json("grants", "[\"passcode\"]", "what it may do besides: passcode, nopasscode");
const PLATFORM: Field = may("platform", "the platformkey of where single sign-on leads; null for nowhere");
const MAILS_PER_DAY: Field =
    may_json("mails_per_day", "5000", "how many mails it may send a day (UTC); 5000 without it");
const TEST: Field = may_json("test", "true", "whether it mails nothing and is told the passcodes, for ever");
/// Beside the brand's name, which an App with a brand needs.
const BRAND: &[Field] = &[
    may("brand.name", "the name in subject and text of its mails"),
    may("brand.from_name", "the sender's name, if another"),
    may("brand.reply_to", "the address that answers go to"),
    may("brand.colour", "#rrggbb, for the head of the mail"),
    may("brand.logo_url", "an https URL of a picture for the head of the mail"),
    may("brand.support_email", "an address for questions, named in the mail"),
    may("brand.language", "the language of its mails, such as pt-BR"),
    may("brand.site", "the host name of the site on which telephones offer the code"),
];
const PROFILE: &[Field] = &[
    may("company", "another company, never empty"),
    may("email", "another address, which no other customer of the App has"),
    may("name", "a name; empty takes it away, as for all below"),
    may("address", "street and house"),
    may("country", "a country"),
    may("city", "a city"),
    may("zip", "a postal code"),
    may("state", "a state"),
    may("phone", "a telephone number"),
    may("website", "an http or https URL"),
    may("language", "the language of the customer's mails, such as pt-BR"),
    may_json("keep_pairs", "true", "whether the pairs outlive a change of address; they end without it"),
];

macro_rules! commands {
    ($($id:ident $name:literal $effect:ident $does:literal $groups:expr;)*) => {
        /// Each command by a name that the compiler knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the table says what each does")]
        pub enum Id { $($id),* }

        /// Every command, in the order in which they are shown.
        pub const COMMANDS: &[Command] = &[
            $(Command { id: Id::$id, name: $name, effect: Effect::$effect, does: $does, groups: &$groups }),*
        ];
    };
}

commands! {
    CreateApp "create_app" Changes
        "Gives a partner an App. Its supertoken is shown this once."
        [&[needs("name", "the App's name, which its mails have where it has no brand"), GRANTS, PLATFORM, MAILS_PER_DAY, TEST], BRAND];
    ShowApp "show_app" Reads "Shows an App." [SUPERKEY];
    ListApps "list_apps" Reads "Lists the Apps." [LIST];
    ChangeApp "change_app" Changes
        "Changes what is given of an App. A brand replaces the whole brand that was there."
        [SUPERKEY, &[may("name", "another name"), GRANTS, PLATFORM, MAILS_PER_DAY], BRAND];
    SuspendApp "suspend_app" Changes
        "Stops an App: its own calls are refused. The pairs that its customers hold go on."
        [SUPERKEY];
    ResumeApp "resume_app" Changes "Lets a suspended App go on." [SUPERKEY];
    SuspendMail "suspend_mail" Changes
        "Stops an App's mails: passcodes are refused with 401. All else goes on."
        [SUPERKEY];
    ResumeMail "resume_mail" Changes "Lets an App's mails go on." [SUPERKEY];
    SetSender "set_sender" Changes
        "Lets an App's mails come from an address of the partner's own, and tells the DNS records that this needs."
        [SUPERKEY, &[needs("from_address", "the address; :=null for the deployment's")]];
    MakeTenants "make_tenants" Changes
        "Gives an SES tenant to each App that lacks one, or whose tenant lacks the identity or configuration set. May be repeated."
        [&[
            may("superkey", "one App alone, whatever its record says"),
            may_json("limit", "100", "how many Apps at most, 1 to 1000; 100 without it"),
        ]];
    CreatePlatform "create_platform" Changes
        "Connects a platform. Its platformtoken is shown this once."
        [&[needs("name", "the platform's name"), needs("url", "where single sign-on leads: https, or http on loopback")]];
    ShowPlatform "show_platform" Reads "Shows a platform." [PLATFORMKEY];
    ListPlatforms "list_platforms" Reads "Lists the platforms." [LIST];
    ChangePlatform "change_platform" Changes
        "Changes what is given of a platform."
        [PLATFORMKEY, &[may("name", "another name"), may("url", "another place to lead to")]];
    SuspendPlatform "suspend_platform" Changes
        "Stops a platform: it redeems no ticket, and none is issued for it."
        [PLATFORMKEY];
    ResumePlatform "resume_platform" Changes "Lets a suspended platform go on." [PLATFORMKEY];
    RotateToken "rotate_token" Changes
        "Replaces the token of an App or a platform. The new one is shown this once."
        [&[
            needs("key", "a superkey or a platformkey"),
            may_json("overlap_seconds", "3600", "how long the latest token stays good, up to 86400; 0 without it"),
        ]];
    MendCopies "mend_copies" Changes
        "Writes those copies of Apps' and platforms' records that are missing or differ from the record. May be repeated."
        [&[may_json("limit", "100", "how many records at most, 1 to 1000; 100 without it")]];
    FindCustomer "find_customer" Reads
        "Finds the customer of an App who has an address."
        [SUPERKEY, &[needs("email", "the address")]];
    ShowCustomer "show_customer" Reads "Shows a customer." [CUID];
    ChangeCustomer "change_customer" Changes
        "Corrects what is given of a customer's record, the address too."
        [CUID, PROFILE];
    SuspendCustomer "suspend_customer" Changes
        "Stops a customer: their pairs, passcodes and tickets are refused."
        [CUID];
    ResumeCustomer "resume_customer" Changes "Lets a suspended customer go on." [CUID];
    RevokeCredentials "revoke_credentials" Changes
        "Signs a customer out: ends one pair, or every pair with the living passcode and tickets."
        [CUID, &[may("key", "the pair that ends; all end without it")]];
    AllowMail "allow_mail" Changes
        "Lets mails to a customer's address be tried again, after a bounce, a complaint or a suppression."
        [CUID];
    ResetLimits "reset_limits" Changes
        "Lets a customer's limits of mails and guesses begin anew. A living passcode stays, and so do the day's budgets."
        [CUID];
    EraseCustomer "erase_customer" Erases
        "Erases a customer: record and address are gone, pairs, passcode and tickets dead at once."
        [CUID];
}

//! Words and figures in documents, pages and examples are those of the code and the template.
//!
//! A row is a sentence with the figure filled in: who changes the figure is told every place that still says the old one,
//! and who words a sentence anew words its row anew.

use std::{collections::BTreeSet, fs};

use shared::{
    app::Grant,
    passcode::limits::{
        DIGITS, FAILURES_IN_A_ROW, GUESSES_PER_PASSCODE, MAIL_WINDOWS, MAILS_PER_APP, MAILS_PER_MAILBOX, PAUSE,
        UNDELIVERABLE_FOR,
    },
};

use crate::{read, root, template};

/// The file as one line, so that a sentence may be broken anywhere.
fn flat(path: &str) -> String {
    read(path).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Fails with all that is not said.
#[track_caller]
fn assert_said(said: &[(&str, String)]) {
    let missing: Vec<_> = said.iter().filter(|(path, sentence)| !flat(path).contains(sentence)).collect();
    assert!(missing.is_empty(), "not said any more: {missing:#?}");
}

/// A small number, as a sentence has it.
fn word(number: usize) -> &'static str {
    const WORDS: [&str; 16] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
        "thirteen", "fourteen", "fifteen",
    ];
    WORDS[number]
}

fn capital(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

/// A setting of the template, in seconds.
fn seconds(variable: &str) -> u64 {
    let value = template().functions.into_iter().find_map(|function| function.environment.get(variable).cloned());
    value.unwrap().parse().unwrap()
}

/// `7776000` as `7,776,000`.
fn with_commas(number: u64) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", with_commas(number / 1000), number % 1000) }
}

#[test]
fn how_long_things_are_valid_is_said_alike() {
    let (passcode, cooldown) = (seconds("PASSCODE_TTL_SECONDS"), seconds("PASSCODE_COOLDOWN_SECONDS"));
    let (ticket, pair) = (seconds("TICKET_TTL_SECONDS"), seconds("CREDENTIAL_TTL_SECONDS"));
    let (minutes, days) = (passcode / 60, pair / 86400);
    assert_eq!((passcode, pair), (minutes * 60, days * 86400), "the sentences below speak of minutes and days");
    assert_said(&[
        ("openapi.yaml", format!("A passcode is valid for {minutes} minutes from its first mail")),
        ("openapi.yaml", format!("{} minutes do not start anew", word(usize::try_from(minutes).unwrap()))),
        ("openapi.yaml", format!("Within {cooldown} seconds of a mail")),
        ("openapi.yaml", format!("each for {days} days, until they expire")),
        ("openapi.yaml", format!("The ticket is valid for {ticket} seconds and one redemption")),
        ("README.md", format!("The platform redeems the ticket**, once, within {ticket} seconds")),
        ("docs/deploy.md", format!("| `PasscodeTtlSeconds`, `PasscodeCooldownSeconds` | {passcode}, {cooldown} |")),
        ("docs/deploy.md", format!("| `TicketTtlSeconds`, `CredentialTtlSeconds` | {ticket}, {} |", with_commas(pair))),
        ("docs/security.md", format!("{minutes} minutes decided on read")),
    ]);
}

#[test]
fn the_digits_of_a_passcode_are_said_alike() {
    let digits = word(DIGITS);
    // From six on, the fewest that there may be.
    let [french, spanish] = [["six", "sept", "huit", "neuf", "dix"], ["seis", "siete", "ocho", "nueve", "diez"]]
        .map(|words| words[DIGITS - 6]);
    let codes_in_millions = (6..DIGITS).fold(1, |codes, _| 10 * codes);
    let shown = format!(r"\d{{{}}} \d{{{}}}", DIGITS / 2, DIGITS - DIGITS / 2);
    assert_said(&[
        ("openapi.yaml", format!("mails {digits} digits")),
        ("openapi.yaml", format!("a passcode of {digits} digits")),
        ("docs/security.md", format!("{FAILURES_IN_A_ROW} guesses an hour at most of 10^{DIGITS}")),
        ("docs/security.md", format!("| at least 6 decimal digits | {DIGITS} |")),
        ("examples/partner-site/src/signing_in.rs", format!("if code.len() == {DIGITS} {{")),
        ("examples/partner-site/src/words/english.rs", format!("A code has {digits} digits")),
        ("examples/partner-site/src/words/english.rs", format!("The code, {digits} digits")),
        ("examples/partner-site/src/words/french.rs", format!("Un code a {french} chiffres")),
        ("examples/partner-site/src/words/french.rs", format!("Le code, {french} chiffres")),
        ("examples/partner-site/src/words/spanish.rs", format!("Un código tiene {spanish} cifras")),
        ("examples/partner-site/src/words/spanish.rs", format!("El código, {spanish} cifras")),
        ("local/tests/api/partner.rs", format!("\"{digits} digits\"")),
        ("docs/operations.md", format!("in {codes_in_millions} million tries of one code")),
        ("check.d/browser/partner.test.mjs", format!("A code has {digits} digits")),
        ("check.d/browser/harness.mjs", shown.clone()),
        ("examples/sign-in.mjs", shown.clone()),
        ("examples/sign-in.py", shown),
    ]);
}

#[test]
fn the_limits_of_guesses_and_mails_are_said_alike() {
    let (guesses, failures) = (GUESSES_PER_PASSCODE, FAILURES_IN_A_ROW);
    let five = word(guesses);
    let [few, many] = MAIL_WINDOWS.map(|window| (window.mails, window.length.as_secs() / 60));
    assert_eq!((many.1, PAUSE.as_secs()), (24 * 60, 3600), "the sentences below speak of a day and an hour");
    assert_said(&[
        ("openapi.yaml", format!("for at most {five} wrong guesses")),
        ("openapi.yaml", format!("A passcode stands {five} different wrong guesses")),
        ("openapi.yaml", format!("After {failures} wrong guesses in a row")),
        ("openapi.yaml", format!("pause that {failures} wrong guesses in a row bring")),
        ("openapi.yaml", format!("More than {} mails in {} minutes, or {} in a day", few.0, few.1, many.0)),
        ("template.yaml", format!("locked for an hour after {failures} wrong guesses in a row")),
        ("template.yaml", format!("# {} guesses a passcode are allowed", capital(five))),
        ("template.yaml", format!("# {failures} wrong guesses in a row at one customer")),
        ("docs/security.md", format!("pause: {failures} guesses an hour at most")),
        ("docs/security.md", format!("a mail to the customer for each {five}")),
        ("docs/security.md", format!("distinct guesses at once, of which {five} are compared")),
        ("docs/passcode-model.md", format!("two guesses a code rather than {five}")),
        ("docs/security.md", format!("{guesses} distinct guesses a code counted before compared, {failures} failures")),
        ("docs/security.md", format!("{} mails in {} minutes, {} a day", few.0, few.1, many.0)),
        ("docs/security.md", format!("| {} distinct guesses, {failures} failures in a row |", capital(five))),
        ("docs/security.md", format!("fewer than {guesses} tried, not tried yet, fewer than {failures} failures")),
        ("docs/security.md", format!("| {failures} in a row over all codes")),
        ("docs/operations.md", format!("Per passcode {five} guesses count, so at most {guesses} in")),
        ("openapi.yaml", format!("past {MAILS_PER_MAILBOX} a day to one mailbox")),
        ("docs/security.md", format!("{MAILS_PER_MAILBOX} a day to one mailbox over all Apps")),
        ("docs/security.md", format!("| {MAILS_PER_MAILBOX} mails a day to one mailbox over all Apps")),
        ("docs/operations.md", format!("one mailbox was sent {MAILS_PER_MAILBOX} in a day")),
        ("operate/commands/src/lib.rs", format!("a day (UTC); {MAILS_PER_APP} without it")),
        ("openapi.yaml", format!("It stays so for {} hours", UNDELIVERABLE_FOR.as_secs() / 3600)),
        ("docs/operations.md", format!("For {} hours the App then gets `422`", UNDELIVERABLE_FOR.as_secs() / 3600)),
        ("examples/partner-site/src/codes.rs", format!("const GUESSES: usize = {guesses};")),
    ]);
}

#[test]
fn functions_tables_and_tests_are_counted_right() {
    let template = template();
    let routed = template.functions.iter().filter(|function| !function.routes.is_empty()).count();
    let [functions, routed, tables] = [template.functions.len(), routed, template.tables.len()].map(word);
    let handlers = read("fuzz/src/world.rs");
    let handlers = handlers.split_once("HANDLERS: [&str; ").unwrap().1.split_once(']').unwrap().0;
    // Those that answer events, and the operator.
    let fuzzed = handlers.parse::<usize>().unwrap() + 1;
    let count = |folder: &str| fs::read_dir(root().join(folder)).unwrap().count();
    let opening = format!("functions, {routed} of them behind an HTTP API, {tables} DynamoDB tables");
    assert_said(&[
        ("README.md", format!("{} small Lambda {opening}", capital(functions))),
        ("README.md", format!("api --> functions[\"{routed} functions\"]")),
        ("README.md", format!("functions --> tables[(\"{tables} tables\")]")),
        ("docs/architecture.md", format!("{} small {opening}", capital(functions))),
        ("docs/deploy.md", format!("{functions} functions, each optimised as a whole")),
        ("docs/security.md", format!("{} patches, each of which takes one defence out", count("check.d/defences"))),
        ("docs/security.md", format!("{} `cargo fuzz` targets", word(count("fuzz/targets")))),
        ("docs/security.md", format!("call the handlers of {} functions", word(fuzzed))),
    ]);
}

/// What is priced and what the partner's site waits for.
#[test]
fn memory_and_timeouts_are_those_of_the_template() {
    let functions = template().functions;
    let priced = functions.iter().filter(|function| !function.routes.is_empty());
    let memory: BTreeSet<u32> = priced.map(|function| function.memory_mb).collect();
    let [memory] = memory.into_iter().collect::<Vec<_>>()[..] else { panic!("bench prices all endpoints alike") };
    // The site lists no customers.
    let called = functions.iter().filter(|function| !["list-customers", "operator"].contains(&&*function.name));
    let timeout = |name: &str| functions.iter().find(|it| it.name == name).unwrap().timeout.as_secs();
    let slowest = called.map(|function| function.timeout.as_secs()).max().unwrap();
    assert_said(&[
        ("bench/src/costs.rs", format!("const MEMORY_MB: f64 = {memory}.0;")),
        ("docs/performance.md", format!("us-east-1, x86, {memory} MB, list prices")),
        ("functions/send-passcode/src/mailer.rs", format!("function's timeout, {} seconds.", timeout("send-passcode"))),
        ("examples/partner-site/src/api.rs", format!("takes at most, which is {slowest} seconds.")),
    ]);
}

#[test]
fn every_grant_is_named_where_an_operator_reads_of_it() {
    let names = Grant::ALL.map(Grant::name);
    let (last, others) = names.split_last().unwrap();
    let refusal = format!("Must be a list of {} and {last}, each at most once.", others.join(", "));
    assert_said(&[("functions/operator/src/values.rs", refusal)]);
    for grant in names {
        assert_said(&[("docs/operations.md", format!("`{grant}`")), ("local/src/demo.rs", format!("\"{grant}\""))]);
    }
}

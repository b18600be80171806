//! The operator's commands: their table, the documents, and the events.

use std::collections::BTreeSet;

use local::events;
use operator_commands::COMMANDS;
use shared::{app::Grant, profile};

use crate::{read, root};

#[test]
fn the_documents_have_the_table_of_the_commands() {
    let table = tools::commands::table();
    assert!(read("docs/operations.md").contains(&table), "cargo run -p tools -- commands\n{table}");
}

#[test]
fn every_command_has_an_event() {
    let cases = events::read_all(&root().join("events")).unwrap();
    let cases = cases.iter().filter(|case| case.function == "operator");
    let carried_out = cases.filter(|case| case.expected["errorType"].is_null());
    let covered: BTreeSet<_> = carried_out.filter_map(|case| case.event["command"].as_str()).collect();
    assert_eq!(covered, COMMANDS.iter().map(|command| command.name).collect());
}

#[test]
fn a_customer_is_changed_by_the_fields_of_the_record() {
    let command = operator_commands::find("change_customer").unwrap();
    let fields: BTreeSet<_> = command.fields().map(|field| field.name).collect();
    let record = profile::field_names().chain(["cuid", "email", "keep_pairs"]);
    assert_eq!(fields, record.collect());
}

#[test]
fn the_grants_that_the_table_names_are_all() {
    let grants = COMMANDS.iter().flat_map(operator_commands::Command::fields).filter(|field| field.name == "grants");
    let names = Grant::ALL.map(Grant::name).join(", ");
    for field in grants {
        assert!(field.hint.ends_with(&names), "{}", field.hint);
    }
}

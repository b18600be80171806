//! What a deployment costs beside its requests: what the template declares, by the month.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use local::template::parse;
use serde_json::Value;

use crate::costs::prices;

/// One line of the bill.
struct Item {
    what: String,
    price: f64,
    unit: &'static str,
    /// Of them in a month without any request.
    idle: usize,
    since: &'static str,
}

/// How many resources of a type the template declares.
fn count(template: &Value, kind: &str) -> Result<usize> {
    let resources = template["Resources"].as_object().context("the template has no resources")?;
    Ok(resources.values().filter(|resource| resource["Type"] == kind).count())
}

/// How many metrics the alarms of the template watch, each of which is paid for as an alarm.
fn watched(template: &Value) -> Result<usize> {
    let resources = template["Resources"].as_object().context("the template has no resources")?;
    let alarms = resources.values().filter(|resource| resource["Type"] == "AWS::CloudWatch::Alarm");
    Ok(alarms
        .map(|alarm| match alarm["Properties"]["Metrics"].as_array() {
            Some(metrics) => metrics.iter().filter(|metric| metric.get("MetricStat").is_some()).count(),
            None => 1,
        })
        .sum())
}

fn items(template: &str) -> Result<Vec<Item>> {
    let template = parse(template)?;
    let alarms = watched(&template)?;
    let secrets = count(&template, "AWS::SecretsManager::Secret")?;
    let keys = count(&template, "AWS::KMS::Key")?;
    let dashboards = count(&template, "AWS::CloudWatch::Dashboard")?;
    let item = |what: &str, price, unit, idle, since| Item { what: what.to_owned(), price, unit, idle, since };
    let mut items = vec![
        item("metrics that alarms watch", prices::ALARM, "each; an account's first 10 are free", alarms, "2026-02"),
        item("secrets (the pepper)", prices::SECRET, "each", secrets, "2024-11"),
    ];
    if keys > 0 {
        let unit = "each, and $1 more for each of the first two yearly rotations";
        items.push(item("KMS keys (`EncryptPepper`; `prod` has it)", prices::KEY, unit, keys, "2026-06"));
    }
    let dashboard = format!("dashboards (here {dashboards})");
    items.extend([
        item(&dashboard, prices::DASHBOARD, "each; an account's first 3 are free", 0, "2026-02"),
        item("metrics out of the logs", prices::METRIC, "each that has a value in the month", 0, "2026-02"),
        item("log lines kept", prices::LOG_KEPT_GB, "a GB", 0, "2026-02"),
        item("tables with their backups", prices::STORED_GB, "a GB", 0, "2024-11"),
        item("traces", prices::TRACE_MILLION, "a million; one request in twenty is traced", 0, "2024-11"),
        item("SES tenants", prices::TENANT, "each", 0, "2026-07"),
    ]);
    Ok(items)
}

/// What a month without any request costs, in dollars.
pub fn sum(template: &str) -> Result<f64> {
    Ok(items(template)?.iter().map(|item| item.price * item.idle as f64).sum())
}

/// The bill as a table.
pub fn table(template: &str) -> Result<String> {
    let mut table = "| What | $ | for | idle | idle $ | price of |\n|---|--:|---|--:|--:|---|\n".to_owned();
    for Item { what, price, unit, idle, since } in items(template)? {
        let cost = price * idle as f64;
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {what} | {price} | {unit} | {idle} | {cost:.2} | {since} |");
    }
    let _ = writeln!(table, "| **all** | | | | **{:.2}** | |", sum(template)?);
    Ok(table)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_the_template_declares_is_counted() {
        let template = "Resources:\n  A: {Type: AWS::CloudWatch::Alarm}\n  B:\n    Type: AWS::CloudWatch::Alarm\n    \
                        Properties: {Metrics: [{Expression: a + b}, {MetricStat: {}}, {MetricStat: {}}]}\n  \
                        C: {Type: AWS::SecretsManager::Secret}\n";
        assert!((super::sum(template).unwrap() - 0.70).abs() < 1e-9);
        let table = super::table(template).unwrap();
        assert!(
            table.contains(
                "| metrics that alarms watch | 0.1 | each; an account's first 10 are free | 3 | 0.30 | 2026-02 |"
            ),
            "{table}"
        );
        assert!(table.ends_with("| **all** | | | | **0.70** | |\n"), "{table}");
        assert!(!table.contains("KMS"), "{table}");
    }
}

//! What AWS would only say after a deployment, or never: alarms that ring for nobody, charts without a line, logs that
//! go with the stack, settings that take it down.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::{collections::BTreeSet, fs};

use local::{
    binaries,
    iam::{Policies, ses_needs},
    template::{Secrets, Template, parse},
};
use regex_lite::Regex;
use serde_json::{Map, Value, json};

fn read(path: &str) -> String {
    let root = binaries::project_root().unwrap();
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The template as it stands, its intrinsic functions in long form.
fn document() -> Value {
    parse(&read("template.yaml")).unwrap()
}

fn resources() -> Map<String, Value> {
    document()["Resources"].as_object().unwrap().clone()
}

/// The resources of one type, by logical id.
fn of_type(kind: &str) -> Map<String, Value> {
    let found: Map<String, Value> = resources().into_iter().filter(|(_, resource)| resource["Type"] == kind).collect();
    assert!(!found.is_empty(), "no {kind}");
    found
}

fn template_with(overrides: &[(&str, &str)]) -> anyhow::Result<Template> {
    let overrides = overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Template::load(&read("template.yaml"), &overrides, &mut Secrets::default())
}

/// The widgets of the dashboard, and each one's metrics as text.
fn widgets() -> Vec<Value> {
    let dashboard = &resources()["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"];
    let body: Value = serde_json::from_str(dashboard.as_str().unwrap()).unwrap();
    body["widgets"].as_array().unwrap().clone()
}

/// A search would find nothing: between double quotes it looks for whole names, and a stack's is a part of them.
#[test]
fn the_charts_of_functions_name_every_function() {
    for title in ["Functions' duration, p99, ms", "Functions' errors"] {
        let widgets = widgets();
        let chart = widgets.iter().find(|widget| widget["properties"]["title"] == title).unwrap();
        let charted: BTreeSet<String> = chart["properties"]["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|metric| metric.as_array().unwrap())
            .filter_map(|part| part.as_str()?.strip_prefix("${")?.strip_suffix('}').map(str::to_owned))
            .collect();
        let functions: BTreeSet<String> = of_type("AWS::Serverless::Function").into_iter().map(|it| it.0).collect();
        assert_eq!(charted, functions, "{title}");
    }
}

/// In a search, a namespace with a slash stands between double quotes.
#[test]
fn a_search_quotes_its_namespace() {
    let mut searches = 0;
    for widget in widgets() {
        let expression = widget["properties"]["metrics"][0][0]["expression"].as_str().unwrap_or_default().to_owned();
        if expression.contains("SEARCH") {
            assert!(expression.starts_with(r#"SEARCH('{"AtomCustomers/${AWS::StackName}","#), "{expression}");
            searches += 1;
        }
    }
    assert_eq!(searches, 2);
}

/// Metrics of our own are paid for one by one, so each is charted or watched; and nothing else is switched on that is.
#[test]
fn every_metric_that_is_paid_for_is_looked_at() {
    let seen = json!(widgets()).to_string() + &json!(of_type("AWS::CloudWatch::Alarm")).to_string();
    for (name, filter) in of_type("AWS::Logs::MetricFilter") {
        let metric = filter["Properties"]["MetricTransformations"][0]["MetricName"].as_str().unwrap();
        assert!(seen.contains(metric), "nobody looks at {metric} ({name})");
    }
    let template = json!(document()).to_string();
    for switch in ["DetailedMetricsEnabled", "ReputationMetricsEnabled", "CloudWatchDestination", "SSESpecification"] {
        assert!(!template.contains(switch), "{switch} costs something");
    }
}

#[test]
fn every_alarm_reaches_the_topic_and_has_its_line_in_the_runbook() {
    let alarms = of_type("AWS::CloudWatch::Alarm");
    let runbook = read("docs/operations.md");
    let told = Regex::new("`([A-Za-z]+Alarm)`").unwrap();
    let rows = runbook.lines().filter(|line| line.starts_with("| `"));
    let described: BTreeSet<String> = rows
        .flat_map(|row| told.captures_iter(row.split('|').nth(1).unwrap()).map(|found| found[1].to_owned()))
        .collect();
    assert_eq!(described, alarms.keys().cloned().collect());
    for (name, alarm) in &alarms {
        assert_eq!(alarm["Properties"]["AlarmActions"], json!([{ "Ref": "Alarms" }]), "{name}");
    }
}

/// A suppressed recipient is no complaint, and SES's own count takes it for one.
#[test]
fn complaints_are_counted_by_us() {
    let complaints = &resources()["ComplaintsAlarm"]["Properties"];
    assert_eq!(complaints["Dimensions"], json!([{ "Name": "Event", "Value": "mail_complaint" }]));
}

/// No line of the operator's tells of a call that ran out of time, and Lambda's count alone has everybody's typing errors
/// in it.
#[test]
fn an_operators_command_that_never_ended_rings_and_a_refused_one_does_not() {
    let resources = resources();
    let operator = &resources["OperatorAlarm"]["Properties"];
    let metrics = operator["Metrics"].as_array().unwrap();
    let expression = metrics[0]["Expression"].as_str().unwrap();
    assert_eq!(expression, "FILL(failed, 0) + IF(FILL(errors, 0) > 0, FILL(unfinished, 0), 0)");
    let metric = |id: &str| {
        let found = metrics.iter().find(|metric| metric["Id"] == id).unwrap();
        assert_eq!(found["ReturnData"], false, "{id}: an alarm watches one value");
        assert_eq!(
            (&found["MetricStat"]["Stat"], &found["MetricStat"]["Period"]),
            (&json!("Sum"), &json!(300)),
            "{id}"
        );
        found["MetricStat"]["Metric"].clone()
    };
    let namespace = json!({ "Fn::Sub": "AtomCustomers/${AWS::StackName}" });
    assert_eq!(metric("failed"), json!({ "Namespace": namespace, "MetricName": "FailedCommands" }));
    assert_eq!(metric("unfinished"), json!({ "Namespace": namespace, "MetricName": "UnfinishedCalls" }));
    assert_eq!(
        metric("errors"),
        json!({
            "Namespace": "AWS/Lambda",
            "MetricName": "Errors",
            "Dimensions": [{ "Name": "FunctionName", "Value": { "Ref": "OperatorFunction" } }]
        })
    );
    // Lambda writes its line in JSON, and at a level that is kept.
    let unfinished = &resources["UnfinishedCalls"]["Properties"];
    assert_eq!(unfinished["LogGroupName"], json!({ "Ref": "FunctionLogs" }));
    assert_eq!(unfinished["FilterPattern"], r#"{ $.type = "platform.report" && $.record.status != "success" }"#);
    let logging = &document()["Globals"]["Function"]["LoggingConfig"];
    assert_eq!((&logging["LogFormat"], &logging["SystemLogLevel"]), (&json!("JSON"), &json!("INFO")));
}

/// CloudFormation watches for some minutes only; metrics come up to two minutes late.
#[test]
fn an_alarm_that_undoes_an_update_rings_while_it_is_watched() {
    let triggers = document()["Outputs"]["RollbackAlarms"]["Value"]["Fn::Sub"].as_str().unwrap().to_owned();
    let minutes: u64 = triggers.rsplit_once("MonitoringTimeInMinutes=").unwrap().1.trim().parse().unwrap();
    let named = Regex::new(r"\$\{([A-Za-z]+)\.Arn\}").unwrap();
    let alarms = of_type("AWS::CloudWatch::Alarm");
    let mut count = 0;
    for found in named.captures_iter(&triggers) {
        let alarm = &alarms[&found[1]]["Properties"];
        let seconds = |name: &str| alarm[name].as_u64().unwrap();
        assert!(seconds("Period") * seconds("EvaluationPeriods") + 120 <= minutes * 60, "{}", &found[1]);
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn what_must_outlive_the_stack_does() {
    let mut kept = of_type("AWS::DynamoDB::Table");
    for name in ["FunctionLogs", "MailIdentityResource"] {
        kept.insert(name.to_owned(), resources()[name].clone());
    }
    for (name, resource) in kept {
        assert_eq!(resource["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{name}");
    }
}

#[test]
fn settings_that_belong_together_are_refused_apart() {
    let certificate = "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000";
    let domain = [("DomainName", "api.atom.example"), ("CertificateArn", certificate)];
    assert!(template_with(&domain).is_ok());
    for (overrides, why) in [
        (&domain[..1], "DomainName needs CertificateArn"),
        (&domain[1..], "CertificateArn, HostedZoneId and TrustStoreUri need DomainName"),
        (&[("HostedZoneId", "Z2FDTNDATAQYW2")], "CertificateArn, HostedZoneId and TrustStoreUri need DomainName"),
        (&[("TrustStoreUri", "s3://bucket/ca.pem")], "CertificateArn, HostedZoneId and TrustStoreUri need DomainName"),
        (
            &[("DeletionProtection", "true")],
            "a deployment that is worth protecting (DeletionProtection) needs AlarmEmail",
        ),
    ] {
        assert_eq!(template_with(overrides).unwrap_err().to_string(), why);
    }
    assert!(template_with(&[("DeletionProtection", "true"), ("AlarmEmail", "on-duty@atom.example")]).is_ok());
}

/// A deployment whose database were somebody's server would send it everything.
#[test]
fn endpoints_are_on_this_machine_or_its_network() {
    for name in ["DynamoDbEndpoint", "SesEndpoint"] {
        for allowed in [
            "",
            "http://127.0.0.1:9002",
            "http://localhost:9002/",
            "https://10.1.2.3",
            "http://172.17.0.1:9002",
            "http://192.168.1.2:9002",
            "http://host.docker.internal:9002",
        ] {
            assert!(template_with(&[(name, allowed)]).is_ok(), "{name}={allowed}");
        }
        for refused in [
            "http://evil.example",
            "https://dynamodb.eu-west-1.amazonaws.com",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "http://127.0.0.1@evil.example",
            "http://evil.example/127.0.0.1",
            "http://172.32.0.1",
            "http://169.254.169.254",
            "http://11.0.0.1",
            "localhost:9002",
        ] {
            assert!(template_with(&[(name, refused)]).is_err(), "{name}={refused}");
        }
    }
}

/// The function sends with the domain in small letters.
#[test]
fn a_sender_in_capitals_may_send_and_no_other_sender_may() {
    let template =
        template_with(&[("MailFrom", "No-Reply@Mail.ATOM.example"), ("MailIdentity", "mail.atom.example")]).unwrap();
    let policies = Policies::new(&template.functions, None).unwrap();
    let may = |from: &str| {
        let mail = json!({ "FromEmailAddress": from, "ConfigurationSetName": "MailConfigurationSet" });
        policies.check(Some("send-passcode"), &ses_needs(&mail)).is_ok()
    };
    assert!(may("ATOM <No-Reply@mail.atom.example>"));
    assert!(!may("ATOM <other@mail.atom.example>"));
    assert!(!may("no-reply@atom.example"));
}

/// An identity that is an address has no DKIM records, and asking for them would fail the deployment.
#[test]
fn dns_records_are_told_for_domains_alone() {
    let told: Vec<String> = document()["Outputs"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.contains("Record"))
        .map(|(name, output)| {
            assert_eq!(output["Condition"], "CreatesMailDomain", "{name}");
            name.clone()
        })
        .collect();
    assert_eq!(told.len(), 6, "{told:?}");
    let identity = &resources()["MailIdentityResource"]["Properties"];
    assert_eq!(identity["MailFromAttributes"]["Fn::If"][0], "MailIdentityIsDomain");
    assert_eq!(identity["FeedbackAttributes"], json!({ "EmailForwardingEnabled": false }));
}

#[test]
fn each_policy_for_an_operator_gives_its_names_and_no_other() {
    let template = template_with(&[]).unwrap();
    let operator = template.functions.iter().find(|function| function.name == "operator").unwrap();
    assert_eq!(operator.aliases.iter().collect::<BTreeSet<_>>().len(), 3);
    let resources = resources();
    for (policy, names) in [
        ("MayLook", vec!["OperatorLook"]),
        ("MayChange", vec!["OperatorLook", "OperatorChange"]),
        ("MayErase", vec!["OperatorLook", "OperatorChange", "OperatorErase"]),
    ] {
        let statements = resources[policy]["Properties"]["PolicyDocument"]["Statement"].as_array().unwrap();
        assert_eq!(statements.len(), 1, "{policy}");
        let resource = match names.as_slice() {
            [one] => json!({ "Ref": one }),
            several => json!(several.iter().map(|name| json!({ "Ref": name })).collect::<Vec<_>>()),
        };
        let expected = json!({ "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resource });
        assert_eq!(statements[0], expected, "{policy}");
    }
}

/// `sam build` and `sam deploy` both read what stands under `global`; a processor that only one of them knows of makes
/// functions that do not start.
#[test]
fn a_stages_settings_stand_where_build_and_deploy_read_them() {
    let samconfig = read("samconfig.toml");
    let mut stages = Vec::new();
    let mut section = "";
    for line in samconfig.lines() {
        if line.starts_with('[') {
            section = line;
        } else if line.starts_with("parameter_overrides") {
            stages.push(section);
        }
    }
    assert_eq!(stages, ["[dev.global.parameters]", "[prod.global.parameters]"]);
}

#[test]
fn every_parameter_is_grouped_and_has_its_place_in_the_deployments_page() {
    let document = document();
    let groups = document["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_array().unwrap();
    let grouped = groups.iter().flat_map(|group| group["Parameters"].as_array().unwrap());
    let grouped: BTreeSet<&str> = grouped.map(|name| name.as_str().unwrap()).collect();
    let declared: BTreeSet<&str> = document["Parameters"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(grouped, declared);
    let page = read("docs/deploy.md");
    for name in declared {
        assert!(page.contains(&format!("`{name}`")), "docs/deploy.md does not say what {name} does");
    }
}

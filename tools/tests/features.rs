//! One set of features for `cargo run -p local`, for the build of the workspace that it starts, and for the tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::Command,
};

/// The features of every dependency, by its name and version.
fn features(packages: &[&str], edges: &str) -> BTreeMap<String, BTreeSet<String>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let format = ["--edges", edges, "--prefix", "none", "--format", "{p}|{f}"];
    let output = Command::new(cargo).arg("tree").args(packages).args(format).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let Some((package, listed)) = line.split_once('|') else { continue };
        // A dependency shown before is marked with `(*)`; one of ours has its path behind it.
        let package = package.split(" (").next().unwrap_or(package).to_owned();
        let listed = listed.trim_end_matches(" (*)").split(',').filter(|feature| !feature.is_empty());
        features.entry(package).or_default().extend(listed.map(str::to_owned));
    }
    features
}

#[test]
fn nothing_is_compiled_twice_for_the_local_system_and_the_tests() {
    let edges = "normal,build";
    let (alone, together) = (features(&["--package", "local"], edges), features(&["--workspace"], edges));
    let tested = features(&["--workspace"], "normal,build,dev");
    assert!(alone.len() > 50, "{alone:?}");
    for (fewer, more) in [(alone, &together), (together.clone(), &tested)] {
        for (package, features) in fewer {
            let missing: Vec<&String> = more[&package].difference(&features).collect();
            assert!(missing.is_empty(), "local/Cargo.toml has to turn on {missing:?} of {package} as well");
        }
    }
}

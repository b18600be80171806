//! Every input of every corpus, the ones that libFuzzer found included, is answered as it must be.

use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn every_input_of_the_corpora_is_answered_as_documented() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in fuzz::TARGETS {
        let folder = corpora.join(name);
        let inputs: Vec<_> = fs::read_dir(&folder).unwrap().map(|input| input.unwrap().path()).collect();
        assert!(inputs.len() > 3, "{} holds too little", folder.display());
        for input in inputs {
            eprintln!("{}", input.display());
            target(&fs::read(input).unwrap());
        }
    }
}

#[test]
fn every_target_is_a_binary_of_its_name() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    for (name, _) in fuzz::TARGETS {
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), fuzz::TARGETS.len());
}

/// `operator` has a target of its own. `send-passcode` would mail, and `mail-events` is sent events by SES alone.
#[test]
fn every_function_is_fuzzed_or_named_here() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).filter(|entry| entry.path().is_dir());
    let functions: BTreeSet<String> = folders.map(|folder| folder.file_name().into_string().unwrap()).collect();
    let mut known: BTreeSet<String> = fuzz::HANDLERS.map(str::to_owned).into();
    known.extend(["operator", "send-passcode", "mail-events"].map(str::to_owned));
    assert_eq!(functions, known);
}

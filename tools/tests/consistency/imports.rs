//! `use` stands in three groups with a blank line between them: `std`, other crates, this crate. Only rustfmt's nightly
//! version could make them.

use std::{ffi::OsStr, path::Path};

use regex_lite::Regex;

use crate::copies::texts;

/// Where a `use` belongs.
fn group(root: &str) -> usize {
    match root {
        "std" | "core" | "alloc" => 0,
        "crate" | "super" | "self" => 2,
        _ => 1,
    }
}

/// The lines that begin a `use` which stands before its group's turn, or without a blank line after another group.
fn misplaced(source: &str) -> Vec<&str> {
    let item = Regex::new(r"^( *)(?:pub(?:\([a-z]+\))? )?use (?:::)?([A-Za-z_0-9]+)").unwrap();
    let (mut misplaced, mut last, mut blank) = (Vec::new(), None, false);
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let rest = line.trim_start();
        if let Some(found) = item.captures(line) {
            let this = (found[1].len(), group(&found[2]));
            if let Some((indent, group)) = last
                && indent == this.0
                && (this.1 < group || (this.1 > group && !blank))
            {
                misplaced.push(line);
            }
            (last, blank) = (Some(this), false);
            let mut end = line;
            while !end.ends_with(';') {
                let Some(next) = lines.next() else { break };
                end = next;
            }
        } else if rest.is_empty() {
            blank = true;
        } else if !rest.starts_with("//") && !rest.starts_with("#[") {
            last = None;
        }
    }
    misplaced
}

#[test]
fn imports_stand_in_three_groups() {
    let folders = ["bench", "examples", "functions", "fuzz", "local", "operate", "shared", "tools"];
    let sources: Vec<_> =
        texts(&folders).into_iter().filter(|(path, _)| Path::new(path).extension() == Some(OsStr::new("rs"))).collect();
    assert!(sources.len() > 200, "{}", sources.len());
    for (path, source) in &sources {
        assert_eq!(misplaced(source), [""; 0], "{path}");
    }
}

#[test]
fn what_stands_in_the_wrong_group_is_found() {
    assert_eq!(misplaced("use std::fmt;\n\nuse serde::{\n    A,\n};\n\nuse crate::x;\n"), [""; 0]);
    assert_eq!(misplaced("use serde::A;\nuse std::fmt;\n"), ["use std::fmt;"]);
    assert_eq!(misplaced("use std::fmt;\nuse serde::A;\n"), ["use serde::A;"]);
    assert_eq!(misplaced("use crate::x;\n\nuse serde::A;\n"), ["use serde::A;"]);
    assert_eq!(misplaced("use crate::x;\n\nmod tests {\n    use std::fmt;\n}\n"), [""; 0]);
}

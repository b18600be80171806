//! Mails that outlive the system: a file with a line for each that came, was deleted, or went with all others.

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{ErrorKind, Write},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Mail;
use crate::files;

/// The file, which is its owner's alone: passcodes are in it.
#[derive(Clone)]
pub struct Kept(Arc<File>);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Added(Stored),
    Deleted(String),
    Cleared,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    mail: Mail,
    /// No list of mails shows them, but their source does.
    headers: Vec<(String, String)>,
}

impl Stored {
    fn of(mail: &Mail) -> Self {
        Self { mail: mail.clone(), headers: mail.headers.clone() }
    }
}

impl Kept {
    /// Opens the file in `folder`, and returns the mails that it holds, the oldest first.
    ///
    /// # Errors
    /// A file that cannot be read or written, or that is damaged.
    pub fn open(folder: &Path) -> Result<(Self, VecDeque<Mail>)> {
        let path = folder.join("mails.jsonl");
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let mut mails = VecDeque::new();
        // A system that was killed may have left half a line.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        for line in whole.lines() {
            match serde_json::from_str(line).with_context(|| format!("{} is damaged", path.display()))? {
                Entry::Added(Stored { mail, headers }) => mails.push_back(Mail { headers, ..mail }),
                Entry::Deleted(id) => mails.retain(|mail| mail.id != id),
                Entry::Cleared => mails.clear(),
            }
        }
        // From here on it holds those alone.
        let entries = mails.iter().map(|mail| line(&Entry::Added(Stored::of(mail)))).collect::<String>();
        files::write_private(&path, entries.as_bytes())?;
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok((Self(Arc::new(file)), mails))
    }

    pub fn added(&self, mail: &Mail) {
        self.append(&Entry::Added(Stored::of(mail)));
    }

    pub fn deleted(&self, id: &str) {
        self.append(&Entry::Deleted(id.to_owned()));
    }

    pub fn cleared(&self) {
        self.append(&Entry::Cleared);
    }

    fn append(&self, entry: &Entry) {
        // One write a line. What cannot be kept is in the mailbox all the same.
        let _ = (&*self.0).write_all(line(entry).as_bytes());
    }
}

fn line(entry: &Entry) -> String {
    serde_json::to_string(entry).unwrap_or_default() + "\n"
}

//! A sentence with values in it that others wrote, which must not turn the words around them.

use std::fmt;

/// A sentence in its parts.
#[derive(Debug)]
pub struct Sentence {
    /// The parts in their order.
    pub parts: Vec<Part>,
}

/// A part of a sentence.
#[derive(Clone, Debug)]
pub enum Part {
    /// Words of the language.
    Words(String),
    /// A name, which may run in the other direction.
    Name(String),
    /// A host name, which nothing shall make a link of.
    Host(String),
}

impl Sentence {
    /// Puts values in the places of a pattern: `{name}` is that of `name`. A place without a value stays as it is.
    pub fn fill(pattern: &str, values: &[(&str, Part)]) -> Self {
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some((before, name, after)) = place(rest) {
            parts.push(Part::Words(before.to_owned()));
            let value = values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
            parts.push(value.unwrap_or_else(|| Part::Words(format!("{{{name}}}"))));
            rest = after;
        }
        parts.push(Part::Words(rest.to_owned()));
        Self { parts }
    }
}

/// What stands before the first place of a pattern, the name in it, and what stands after it.
fn place(pattern: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = pattern.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// As plain text. A name that runs from right to left is isolated by U+2068 and U+2069; HTML has `dir` for this.
impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Name(name) if name.chars().any(is_right_to_left) => write!(f, "\u{2068}{name}\u{2069}")?,
                Part::Words(text) | Part::Name(text) | Part::Host(text) => f.write_str(text)?,
            }
        }
        Ok(())
    }
}

/// Whether a character is in one of the blocks of scripts that run from right to left.
fn is_right_to_left(char: char) -> bool {
    matches!(
        char,
        '\u{590}'..='\u{8ff}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefc}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    )
}

//! Language tags, as BCP 47 writes them.

use oxilangtag::LanguageTag;

/// The longest tag that is kept, in characters: the most that BCP 47 asks everybody to have room for.
pub const MAX_CHARACTERS: usize = 35;

/// What a tag that is refused is told.
pub const GRAMMAR: &str = "Must be a language tag of BCP 47 of at most 35 characters, such as fr or pt-BR.";

/// Whether a text has the form of a language tag. Whether there is such a language is not looked up.
#[must_use]
pub fn is_tag(text: &str) -> bool {
    text.len() <= MAX_CHARACTERS && LanguageTag::parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_a_form_and_a_length() {
        let longest = "de-Latn-DE-1996-x-abcdefgh-abcdefgh";
        assert_eq!(longest.len(), MAX_CHARACTERS);
        for tag in ["fr", "pt-BR", "PT-br", "zh-Hant-TW", "de-AT-1996", "es-419", "x-acme", longest] {
            assert!(is_tag(tag), "{tag}");
        }
        for text in ["", "f", "français", "fr_FR", "fr-", "-fr", "fr FR", "fr,en", "*", "a-b", &format!("{longest}i")]
        {
            assert!(!is_tag(text), "{text}");
        }
    }
}

//! Characters that cannot be seen, or that change how the text around them is shown. Such text can pass for another: a name
//! for somebody else's, an address for a name.

/// Whether a character controls a device, turns the direction of text, breaks its lines, or tags it unseen. No field of a
/// customer and no name may hold one. U+200C and U+200D are not among them: some scripts are not written without.
#[must_use]
pub fn misleads(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Whether a character leaves no mark where it stands. These are Unicode's `Default_Ignorable_Code_Point`, the marks of
/// interlinear annotations and the empty Braille pattern; spaces are not among them.
#[must_use]
pub fn is_unseen(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Whether anything of a text can be seen.
#[must_use]
pub fn can_be_seen(text: &str) -> bool {
    text.chars().any(|char| !char.is_whitespace() && !is_unseen(char))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_turns_tags_or_breaks_text_misleads() {
        for char in "\n\u{7f}\u{9b}\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}\u{e0001}\u{e007f}".chars() {
            assert!(misleads(char), "{char:?}");
        }
        for char in "aé א ع 。 \u{200c}\u{200d}\u{ad}\u{a0}\u{3000}\u{2027}\u{202f}\u{2065}\u{206a}\u{e0100}".chars()
        {
            assert!(!misleads(char), "{char:?}");
        }
    }

    #[test]
    fn a_text_of_nothing_but_unseen_characters_cannot_be_seen() {
        for text in ["", " ", "\u{200b}", "\u{200c}\u{200d}", "\u{ad} \u{3164}", "\u{2800}", "\u{fe0f}", "\u{e0100}"] {
            assert!(!can_be_seen(text), "{text:?}");
        }
        for text in ["a", "\u{200b}.", "می\u{200c}خواهم", "❤\u{fe0f}", "\u{301}"] {
            assert!(can_be_seen(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_misleads_is_not_seen(char in any::<char>()) {
            prop_assert!(!misleads(char) || is_unseen(char));
        }
    }
}

//! The `From` header: a display name that is nothing but a name.
//!
//! Written here and not by a crate: `email-encoding` folds the header over lines, which an API's parameter may not have, makes
//! encoded words of ASCII names with a comma or an ampersand, and links a second `base64`.

use base64::{Engine, prelude::BASE64_STANDARD};

/// The most bytes of text whose base64 fits into an encoded word of 75 characters (RFC 2047, section 2).
const ENCODED_WORD: usize = 45;

/// `name` and `address` as RFC 5322 has them: a quoted string, or encoded words where the name is not ASCII.
pub fn mailbox(name: &str, address: &str) -> String {
    // Names are checked where they come in; a line break here would be a header of its own.
    let name: String = name.chars().filter(|char| !char.is_control()).collect();
    if name.is_ascii() {
        let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{escaped}\" <{address}>");
    }
    let mut words: Vec<String> = vec![String::new()];
    for char in name.chars() {
        // A character may not be split between two words.
        match words.last_mut().filter(|word| word.len() + char.len_utf8() <= ENCODED_WORD) {
            Some(word) => word.push(char),
            None => words.push(char.to_string()),
        }
    }
    let encoded = words.iter().map(|word| format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(word)));
    format!("{} <{address}>", encoded.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::mailbox;

    #[test]
    fn an_ascii_name_is_quoted() {
        assert_eq!(mailbox("Acme, Inc. \"A\\B\"", "a@b.example"), r#""Acme, Inc. \"A\\B\"" <a@b.example>"#);
    }

    #[test]
    fn any_other_name_is_encoded() {
        assert_eq!(mailbox("Café", "a@b.example"), "=?UTF-8?B?Q2Fmw6k=?= <a@b.example>");
    }

    proptest! {
        #[test]
        fn no_name_adds_a_header_or_another_address(name in any::<String>()) {
            let header = mailbox(&name, "a@b.example");
            prop_assert!(header.is_ascii() && !header.bytes().any(|byte| byte.is_ascii_control()));
            prop_assert!(header.ends_with(" <a@b.example>"));
            if name.is_ascii() {
                // Every quotation mark inside is escaped.
                let inner = &header[1..header.len() - " <a@b.example>".len() - 1];
                prop_assert!(!inner.replace("\\\\", "").replace("\\\"", "").contains('"'));
            } else {
                prop_assert!(header.split(' ').all(|word| word.len() <= 75));
            }
        }
    }
}

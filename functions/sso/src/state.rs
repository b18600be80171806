//! `state`: what the platform gave the browser that began the sign-on. The redemption tells it, and the platform compares:
//! a ticket that another browser was given is of no use in this one.

use shared::{Error, Result, http::Call};

/// The most characters that a state may have.
const MAX_LENGTH: usize = 512;

/// The call's state, if it sent one.
///
/// # Errors
/// [`Error::Invalid`] where it is not 1 to 512 printable ASCII characters, or came twice.
pub fn read(call: &Call) -> Result<Option<String>> {
    call.query("state")?.map(parse).transpose()
}

fn parse(text: &str) -> Result<String> {
    let fits = (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if fits {
        Ok(text.to_owned())
    } else {
        Err(Error::invalid("state", "Must be 1 to 512 printable ASCII characters."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_printable_ascii_of_bounded_length() {
        for text in ["a", "a b~!", &"x".repeat(512)] {
            assert_eq!(parse(text).unwrap(), text);
        }
        for text in ["", "é", "a\nb", "\u{7f}", &"x".repeat(513)] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}

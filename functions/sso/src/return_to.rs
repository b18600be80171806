//! `return_to`: a path on the platform, and nothing that a browser could take for another place.

use percent_encoding::percent_decode_str;
use shared::{Error, Result};

/// A path that begins with a single `/` and holds no scheme, host, backslash or control character, as it stands and
/// after decoding once more.
#[derive(Debug, PartialEq, Eq)]
pub struct ReturnTo(pub String);

impl ReturnTo {
    /// Reads a path.
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let decoded_once_more = percent_decode_str(text).decode_utf8();
        if is_path(text) && decoded_once_more.is_ok_and(|text| is_path(&text)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::invalid("return_to", "Must be a path on the platform that begins with a single /."))
        }
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && !text.starts_with("//")
        && text.chars().count() <= 2048
        && !text.chars().any(|char| char == '\\' || char.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_on_the_platform_is_taken_as_it_is() {
        for path in ["/", "/campaigns/7?tab=spend#top", "/a%20b", "/r?next=https%3A%2F%2Fx.example"] {
            assert_eq!(ReturnTo::parse(path).unwrap(), ReturnTo(path.to_owned()));
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_refused() {
        for path in [
            "",
            "campaigns",
            "//evil.example",
            "/%2Fevil.example",
            "https://evil.example",
            "/\\evil.example",
            "\\/evil",
            "/%5Cevil.example",
            "/a\r\nb",
            "/a%0d%0ab",
            "/%2f%2fevil.example",
            "javascript:alert(1)",
            "/%ff",
            "/\u{9}/evil",
        ] {
            assert!(ReturnTo::parse(path).is_err(), "{path:?}");
        }
    }
}

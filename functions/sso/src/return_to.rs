//! `return_to`: a path on the platform, and nothing that a browser or a URL parser could take for another place.

use percent_encoding::percent_decode_str;
use shared::{Error, Result, http::Call};

/// The most characters that a path may have.
const MAX_LENGTH: usize = 2048;

/// The call's path, if it sent one.
///
/// # Errors
/// [`Error::Invalid`] where it is no path as below, or came twice.
pub fn read(call: &Call) -> Result<Option<String>> {
    call.query("return_to")?.map(parse).transpose()
}

/// A path begins with a single `/`. Neither as it stands nor after decoding once more does it hold a backslash or a
/// control character, nor, before a `?` or `#`, two slashes in a row or a segment `.` or `..`.
fn parse(text: &str) -> Result<String> {
    if text.chars().count() > MAX_LENGTH {
        return Err(Error::invalid("return_to", "Must be at most 2,048 characters long."));
    }
    let decoded_once_more = percent_decode_str(text).decode_utf8();
    if is_path(text) && decoded_once_more.is_ok_and(|text| is_path(&text)) {
        Ok(text.to_owned())
    } else {
        Err(Error::invalid(
            "return_to",
            "Must be a path on the platform: begins with a single /, without // or dot segments.",
        ))
    }
}

fn is_path(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    path.starts_with('/')
        && !path.contains("//")
        && !path.split('/').any(|segment| segment == "." || segment == "..")
        && !text.chars().any(|char| char == '\\' || char.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_on_the_platform_is_taken_as_it_is() {
        for path in
            ["/", "/campaigns/7?tab=spend#top", "/a%20b", "/r?next=https%3A%2F%2Fx.example", "/a?b=//c#//d", "/a..b/.c"]
        {
            assert_eq!(parse(path).unwrap(), path);
        }
        let longest = format!("/{}", "a".repeat(MAX_LENGTH - 1));
        assert_eq!(parse(&longest).unwrap(), longest);
    }

    #[test]
    fn one_that_is_too_long_is_told_so() {
        let told = parse(&format!("/{}", "a".repeat(MAX_LENGTH))).unwrap_err();
        let Error::Invalid(problems) = told else { panic!("{told:?}") };
        assert_eq!(problems[0].message, "Must be at most 2,048 characters long.");
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
            "/.//evil.example",
            "/..//evil.example",
            "/%2e//evil.example",
            "/a/..//evil.example",
            "/a/../b",
            "/a/%2e%2E/b",
            "/a/.",
            "/%2e",
            "/a//b",
            "/a%2f%2fb",
            "/a%2f..%2fb",
            "/..?x",
            "/%3f/../%2e%2e",
        ] {
            assert!(parse(path).is_err(), "{path:?}");
        }
    }
}

//! A mail as it goes out: SES makes a message with headers of what a function has sent.

use aws_smithy_types::{DateTime, date_time::Format};
use mail_builder::{MessageBuilder, headers::raw::Raw};

use super::Mail;

/// The whole message, in the form of RFC 5322.
pub fn of(mail: &Mail) -> String {
    let Mail { id, from, to, subject, text, html, sent_at, headers } = mail;
    let mut message = MessageBuilder::new()
        .header("From", Raw::new(from))
        .header("To", Raw::new(to))
        .subject(subject.as_str())
        .date(seconds(sent_at))
        .message_id(format!("{id}@email.amazonses.com"));
    for (name, value) in headers {
        message = message.header(name.as_str(), Raw::new(value));
    }
    if !text.is_empty() {
        message = message.text_body(text.as_str());
    }
    if !html.is_empty() {
        message = message.html_body(html.as_str());
    }
    message.write_to_string().unwrap_or_default()
}

fn seconds(moment: &str) -> i64 {
    DateTime::from_str(moment, Format::DateTime).map(|moment| moment.secs()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Mail, of};

    #[test]
    fn a_message_has_every_header_and_both_parts() {
        let source = of(&Mail {
            id: "local-1".to_owned(),
            from: "=?UTF-8?B?w4k=?= <no-reply@atom.example>".to_owned(),
            to: "ada@example.com".to_owned(),
            subject: "Été".to_owned(),
            text: "1234 5678".to_owned(),
            html: "<p>1234 5678</p>".to_owned(),
            sent_at: "2020-03-04T19:03:58.39Z".to_owned(),
            headers: vec![("Reply-To".to_owned(), "help@atom.example".to_owned())],
        });
        let (head, body) = source.split_once("\r\n\r\n").unwrap();
        for line in [
            "From: =?UTF-8?B?w4k=?= <no-reply@atom.example>",
            "To: ada@example.com",
            "Subject: =?utf-8?",
            "Date: Wed, 4 Mar 2020 19:03:58 +0000",
            "Message-ID: <local-1@email.amazonses.com>",
            "Reply-To: help@atom.example",
            "Content-Type: multipart/alternative;",
        ] {
            assert!(head.contains(line), "{line} is not in {head}");
        }
        assert!(body.contains("text/plain") && body.contains("text/html"), "{body}");
    }
}

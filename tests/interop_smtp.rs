//! Against a real SMTP server (`smtp-sink` of Postfix): it greets before anything is said.

#[path = "support/binary.rs"]
mod binary;
#[path = "support/server.rs"]
mod server;
#[path = "support/smtp.rs"]
mod smtp;

use binary::Home;

#[test]
fn the_greeting_comes_unasked() {
    let home = Home::new();
    let Some(smtp) = smtp::start() else {
        return;
    };
    let arguments = [
        "--headless",
        "--stdin-eof",
        "ignore",
        "--count",
        "1",
        &smtp.address,
    ];
    let run = home.run(&arguments, b"");
    println!("{}", run.text());
    assert_eq!((run.code(), run.stderr.as_str()), (0, ""));
    assert!(
        run.text().contains("  220 mail.example ESMTP␍␊"),
        "{}",
        run.text()
    );
}

#[test]
fn a_mail_is_delivered_by_hand() {
    let home = Home::new();
    let Some(smtp) = smtp::start() else {
        return;
    };
    let typed = "EHLO me.example\nMAIL FROM:<a@example.org>\nRCPT TO:<b@example.org>\nDATA\nSubject: é\n\n漢\n.\nQUIT\n";
    let run = home.run(&["--headless", "--eol", "crlf", &smtp.address], typed.as_bytes());
    println!("{}", run.text());
    let text = run.text();
    assert_eq!(run.code(), 0, "{run:?}");
    for part in ["220 mail.example", "250-PIPELINING␍␊", "354 ", "221 "] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert!(text.contains("Subject: é␍␊"), "{text}");
}

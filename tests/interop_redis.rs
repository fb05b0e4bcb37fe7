//! Against a real redis server: a conversation by hand, binary values, a pipeline, and its own error.

#[path = "support/binary.rs"]
mod binary;
#[path = "support/redis.rs"]
mod redis;
#[path = "support/server.rs"]
mod server;

use sockscope::model::{Direction, Side};

use binary::{Home, closed_by, recorded};

#[test]
fn redis_answers_what_is_typed() {
    let home = Home::new();
    let Some(redis) = redis::start(&home) else {
        return;
    };
    let ping = home.run(&["--headless", "--eol", "crlf", &redis.address], b"PING\n");
    println!("{}", ping.text());
    assert_eq!((ping.code(), ping.stderr.as_str()), (0, ""));
    let lines = ping.lines();
    assert!(lines.contains(&"→      6 B  PING␍␊".to_owned()), "{lines:?}");
    assert!(lines.contains(&"←      7 B  +PONG␍␊".to_owned()), "{lines:?}");
    assert_eq!(*lines.last().unwrap(), closed_by(Side::Peer));

    let wrong = home.run(&["--headless", "--format", "raw", &redis.address], b"HELLO?\r\n");
    assert!(
        wrong.text().starts_with("-ERR unknown command 'HELLO?'"),
        "{wrong:?}"
    );
}

#[test]
fn values_survive_whatever_is_in_them() {
    let home = Home::new();
    let Some(redis) = redis::start(&home) else {
        return;
    };
    let value: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let set = [
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$300000\r\n",
        value.as_slice(),
        b"\r\n",
    ]
    .concat();
    let stored = home.run(&["--headless", "--format", "raw", &redis.address], &set);
    assert_eq!(stored.text(), "+OK\r\n");

    let trace = home.path("trace.pcapng");
    let arguments = [
        "--headless",
        "--format",
        "raw",
        "-w",
        trace.to_str().unwrap(),
        &redis.address,
    ];
    let got = home.run(&arguments, b"GET k\r\n");
    let expected = [b"$300000\r\n", value.as_slice(), b"\r\n"].concat();
    assert!(got.stdout == expected, "{} bytes", got.stdout.len());
    assert!(recorded(&trace, Direction::Received) == expected);
}

#[test]
fn one_shots_end_although_redis_does_not() {
    let home = Home::new();
    let Some(redis) = redis::start(&home) else {
        return;
    };
    let arguments = [
        "--headless",
        "--send",
        "PING",
        "--eol",
        "crlf",
        "--stdin-eof",
        "ignore",
        "--count",
        "1",
    ];
    let arguments = [arguments.as_slice(), &["--format", "raw", &redis.address]].concat();
    let run = home.run(&arguments, b"");
    assert_eq!((run.code(), run.text().as_str()), (0, "+PONG\r\n"));
}

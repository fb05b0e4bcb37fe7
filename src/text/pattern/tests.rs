//! What is typed, what it finds, and where errors point.

use proptest::prelude::*;

use super::*;

fn check(typed: &str, haystack: &[u8], expected: Option<Range<usize>>) {
    let pattern = Pattern::parse(typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
    assert_eq!(pattern.find_in(haystack, 0), expected, "{typed}");
    assert_eq!(Pattern::parse(&pattern.to_string()).unwrap(), pattern);
    assert!(
        pattern
            .longest()
            .is_none_or(|longest| longest >= expected.unwrap_or_default().len())
    );
}

fn fails(typed: &str, at: Range<usize>, word: &str) {
    let error = Pattern::parse(typed).expect_err(typed);
    assert_eq!(error.at, at, "{typed}: {error}");
    assert!(typed.get(at).is_some());
    assert!(error.message.contains(word), "{typed}: {error}");
}

#[test]
fn lower_case_text_is_found_in_any_case() {
    check("pong", b"+PONG", Some(1..5));
    check("pong", b"+pOnG", Some(1..5));
    check("PONG", b"+pong PONG", Some(6..10));
    check("Pong", b"PONG pong", None);
    check("200 ok", b"HTTP/1.1 200 OK\r\n", Some(9..15));
    check("200", b"a 200", Some(2..5));
    check("a.c", b"abc A.C", Some(4..7));
    check("straße é", "\u{ff}STRAßE É".as_bytes(), Some(2..12));
    check("é", "É".as_bytes(), Some(0..2));
    check("É", "é".as_bytes(), None);
    check("k", "\u{212a}".as_bytes(), None);
    check("日本", "x日本".as_bytes(), Some(1..7));
    check(" ", b"a b", Some(1..2));
    check("a\"", b"A\"", Some(0..2));
}

#[test]
fn quotes_hold_escapes() {
    check(r#""a\r\n""#, b"xA\r\n", Some(1..4));
    check(r#""\x00\xff""#, b"a\0\xff", Some(1..3));
    check(r#""\xffa""#, b"\xffA", Some(0..2));
    check(r#""\"""#, b"a\"b", Some(1..2));
    check(r#""a\"b\\\"c""#, br#"a"b\"c"#, Some(0..6));
    check(r#""\u{1f600}""#, "😀".as_bytes(), Some(0..4));
    check(r#""re:x""#, b"re:x", Some(0..4));
    check(r#"" ""#, b"a b", Some(1..2));
    fails(r#""ab"#, 0..3, "not closed");
    fails(r#"""#, 0..1, "not closed");
    fails(r#""""#, 0..2, "between");
    fails(r#""a\""#, 0..4, "not closed");
    fails(r#""a"b"#, 3..4, "behind");
    fails(r#""é\q""#, 3..5, "escape");
    fails(r#""é\"\x1""#, 5..8, "\\x");
}

#[test]
fn hex_has_wildcards() {
    check("hex:0d0a", b"a\r\n", Some(1..3));
    check("hex:0x0d, 0x0A", b"a\r\n", Some(1..3));
    check("hex:61??63", b"aabc", Some(1..4));
    check("hex:61??63", b"a\nc", Some(0..3));
    check("hex:61??63", b"a\xffc", Some(0..3));
    check("hex:4?", b"pO", Some(1..2));
    check("hex:?1", b"pa", Some(1..2));
    check("hex:ff ?f", b"\xff\xfe\xff\xff", Some(2..4));
    fails("hex:", 4..4, "nothing");
    fails("hex:??", 4..6, "known");
    fails("hex:0d 0", 7..8, "half");
    fails("hex:0 d", 4..5, "half");
    fails("hex:0dzz", 6..7, "digit");
    fails("hex:é", 4..6, "digit");
}

#[test]
fn expressions_are_over_bytes() {
    check("re:^-ERR", b"+OK\r\n-ERR no\r\n", Some(5..9));
    check("re:OK$", b"+OK\r\n", Some(1..3));
    check(r"re:\xff.", b"\xff\xfe", Some(0..2));
    check("re:é", "aé".as_bytes(), Some(1..3));
    check("re:[é-ü]", "aö".as_bytes(), Some(1..3));
    check("re:(?i)ok", b"OK", Some(0..2));
    check("re:ok", b"OK", None);
    check(r"re:(?u)\w", "é".as_bytes(), Some(0..2));
    check(r"re:\w", "éa".as_bytes(), Some(2..3));
    check("re:a|bc", b"xbc", Some(1..3));
    fails("re:", 3..3, "nothing");
    fails("re:a(b", 4..5, "not closed");
    fails("re:ab)", 5..6, "no parenthesis");
    fails("re:é[a", 5..6, "class");
    fails("re:*a", 3..4, "repeated");
    fails("re:a{2", 4..6, "count");
    fails(r"re:a\", 4..5, "escape");
    fails(r"re:\xg", 5..6, "\\x");
    fails(r"re:(a)\1", 6..8, "references");
    fails("re:x*", 3..5, "everywhere");
    fails("re:^", 3..4, "everywhere");
    fails(r"re:a|\b", 3..7, "everywhere");
    fails(r"re:\p{Thai}", 3..11, "over bytes");
}

#[test]
fn hostile_patterns_are_bounded() {
    fails("re:((((a{100}){100}){100}){100})", 3..32, "too large");
    let deep = format!("re:{}a{}", "(".repeat(1000), ")".repeat(1000));
    assert!(Pattern::parse(&deep).unwrap_err().message.contains("groups"));
    let long = "é".repeat(LONGEST / 2);
    assert!(Pattern::parse(&long).is_ok());
    fails(&(long + "é"), LONGEST..LONGEST + 2, "too long");
    fails(
        &format!("re:{}", "a".repeat(LONGEST + 1)),
        LONGEST + 3..LONGEST + 4,
        "too long",
    );
}

#[test]
fn what_is_known_of_every_match() {
    let shape = |typed: &str| {
        let pattern = Pattern::parse(typed).unwrap();
        (pattern.longest(), pattern.looks_around(), pattern.looks_ahead())
    };
    assert_eq!(shape("PONG"), (Some(4), false, false));
    assert_eq!(shape("pong"), (Some(4), false, false));
    assert_eq!(shape("hex:0d ?? 0a"), (Some(3), false, false));
    assert_eq!(shape("re:a{2,5}b?"), (Some(6), false, false));
    assert_eq!(shape("re:a+"), (None, false, false));
    assert_eq!(shape(r"re:\Aa"), (Some(1), true, false));
    assert_eq!(shape("re:a$"), (Some(1), true, true));
    assert_eq!(shape(r"re:\ba"), (Some(1), true, true));
    assert_eq!(shape("re:é"), (Some(2), false, false));
}

#[test]
fn what_stands_before_counts() {
    let pattern = Pattern::parse("re:^a").unwrap();
    assert_eq!(pattern.find_in(b"ba", 1), None);
    assert_eq!(pattern.find_in(b"\na", 1), Some(1..2));
    for typed in ["re:^a", "a", "A"] {
        let pattern = Pattern::parse(typed).unwrap();
        assert_eq!(pattern.find_in(b"a", 2), None);
        assert_eq!(pattern.find_in(b"a", usize::MAX), None);
    }
}

proptest! {
    #[test]
    fn any_text_is_a_pattern_or_points_at_its_error(
        typed in r#"(re:|hex:|")?[a-f0-9?\\x"(){}\[\]*+^$|.éÉ :,-]{0,12}"#,
        haystack in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        match Pattern::parse(&typed) {
            Ok(pattern) => {
                if let Some(found) = pattern.find_in(&haystack, 0) {
                    prop_assert!(!found.is_empty());
                    prop_assert!(pattern.longest().is_none_or(|longest| longest >= found.len()));
                    prop_assert!(haystack.get(found).is_some());
                }
            }
            Err(error) => prop_assert!(typed.get(error.at).is_some()),
        }
    }

    #[test]
    fn quoted_bytes_find_themselves(bytes in proptest::collection::vec(any::<u8>(), 1..20)) {
        let typed = bytes.iter().fold(String::from("\""), |out, byte| format!("{out}\\x{byte:02x}")) + "\"";
        prop_assert_eq!(Pattern::parse(&typed).unwrap().find_in(&bytes, 0), Some(0..bytes.len()));
        let typed = format!("hex:{}", hex_digits(&bytes));
        prop_assert_eq!(Pattern::parse(&typed).unwrap().find_in(&bytes, 0), Some(0..bytes.len()));
    }
}

fn hex_digits(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |out, byte| format!("{out}{byte:02x}"))
}

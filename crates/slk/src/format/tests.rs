use super::*;

fn decoder(format: Format, split: Split) -> Decoder {
    Decoder { format, split }
}

/// Everything in a stream, or why it is not a stream of messages.
fn all(decoder: &Decoder, mut bytes: &[u8]) -> Result<Vec<Message>, String> {
    let mut messages = Vec::new();
    while let Some(message) = decoder.read(&mut bytes).map_err(|why| why.to_string())? {
        messages.push(message);
    }
    Ok(messages)
}

fn written(format: Format, messages: &[Message]) -> Vec<u8> {
    let encoder = Encoder { format, join: "\t".into() };
    let mut bytes = Vec::new();
    for message in messages {
        encoder.write(message, &mut bytes).expect("a Vec takes everything");
    }
    bytes
}

fn samples() -> Vec<Message> {
    vec![
        Message::from("hello"),
        Message::from(""),
        Message::from_parts(["topic", "", "body"]),
        Message::from_parts([&[0u8, 255, 10, 9][..], "größer".as_bytes()]),
        Message::from(vec![b'x'; 100_000]),
    ]
}

#[test]
fn binary_formats_give_back_what_they_were_given() {
    for format in [Format::Framed, Format::Json] {
        let bytes = written(format, &samples());
        assert_eq!(all(&decoder(format, Split::Never), &bytes), Ok(samples()), "{format:?}");
    }
}

#[test]
fn lines_are_messages_and_may_lack_the_last_newline() {
    let lines = |text: &str| all(&decoder(Format::Lines, Split::Never), text.as_bytes());
    assert_eq!(lines("a\n\nb c\n"), Ok(vec![Message::from("a"), Message::from(""), Message::from("b c")]));
    assert_eq!(
        lines("a\r\nb"),
        Ok(vec![Message::from("a\r"), Message::from("b")]),
        "nothing but the newline is taken away"
    );
    assert_eq!(lines(""), Ok(vec![]));
}

#[test]
fn lines_come_apart_where_they_are_told_to() {
    let parts = |split| all(&decoder(Format::Lines, split), b"a\tb\tc\n").map(|messages| messages[0].clone());
    assert_eq!(parts(Split::Never), Ok(Message::from("a\tb\tc")));
    assert_eq!(parts(Split::Once("\t".into())), Ok(Message::from_parts(["a", "b\tc"])));
    assert_eq!(parts(Split::Always("\t".into())), Ok(Message::from_parts(["a", "b", "c"])));
    assert_eq!(parts(Split::Always(String::new())), Ok(Message::from("a\tb\tc")));
}

#[test]
fn lines_are_written_with_a_separator_between_parts() {
    assert_eq!(written(Format::Lines, &[Message::from_parts(["a", "b"]), Message::from("c")]), b"a\tb\nc\n");
}

#[test]
fn json_is_one_array_per_line() {
    let message = Message::from_parts([&b"topic"[..], &[0, 255]]);
    assert_eq!(written(Format::Json, &[message]), b"[\"topic\",{\"hex\":\"00ff\"}]\n");
    let read = all(&decoder(Format::Json, Split::Never), b"\n\"alone\"\n [\"a\", {\"hex\": \"0A\"}] ");
    assert_eq!(read, Ok(vec![Message::from("alone"), Message::from_parts(["a", "\n"])]));
}

#[test]
fn bad_json_is_refused_with_the_reason() {
    let refusals = [
        ("{", "not JSON"),
        ("[]", "at least one part"),
        ("[1]", "1 is not a part"),
        ("[{\"hex\":\"0\"}]", "not hex"),
        ("[{\"hex\":\"zz\"}]", "not hex"),
    ];
    for (text, why) in refusals {
        let refusal = all(&decoder(Format::Json, Split::Never), text.as_bytes()).expect_err(text);
        assert!(refusal.contains(why), "{text}: {refusal}");
    }
}

#[test]
fn a_frame_that_is_cut_or_wrong_is_refused() {
    let framed = |bytes: &[u8]| all(&decoder(Format::Framed, Split::Never), bytes).expect_err("refused");
    let whole = written(Format::Framed, &[Message::from_parts(["ab", "c"])]);
    for cut in 1..whole.len() {
        assert!(framed(&whole[..cut]).contains("middle of a message"), "cut at {cut}");
        assert!(!decoder(Format::Framed, Split::Never).is_whole(&whole[..cut]), "cut at {cut}");
    }
    assert!(decoder(Format::Framed, Split::Never).is_whole(&whole));
    assert!(framed(&[2, 0, 0, 0, 0]).contains("octet 2"));
    assert!(framed(&[0, 255, 255, 255, 255]).contains("more than"));
}

#[test]
fn a_line_without_an_end_stops_at_the_limit() {
    let mut endless = io::BufReader::new(io::repeat(b'x'));
    let refusal = decoder(Format::Lines, Split::Never).read(&mut endless).unwrap_err();
    assert!(refusal.to_string().contains("longer than"));
}

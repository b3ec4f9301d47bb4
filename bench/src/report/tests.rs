//! What every form of the report has to show.

use super::*;
use crate::Error;

/// A row that one competitor was measured in, one is not installed for, and one failed in.
fn report() -> Report {
    let mut measured = Entry::new(Row::Callers, Peer::Raw);
    measured.add(vec![(Figure::P50, 12.34)]);
    measured.add(vec![(Figure::P50, 10.0)]);
    let mut absent = Entry::new(Row::Callers, Peer::Libzmq);
    absent.fail(Error::Absent("install it".into()));
    let mut broken = Entry::new(Row::Callers, Peer::Serverlink);
    broken.fail(Error::child("req", "fell silent"));
    let peers = vec![Peer::Raw, Peer::Libzmq, Peer::Serverlink];
    let options = Options { rows: vec![Row::Callers], peers, ..Options::default() };
    Report::new(Machine::this(false), options, vec![measured, absent, broken])
}

#[test]
fn the_table_names_what_is_missing() {
    let table = report().to_string();
    for wanted in ["10.0 (10.0..12.3)", "install it", "failed: the req process fell silent"] {
        assert!(table.contains(wanted), "{wanted:?} is not in\n{table}");
    }
    assert!(report().has_failures());
}

#[test]
fn the_json_has_every_sample() {
    let json: serde_json::Value = serde_json::from_str(&report().to_json()).unwrap();
    assert_eq!(json["entries"][0]["figures"]["p50 us"]["samples"][1], 10.0);
    assert_eq!(json["entries"][1]["absent"], "install it");
}

#[test]
fn the_markdown_has_a_column_for_each_competitor_and_says_why_one_is_empty() {
    let markdown = report().to_markdown();
    for wanted in ["| raw |", "10.0 (10.0..12.3)", "| p50 us |", "libzmq: install it", "failed"] {
        assert!(markdown.contains(wanted), "{wanted:?} is not in\n{markdown}");
    }
}

#[test]
fn the_picture_has_a_bar_for_each_figure_and_a_name_for_each_competitor() {
    let svg = report().to_svg();
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{svg}");
    assert_eq!(svg.matches("class=\"bar").count(), 1, "{svg}");
    assert!(svg.contains(">raw<") && svg.contains("sixteen callers"), "{svg}");
}

#[test]
fn only_the_marked_part_of_a_page_is_replaced() {
    let page = "before\n<!-- figures -->\nstale\n<!-- end of figures -->\nafter\n";
    let renewed = report().to_markdown_within(page);
    assert!(
        renewed.starts_with("before\n") && renewed.ends_with("\nafter\n") && !renewed.contains("stale"),
        "{renewed}"
    );
    assert_eq!(report().to_markdown_within(&renewed), renewed);
    assert_eq!(report().to_markdown_within("no such lines"), report().to_markdown());
}

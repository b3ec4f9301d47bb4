//! The report as Markdown: rows of one family under each other, competitors beside each other.

use std::fmt::Write;

use super::{Entry, Figure, Outcome, Report};
use crate::{Peer, Row};

pub(super) fn render(report: &Report) -> String {
    let [machine, settings] = report.origin();
    let mut text = format!("{machine}; {settings}. Bold: the best but for the kernel itself.\n");
    for (family, rows) in report.families() {
        let _ = write!(text, "\n### {}\n", capitalised(&family));
        text.push_str(&render_family(report, &rows));
    }
    text
}

const BEGIN: &str = "<!-- figures -->\n";
const END: &str = "<!-- end of figures -->";

/// The page with new figures.
pub(super) fn within(page: &str, figures: &str) -> String {
    let found = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    match found {
        Some((before, after)) => format!("{before}{BEGIN}\n{figures}\n{END}{after}"),
        None => figures.to_owned(),
    }
}

fn render_family(report: &Report, rows: &[Row]) -> String {
    let entries: Vec<&Entry> = rows.iter().flat_map(|row| report.entries_of(*row)).collect();
    let mut peers: Vec<Peer> = Vec::new();
    let mut figures: Vec<Figure> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.has_figures()) {
        if !peers.contains(&entry.peer) {
            peers.push(entry.peer);
        }
        for (figure, _) in entry.figures() {
            if !figures.contains(figure) {
                figures.push(*figure);
            }
        }
    }
    peers.sort_by_key(|peer| report.options.peers.iter().position(|known| known == peer));
    let mut text = String::new();
    if let [row] = rows {
        text.push_str(&head("", &peers));
        for figure in figures {
            text.push_str(&line(report, *row, figure, &peers, figure.label()));
        }
    } else {
        for figure in figures {
            text.push_str(&head(figure.label(), &peers));
            for row in rows {
                text.push_str(&line(report, *row, figure, &peers, &row.variant()));
            }
        }
    }
    text + &missing(&entries)
}

fn head(figure: &str, peers: &[Peer]) -> String {
    let title = if figure.is_empty() { String::new() } else { format!("**{figure}**") };
    let names: String = peers.iter().map(|peer| format!(" {peer} |")).collect();
    format!("\n| {title} |{names}\n|---|{}\n", "---|".repeat(peers.len()))
}

fn line(report: &Report, row: Row, figure: Figure, peers: &[Peer], label: &str) -> String {
    let median = |peer: Peer| Some(report.entry(row, peer)?.figure(figure)?.median());
    let libraries = peers.iter().filter(|peer| !peer.is_kernel()).filter_map(|peer| median(*peer));
    let best = if figure.more_is_better() { libraries.reduce(f64::max) } else { libraries.reduce(f64::min) };
    let bold = if figure.is_cell_of_merit() { best } else { None };
    let cells: String = peers
        .iter()
        .map(|peer| {
            let cell = report.entry(row, *peer).map(|entry| cell(entry, figure)).unwrap_or_default();
            let is_best = !peer.is_kernel() && bold.is_some() && median(*peer) == bold;
            if is_best { format!(" **{cell}** |") } else { format!(" {cell} |") }
        })
        .collect();
    format!("| {label} |{cells}\n")
}

fn cell(entry: &Entry, figure: Figure) -> String {
    match (entry.figure(figure), &entry.outcome) {
        (Some(samples), _) => samples.shown(figure),
        (None, Outcome::Failed(_)) => "failed".into(),
        (None, _) => "-".into(),
    }
}

/// One sentence for each competitor and reason, however many rows it holds for.
fn missing(entries: &[&Entry]) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for entry in entries {
        let reason = match &entry.outcome {
            Outcome::Measured => continue,
            Outcome::Absent(why) => format!("{}: {why}", entry.peer),
            Outcome::Failed(why) => format!("{} failed in {}: {why}", entry.peer, entry.row),
        };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() { String::new() } else { format!("\n{}.\n", reasons.join(". ")) }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

//! The table on a terminal. Drawing only: what it shows is given.

use clap::ValueEnum;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Paragraph, Row as TableRow, Table, TableState};

use super::numbers::{age, bytes, count};
use super::rows::{Column, Rows};

const KEYS: &str = "q quit   up/down select   left/right sort by   r reverse   space hold";

/// Widths of all columns but the first.
const WIDTHS: [u16; 10] = [7, 7, 9, 9, 15, 15, 8, 7, 7, 14];

/// What stands above the table.
pub(super) struct Status<'a> {
    pub(super) endpoint: &'a str,
    pub(super) is_connected: bool,
    /// The screen does not follow until it is let go.
    pub(super) is_held: bool,
    /// Since the last snapshot came.
    pub(super) age_seconds: f64,
}

/// Draws everything. Without rows nothing has come yet.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    status: &Status<'_>,
    rows: Option<&Rows>,
    selected: &mut TableState,
) {
    let [head, totals, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Line::from(headline(status, rows)).style(Modifier::BOLD), head);
    if let Some(rows) = rows {
        frame.render_widget(Line::from(summary(rows)), totals);
        draw_table(frame, body, rows, selected);
    } else {
        let waiting = "waiting for the first snapshot; is a stats endpoint open there?";
        frame.render_widget(Paragraph::new(waiting), body);
    }
    frame.render_widget(Line::from(KEYS).style(Modifier::DIM), foot);
}

fn headline(status: &Status<'_>, rows: Option<&Rows>) -> String {
    let state = match (status.is_connected, status.is_held) {
        (_, true) => "held".to_owned(),
        (false, _) => format!("not connected, last heard {} ago", age(status.age_seconds)),
        // Snapshots come each second.
        (true, _) if status.age_seconds >= 3.0 => format!("silent for {}", age(status.age_seconds)),
        (true, _) => "live".to_owned(),
    };
    let process = rows.map_or_else(String::new, |rows| format!(", process {}", rows.process));
    format!("slk top {}{process}: {state}", status.endpoint)
}

fn summary(rows: &Rows) -> String {
    let total = rows.total;
    format!(
        "{} sockets, {} peers   out {}/s {}B/s   in {}/s {}B/s",
        rows.sockets,
        rows.peers,
        count(total.sent),
        bytes(total.sent_bytes),
        count(total.received),
        bytes(total.received_bytes),
    )
}

fn draw_table(frame: &mut Frame<'_>, area: Rect, rows: &Rows, selected: &mut TableState) {
    let columns = Column::value_variants();
    let mark = if rows.order.reversed { "^" } else { "v" };
    let title = |column: &Column| match *column == rows.order.column {
        true => Cell::from(format!("{}{mark}", column.title())).style(Modifier::UNDERLINED),
        false => Cell::from(column.title()),
    };
    let header = TableRow::new(columns.iter().map(title)).style(Modifier::REVERSED);
    let lines = rows.rows.iter().map(|row| {
        let style = if row.is_socket { Style::from(Modifier::BOLD) } else { Style::default() };
        TableRow::new(columns.iter().map(|&column| row.cell(column))).style(style)
    });
    let widths = std::iter::once(Constraint::Min(20)).chain(WIDTHS.map(Constraint::Length));
    let table = Table::new(lines, widths).header(header).row_highlight_style(Modifier::REVERSED);
    frame.render_stateful_widget(table, area, selected);
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::rows::{Order, tests::snapshot};
    use super::*;

    const STATUS: Status<'_> =
        Status { endpoint: "tcp://127.0.0.1:9999", is_connected: true, is_held: false, age_seconds: 0.4 };

    fn drawn(status: &Status<'_>, rows: Option<&Rows>, selected: Option<usize>, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(150, height)).expect("a test terminal");
        let mut state = TableState::new().with_selected(selected);
        terminal.draw(|frame| draw(frame, status, rows, &mut state)).expect("it draws");
        let buffer = terminal.backend().buffer();
        let width = usize::from(buffer.area.width);
        let line =
            |cells: &[ratatui::buffer::Cell]| cells.iter().map(|cell| cell.symbol()).collect::<String>();
        buffer.content.chunks(width).map(|cells| line(cells).trim_end().to_owned()).collect()
    }

    fn rows() -> Rows {
        Rows::between(Some(&snapshot(1)), &snapshot(2), Order::by(Column::Out))
    }

    #[test]
    fn it_shows_sockets_with_their_peers_and_rates() {
        let screen = drawn(&STATUS, Some(&rows()), None, 10);
        assert_eq!(screen[0], "slk top tcp://127.0.0.1:9999, process 77: live");
        assert_eq!(screen[1], "2 sockets, 2 peers   out 2.50k/s 2.00KiB/s   in 0/s 0B/s");
        assert!(screen[2].starts_with("SOCKET / PEER") && screen[2].contains("OUT/sv"), "{}", screen[2]);
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            words(&screen[3]),
            [
                "1",
                "ROUTER",
                "tcp://127.0.0.1:5555",
                "2.50k",
                "0",
                "2.00Ki",
                "0",
                "12",
                "2.00KiB",
                "0",
                "7",
                "0",
                "2",
                "peers"
            ]
        );
        assert!(screen[4].starts_with("  DEALER quick tcp://127.0.0.1:40002"), "{}", screen[4]);
        assert!(screen[4].contains("1.25ms") && screen[4].ends_with("5s"), "{}", screen[4]);
        assert!(screen[7].contains("away, try 4"), "{}", screen[7]);
        assert!(screen[9].starts_with("q quit"));
    }

    #[test]
    fn it_scrolls_to_the_selected_row() {
        let screen = drawn(&STATUS, Some(&rows()), Some(4), 6);
        assert!(screen.iter().any(|line| line.contains("away, try 4")), "{screen:?}");
        assert!(!screen.iter().any(|line| line.contains("ROUTER")), "{screen:?}");
    }

    #[test]
    fn it_says_when_it_waits_is_silent_or_held() {
        let waiting = drawn(&STATUS, None, None, 6);
        assert!(waiting[2].contains("waiting for the first snapshot"), "{waiting:?}");
        let head = |status: &Status<'_>| drawn(status, Some(&rows()), None, 6).remove(0);
        assert!(head(&Status { age_seconds: 65.0, ..STATUS }).ends_with("silent for 1m05s"));
        assert!(head(&Status { is_connected: false, age_seconds: 5.0, ..STATUS }).contains("not connected"));
        assert!(head(&Status { is_held: true, ..STATUS }).ends_with("held"));
    }

    #[test]
    fn a_tiny_terminal_is_no_reason_to_panic() {
        for height in 1..4 {
            drawn(&STATUS, Some(&rows()), Some(0), height);
        }
    }
}

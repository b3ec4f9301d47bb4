//! The loop of the live screen: snapshots come in, keys are pressed, the screen is drawn when something changed.

use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::widgets::TableState;

use super::rows::{Order, Rows};
use super::view::{self, Status};
use crate::exit::{Exit, Failure};
use crate::watch::{Feed, Snapshot, Target};

/// How long a key may wait for its effect, and a snapshot to be shown.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long the age of what is shown may be wrong.
const REDRAW_EVERY: Duration = Duration::from_secs(1);

/// Rows that PageUp and PageDown move.
const PAGE: isize = 10;

pub(super) fn run(feed: &Feed, target: &Target, order: Order) -> Result<(), Failure> {
    let failed = |why| Failure::of("the terminal could not be set up", why);
    // Gives the terminal back also when this panics.
    let mut terminal = ratatui::try_init().map_err(failed)?;
    let ended = follow(&mut terminal, feed, target, order);
    ratatui::restore();
    ended
}

fn follow(
    terminal: &mut ratatui::DefaultTerminal,
    feed: &Feed,
    target: &Target,
    order: Order,
) -> Result<(), Failure> {
    let mut screen = Screen::new(order);
    let mut drawn_at: Option<Instant> = None;
    loop {
        while let Some(body) = feed.try_next()? {
            screen.take(Snapshot::parse(&body)?);
            drawn_at = None;
        }
        if target.timeout.is_some_and(|timeout| screen.heard_at.elapsed() > timeout) {
            let sentence = format!("nothing came from {} in time; see --timeout", target.endpoint);
            return Err(Failure::new(Exit::TimedOut, sentence));
        }
        if drawn_at.is_none_or(|at| at.elapsed() >= REDRAW_EVERY) {
            screen.draw(terminal, feed, target)?;
            drawn_at = Some(Instant::now());
        }
        let pressed = event::poll(LOOK_EVERY).and_then(|any| any.then(event::read).transpose());
        match pressed.map_err(|why| Failure::of("reading keys", why))? {
            Some(Event::Key(key)) if key.kind != KeyEventKind::Release && screen.press(key) == Wish::Quit => {
                return Ok(());
            }
            Some(_) => drawn_at = None,
            None => {}
        }
    }
}

/// What is shown, and what the keys have changed of it.
struct Screen {
    before: Option<Snapshot>,
    now: Option<Snapshot>,
    rows: Option<Rows>,
    order: Order,
    selected: TableState,
    is_held: bool,
    heard_at: Instant,
}

#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Stay,
    Quit,
}

impl Screen {
    fn new(order: Order) -> Screen {
        Screen {
            before: None,
            now: None,
            rows: None,
            order,
            selected: TableState::new(),
            is_held: false,
            heard_at: Instant::now(),
        }
    }

    fn draw(
        &mut self,
        terminal: &mut ratatui::DefaultTerminal,
        feed: &Feed,
        target: &Target,
    ) -> Result<(), Failure> {
        let status = Status {
            endpoint: &target.endpoint,
            is_connected: feed.is_connected(),
            is_held: self.is_held,
            age_seconds: self.heard_at.elapsed().as_secs_f64(),
        };
        let Screen { rows, selected, .. } = self;
        let drawn = terminal.draw(|frame| view::draw(frame, &status, rows.as_ref(), selected));
        drawn.map(drop).map_err(|why| Failure::of("drawing on the terminal", why))
    }

    fn take(&mut self, snapshot: Snapshot) {
        self.heard_at = Instant::now();
        if !self.is_held {
            self.before = self.now.replace(snapshot);
            self.arrange();
        }
    }

    fn arrange(&mut self) {
        self.rows = self.now.as_ref().map(|now| Rows::between(self.before.as_ref(), now, self.order));
    }

    fn press(&mut self, key: KeyEvent) -> Wish {
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Wish::Quit,
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Wish::Quit,
            KeyCode::Up | KeyCode::Char('k') => self.select(-1),
            KeyCode::Down | KeyCode::Char('j') => self.select(1),
            KeyCode::PageUp => self.select(-PAGE),
            KeyCode::PageDown => self.select(PAGE),
            KeyCode::Home => self.select(isize::MIN),
            KeyCode::End => self.select(isize::MAX),
            KeyCode::Left => self.sort(self.order.moved(-1)),
            KeyCode::Right | KeyCode::Char('s') => self.sort(self.order.moved(1)),
            KeyCode::Char('r') => self.sort(Order { reversed: !self.order.reversed, ..self.order }),
            KeyCode::Char(' ') => self.is_held = !self.is_held,
            _ => {}
        }
        Wish::Stay
    }

    fn sort(&mut self, order: Order) {
        self.order = order;
        self.arrange();
    }

    fn select(&mut self, steps: isize) {
        let Some(last) = self.rows.as_ref().and_then(|rows| rows.rows.len().checked_sub(1)) else { return };
        let at = self.selected.selected().map_or(if steps > 0 { -1 } else { 0 }, |at| at as isize);
        self.selected.select(Some(at.saturating_add(steps).clamp(0, last as isize) as usize));
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::{Column, tests::snapshot};
    use super::*;

    fn screen() -> Screen {
        let mut screen = Screen::new(Order::by(Column::Name));
        screen.take(snapshot(1));
        screen.take(snapshot(2));
        screen
    }

    fn press(screen: &mut Screen, code: KeyCode) -> Wish {
        screen.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn it_can_be_left_in_three_ways() {
        let mut screen = screen();
        assert_eq!(press(&mut screen, KeyCode::Char('q')), Wish::Quit);
        assert_eq!(press(&mut screen, KeyCode::Esc), Wish::Quit);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(screen.press(interrupt), Wish::Quit);
        assert_eq!(press(&mut screen, KeyCode::Char('c')), Wish::Stay);
    }

    #[test]
    fn the_selection_stays_within_the_rows() {
        let mut screen = screen();
        let mut at = |code| {
            press(&mut screen, code);
            screen.selected.selected()
        };
        assert_eq!(at(KeyCode::Down), Some(0));
        assert_eq!(at(KeyCode::PageDown), Some(4));
        assert_eq!(at(KeyCode::Up), Some(3));
        assert_eq!(at(KeyCode::End), Some(4));
        assert_eq!(at(KeyCode::Home), Some(0));
        assert_eq!(at(KeyCode::Up), Some(0));
        press(&mut Screen::new(Order::by(Column::Name)), KeyCode::Down);
    }

    #[test]
    fn sorting_is_at_once_and_holding_stops_what_comes() {
        let mut screen = screen();
        press(&mut screen, KeyCode::Right);
        assert_eq!(screen.rows.as_ref().map(|rows| rows.order.column), Some(Column::Out));
        press(&mut screen, KeyCode::Char('r'));
        assert!(screen.rows.as_ref().is_some_and(|rows| rows.order.reversed));
        let sent = |screen: &Screen| screen.now.as_ref().map(|now| now.sockets[0].traffic.sent);
        press(&mut screen, KeyCode::Char(' '));
        screen.take(snapshot(3));
        assert_eq!(sent(&screen), Some(10_000));
        press(&mut screen, KeyCode::Char(' '));
        screen.take(snapshot(4));
        assert_eq!(sent(&screen), Some(20_000));
    }
}

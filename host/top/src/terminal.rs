//! The terminal: keys in, the screen out, until somebody quits.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TermionBackend;
use ratatui::termion::event::{Event, Key as Pressed};
use ratatui::termion::input::TermRead as _;
use ratatui::termion::raw::IntoRawMode as _;
use ratatui::termion::screen::IntoAlternateScreen as _;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::limits::{EVERY_MIN, KEYS_MAX, REDRAW_EVERY};
use crate::{App, Frame, Key, Sampler, draw};

/// Why there is no screen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TopError {
    /// There is nobody to look at it.
    #[error("standard input and output are no terminal; --once prints one frame")]
    NoTerminal,
    /// The terminal does not do what it should.
    #[error("the terminal cannot be used")]
    Terminal(#[from] io::Error),
}

/// Shows the cluster until somebody quits, with a look every so often.
///
/// # Errors
/// [`TopError`]. A node that does not answer is no error: the screen says so.
pub async fn run(sampler: Sampler, every: Duration, color: bool) -> Result<(), TopError> {
    check(io::stdin().is_terminal(), io::stdout().is_terminal())?;
    // Both are undone when they are dropped, on every way out.
    let screen = io::stdout().into_raw_mode()?.into_alternate_screen()?;
    let mut terminal = Terminal::new(TermionBackend::new(screen))?;
    let mut app = App::new(color);
    let mut keys = keys();
    let mut looks = looks(sampler, every.max(EVERY_MIN));
    let mut ended = signal(SignalKind::terminate())?;
    // A terminal that changed its size is drawn anew without a key.
    let mut redraw = interval(REDRAW_EVERY);
    redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !app.is_over() {
        terminal.draw(|frame| draw(&app, frame.area(), frame.buffer_mut()))?;
        tokio::select! {
            key = keys.recv() => app.press(key.unwrap_or(Key::Quit)),
            look = looks.recv() => match look {
                Some(look) => app.take(look),
                None => app.press(Key::Quit),
            },
            _ = ended.recv() => app.press(Key::Quit),
            _ = redraw.tick() => {}
        }
    }
    terminal.show_cursor()?;
    Ok(())
}

/// Keys come from the one, the screen goes to the other.
const fn check(stdin: bool, stdout: bool) -> Result<(), TopError> {
    match stdin && stdout {
        true => Ok(()),
        false => Err(TopError::NoTerminal),
    }
}

/// Looks, one after the other, each when the one before was taken.
fn looks(mut sampler: Sampler, every: Duration) -> mpsc::Receiver<Result<Frame, String>> {
    let (looks, taken) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let look = sampler.look().await.map_err(|error| error.to_string());
            if looks.send(look).await.is_err() {
                return;
            }
            sleep(every).await;
        }
    });
    taken
}

/// Keys as they are pressed. Reading a terminal blocks, so it has a thread of its own, which ends
/// with the process.
fn keys() -> mpsc::Receiver<Key> {
    let (keys, pressed) = mpsc::channel(KEYS_MAX as usize);
    std::thread::spawn(move || {
        for event in io::stdin().events() {
            let Ok(event) = event else {
                return;
            };
            if let Some(key) = meaning(&event)
                && keys.blocking_send(key).is_err()
            {
                return;
            }
        }
    });
    pressed
}

/// What a key means here.
fn meaning(event: &Event) -> Option<Key> {
    let Event::Key(key) = event else {
        return None;
    };
    Some(match key {
        Pressed::Char('q') | Pressed::Ctrl('c' | 'd') => Key::Quit,
        Pressed::Char('p' | ' ') => Key::Pause,
        Pressed::Char('\t' | 'l') | Pressed::Right => Key::Next,
        Pressed::BackTab | Pressed::Char('h') | Pressed::Left => Key::Previous,
        Pressed::Up | Pressed::Char('k') => Key::Up,
        Pressed::Down | Pressed::Char('j') => Key::Down,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    //! Keys, and a place where there is no terminal.

    use ratatui::termion::event::parse_event;

    use super::{Key, TopError, check, meaning};

    #[test]
    fn every_key_means_what_the_footer_says() {
        let table: [(&[u8], Option<Key>); 12] = [
            (b"q", Some(Key::Quit)),
            (b"\x03", Some(Key::Quit)),
            (b"p", Some(Key::Pause)),
            (b"\t", Some(Key::Next)),
            (b"\x1b[C", Some(Key::Next)),
            (b"\x1b[Z", Some(Key::Previous)),
            (b"\x1b[D", Some(Key::Previous)),
            (b"\x1b[A", Some(Key::Up)),
            (b"\x1b[B", Some(Key::Down)),
            (b"j", Some(Key::Down)),
            (b"x", None),
            (b"\x1b[5~", None),
        ];
        for (bytes, wanted) in table {
            let mut rest = bytes.iter().skip(1).map(|byte| Ok(*byte));
            let first = bytes.first().copied().unwrap_or_default();
            let found = parse_event(first, &mut rest).ok();
            assert_eq!(found.as_ref().and_then(meaning), wanted, "{bytes:?}");
        }
    }

    #[test]
    fn without_a_terminal_at_both_ends_it_says_what_to_do() {
        assert!(check(true, true).is_ok());
        for (stdin, stdout) in [(true, false), (false, true), (false, false)] {
            let refused = check(stdin, stdout).err().map(|error| error.to_string());
            assert!(refused.is_some_and(|said| said.contains("--once")));
        }
        let broken = TopError::from(std::io::Error::other("gone"));
        assert!(std::error::Error::source(&broken).is_some());
    }
}

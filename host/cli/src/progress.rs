//! Progress on terminals; silence everywhere else.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::arguments::Output;

/// How often a spinner turns.
pub(crate) const TURN: Duration = Duration::from_millis(100);

fn target(output: Output) -> ProgressDrawTarget {
    if output == Output::Text && std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}

/// A spinner with a message.
pub(crate) fn spinner(output: Output, message: &str) -> ProgressBar {
    let spinner = ProgressBar::with_draw_target(None, target(output));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        spinner.set_style(style);
    }
    spinner.set_message(message.to_owned());
    spinner.enable_steady_tick(TURN);
    spinner
}

/// A bar over a number of things that is not known yet; [`set`] moves it.
pub(crate) fn values(output: Output, message: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), target(output));
    if let Ok(style) =
        ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} ({elapsed}, {eta} left)")
    {
        bar.set_style(style);
    }
    bar.set_message(message.to_owned());
    bar
}

/// Moves a bar.
pub(crate) fn set(bar: &ProgressBar, (done, all): (u64, u64)) {
    bar.set_length(all);
    bar.set_position(done);
}

/// A bar over a number of bytes.
pub(crate) fn bytes(output: Output, total: u64, message: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), target(output));
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}") {
        bar.set_style(style);
    }
    bar.set_message(message.to_owned());
    bar
}

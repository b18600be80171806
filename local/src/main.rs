//! `cargo run -p local`: the whole system on one machine.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use local::cli::{self, Arguments};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (Ok(mut interrupted), Ok(mut terminated), Ok(mut hung_up)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return fail("signals cannot be waited for");
    };
    // Whatever runs is dropped when a signal comes, and every process of ours ends when its owner is dropped.
    tokio::select! {
        ended = cli::run(arguments) => match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&format!("{error:#}")),
        },
        _ = interrupted.recv() => ended("Ctrl-C"),
        _ = terminated.recv() => ended("SIGTERM"),
        _ = hung_up.recv() => ended("SIGHUP"),
    }
}

/// Ends on a signal. A terminal shows `^C` where the cursor stands: the line begins anew.
fn ended(signal: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "\nlocal: ended ({signal})");
    ExitCode::SUCCESS
}

fn fail(why: &str) -> ExitCode {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "local: {why}");
    ExitCode::FAILURE
}

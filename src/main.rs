//! The life of the process: parse, run, tell the exit code.

use std::process::ExitCode;

use stocksync::cli::{self, Exit};

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nothing else is there yet that could print.
            std::io::Write::write_all(&mut std::io::stderr(), format!("start: {error}\n").as_bytes()).ok();
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(cli::main(std::env::args_os()));
    // What is still running was told to end and given its time.
    runtime.shutdown_background();
    exit.into()
}

//! `sysndd health`: what a container's health check runs, where there is no shell and no curl.

use std::time::Duration;

use clap::Args;
use foundation_runtime::exit::Exit;

use crate::ui;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to ask
    #[arg(long, default_value = "http://127.0.0.1:7778/readyz")]
    url: String,
    /// How long the answer may take, in seconds
    #[arg(long, default_value_t = 5)]
    timeout: u64,
}

/// 0 if it is ready, 1 if it is not: the only two that a container's health check may answer.
pub(super) fn run(arguments: &Arguments) -> Exit {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(arguments.timeout)))
        .http_status_as_error(false)
        .build()
        .into();
    match agent.get(&arguments.url).call() {
        Ok(mut response) => {
            let text = response.body_mut().read_to_string().unwrap_or_default();
            if response.status().is_success() {
                ui::line(text.trim_end());
                return Exit::Success;
            }
            ui::error(&format!("{}: {}", response.status(), text.trim_end()));
            Exit::Unexpected
        }
        Err(error) => {
            ui::error(&format!("{} does not answer: {error}", arguments.url));
            Exit::Unexpected
        }
    }
}

//! `sysndd health`: what a container's health check runs, where there is no shell and no curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use foundation_runtime::exit::Exit;

use crate::ui;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to ask, instead of /readyz at the configured operations.address
    #[arg(long)]
    url: Option<String>,
    /// How long the answer may take, in seconds
    #[arg(long, default_value_t = 5)]
    timeout: u64,
}

impl Arguments {
    /// The address that was given, or the one that this machine's server has by its configuration.
    pub(super) fn address(
        &self,
        configured: impl FnOnce() -> Result<SocketAddr, Exit>,
    ) -> Result<String, Exit> {
        match &self.url {
            Some(url) => Ok(url.clone()),
            None => configured().map(|address| format!("http://{}/readyz", reachable(address))),
        }
    }
}

/// Who listens on all addresses is asked at this machine's own.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// 0 if it is ready, 1 if it is not: the only two that a container's health check may answer.
pub(super) fn run(arguments: &Arguments, url: &str) -> Exit {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(arguments.timeout)))
        .http_status_as_error(false)
        .build()
        .into();
    match agent.get(url).call() {
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
            ui::error(&format!("{url} does not answer: {error}"));
            Exit::Unexpected
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configured_address_is_asked_where_it_can_be_reached() {
        let asked = |address: &str| {
            let arguments = Arguments { url: None, timeout: 5 };
            arguments.address(|| Ok(address.parse().expect("an address"))).expect("an address")
        };
        assert_eq!(asked("127.0.0.1:18778"), "http://127.0.0.1:18778/readyz");
        assert_eq!(asked("0.0.0.0:7778"), "http://127.0.0.1:7778/readyz");
        assert_eq!(asked("[::]:7778"), "http://[::1]:7778/readyz");
        let given = Arguments { url: Some("http://x/y".to_owned()), timeout: 5 };
        assert_eq!(given.address(|| Err(Exit::Configuration)), Ok("http://x/y".to_owned()));
    }
}

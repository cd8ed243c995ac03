//! The settings of `sysndd`: the list of keys, and their values with types.

mod check;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use foundation_durable::DatabaseSettings;
use foundation_durable::migration::Mode;
use foundation_runtime::configuration::{Configuration, Key, Kind, Problem, Sources, anything};
use foundation_runtime::log::Format;

use check::{collide, not_a_database, not_a_site, not_networks, not_origins};

/// What the variables of the environment begin with.
pub const PREFIX: &str = "SYSNDD";
/// The variable that names the configuration file.
pub const FILE_VARIABLE: &str = "SYSNDD_CONFIG";

const fn key(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Key {
    Key { name, kind, default, secret: false, check: anything, help }
}

const fn checked(key: Key, check: fn(&str) -> Option<String>) -> Key {
    Key { check, ..key }
}

/// All keys.
pub const KEYS: &[Key] = &[
    checked(
        key("data.directory", Kind::Text, "data", "The only directory that is written"),
        |value| value.is_empty().then(|| "the name of a directory belongs here".to_owned()),
    ),
    key(
        "database.ahead",
        Kind::Choice(&["refuse", "read-only"]),
        "refuse",
        "What to do when the schema is newer than this program and does not say that it fits: not become ready, or serve reads only",
    ),
    key("database.pool_size", Kind::Integer(1, 500), "5", "The most connections of a process"),
    key(
        "database.pooler",
        Kind::Boolean,
        "false",
        "Whether a pooler in transaction mode (pgbouncer) stands before PostgreSQL",
    ),
    Key {
        secret: true,
        check: not_a_database,
        ..key(
            "database.url",
            Kind::Text,
            "",
            "sqlite:PATH or postgres://user:password@host:port/database; without it, sysndd.db in the data directory",
        )
    },
    key("log.format", Kind::Choice(&["human", "json"]), "human", "The shape of a line"),
    key(
        "log.level",
        Kind::Choice(&["error", "warn", "info", "debug", "trace"]),
        "info",
        "What is logged",
    ),
    key(
        "migrate",
        Kind::Choice(&["auto", "wait", "off"]),
        "auto",
        "At start: migrate, wait for another process to do it, or neither",
    ),
    key("operations.address", Kind::Address, "127.0.0.1:7778", "Where health and metrics answer"),
    key("public.address", Kind::Address, "127.0.0.1:7777", "Where pages and API answer"),
    key(
        "public.body_bytes_max",
        Kind::Integer(1024, 1 << 30),
        "1048576",
        "The largest body of a request",
    ),
    key(
        "public.connections_max",
        Kind::Integer(1, 65_535),
        "2048",
        "The most connections at a time",
    ),
    checked(
        key(
            "public.cors_allowed_origins",
            Kind::List,
            "",
            "Sites whose pages may call the API, besides those of this machine",
        ),
        not_origins,
    ),
    key(
        "public.cors_refuse_unknown",
        Kind::Boolean,
        "true",
        "Whether a call from a page of any other site is answered with 403",
    ),
    key(
        "public.request_burst",
        Kind::Integer(1, 1_000_000),
        "300",
        "Requests that a caller may have at once before its rate counts",
    ),
    key(
        "public.request_timeout_seconds",
        Kind::Integer(1, 3600),
        "30",
        "How long an answer may take to begin",
    ),
    key(
        "public.requests_in_flight",
        Kind::Integer(1, 100_000),
        "512",
        "The most requests under way in this process",
    ),
    key(
        "public.requests_per_second",
        Kind::Integer(0, 1_000_000),
        "50",
        "The rate of a caller; 0 is without limit",
    ),
    checked(
        key(
            "public.trusted_proxies",
            Kind::List,
            "",
            "Addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded-For is believed",
        ),
        not_networks,
    ),
    checked(
        key(
            "public.url",
            Kind::Text,
            "",
            "The address that people know the site by, for canonical links: https://sysndd.org",
        ),
        not_a_site,
    ),
    key(
        "shutdown.drain_seconds",
        Kind::Integer(0, 600),
        "6",
        "How long readiness says no before the door closes",
    ),
    key(
        "shutdown.finish_seconds",
        Kind::Integer(1, 3600),
        "30",
        "How long requests under way may take after that",
    ),
];

/// What to do with a schema that is newer than this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// Not ready.
    Refuse,
    /// Serve reads.
    ReadOnly,
}

/// The settings, each with its value.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The only directory that is written.
    pub data: PathBuf,
    /// The database.
    pub database: DatabaseSettings,
    /// What to do with a newer schema.
    pub ahead: Ahead,
    /// Who migrates.
    pub migrate: Mode,
    /// The shape of log lines.
    pub log_format: Format,
    /// What is logged.
    pub log_level: String,
    /// Where health and metrics answer.
    pub operations: SocketAddr,
    /// The public side.
    pub public: Public,
    /// How long readiness says no before the door closes.
    pub drain: Duration,
    /// How long requests under way may take after that.
    pub finish: Duration,
}

/// Settings of the public listener.
#[derive(Clone, Debug)]
pub struct Public {
    /// Where it answers.
    pub address: SocketAddr,
    /// The address that people know, without a slash at its end; empty if none is set.
    pub url: String,
    /// The largest body of a request.
    pub body_bytes_max: usize,
    /// The most connections at a time.
    pub connections_max: usize,
    /// Sites whose pages may call the API.
    pub cors_allowed_origins: Vec<String>,
    /// Whether other sites are refused.
    pub cors_refuse_unknown: bool,
    /// How long an answer may take to begin.
    pub request_timeout: Duration,
    /// The most requests under way.
    pub requests_in_flight: usize,
    /// The rate of a caller; 0 is without limit.
    pub requests_per_second: u32,
    /// Requests that a caller may have at once.
    pub request_burst: u32,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<Network>,
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Reads `10.0.0.0/8` or a single address.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        (bits <= width).then_some(Self { address, bits })
    }

    /// Whether an address is in it.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = u32::from(own) ^ u32::from(other);
                differ.checked_shr(32 - self.bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = u128::from(own) ^ u128::from(other);
                differ.checked_shr(128 - self.bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl Settings {
    /// Reads the configuration from its sources.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn load(sources: &Sources) -> Result<(Self, Configuration), Vec<Problem>> {
        let configuration = Configuration::load(KEYS, PREFIX, sources)?;
        let settings = Self::of(&configuration).map_err(|problem| vec![problem])?;
        Ok((settings, configuration))
    }

    /// Settings for a data directory, all else as it usually is: for tests and tools.
    ///
    /// # Errors
    /// Never, as long as the defaults are in order.
    pub fn for_data(data: &Path) -> Result<Self, Vec<Problem>> {
        let flag = ("data.directory", "--data", data.display().to_string());
        let sources = Sources { flags: vec![flag], ..Sources::default() };
        Self::load(&sources).map(|(settings, _)| settings)
    }

    fn of(configuration: &Configuration) -> Result<Self, Problem> {
        let data = PathBuf::from(configuration.text("data.directory"));
        let seconds = |name| Duration::from_secs(configuration.integer(name));
        let mut url = configuration.text("database.url").to_owned();
        if url.is_empty() {
            url = format!("sqlite:{}", data.join("sysndd.db").display());
        }
        let operations = address(configuration, "operations.address")?;
        let public = Public::of(configuration)?;
        if collide(operations, public.address) {
            return Err(Problem {
                place: "operations.address".to_owned(),
                what: format!(
                    "{operations} is taken by public.address, {}: give them different ports",
                    public.address
                ),
            });
        }
        Ok(Self {
            database: DatabaseSettings {
                pool_size: u32::try_from(configuration.integer("database.pool_size")).unwrap_or(5),
                pooler: configuration.boolean("database.pooler"),
                application: "sysndd".to_owned(),
                ..DatabaseSettings::new(url)
            },
            data,
            ahead: match configuration.text("database.ahead") {
                "read-only" => Ahead::ReadOnly,
                _ => Ahead::Refuse,
            },
            migrate: match configuration.text("migrate") {
                "wait" => Mode::Wait,
                "off" => Mode::Off,
                _ => Mode::Auto,
            },
            log_format: match configuration.text("log.format") {
                "json" => Format::Json,
                _ => Format::Human,
            },
            log_level: configuration.text("log.level").to_owned(),
            operations,
            public,
            drain: seconds("shutdown.drain_seconds"),
            finish: seconds("shutdown.finish_seconds"),
        })
    }
}

impl Public {
    fn of(configuration: &Configuration) -> Result<Self, Problem> {
        let trusted_proxies =
            configuration.list("public.trusted_proxies").filter_map(Network::read).collect();
        let size = |name| usize::try_from(configuration.integer(name)).unwrap_or(usize::MAX);
        let small = |name| u32::try_from(configuration.integer(name)).unwrap_or(u32::MAX);
        Ok(Self {
            address: address(configuration, "public.address")?,
            url: configuration.text("public.url").trim_end_matches('/').to_owned(),
            body_bytes_max: size("public.body_bytes_max"),
            connections_max: size("public.connections_max"),
            cors_allowed_origins: configuration
                .list("public.cors_allowed_origins")
                .map(|origin| origin.trim_end_matches('/').to_owned())
                .collect(),
            cors_refuse_unknown: configuration.boolean("public.cors_refuse_unknown"),
            request_timeout: Duration::from_secs(
                configuration.integer("public.request_timeout_seconds"),
            ),
            requests_in_flight: size("public.requests_in_flight"),
            requests_per_second: small("public.requests_per_second"),
            request_burst: small("public.request_burst"),
            trusted_proxies,
        })
    }
}

fn address(configuration: &Configuration, name: &'static str) -> Result<SocketAddr, Problem> {
    configuration.text(name).parse().map_err(|_| Problem {
        place: name.to_owned(),
        what: "an address and port belong here".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_order_and_the_database_lies_in_the_data_directory() {
        let settings = Settings::for_data(Path::new("/app/data")).expect("defaults");
        assert_eq!(settings.database.url, "sqlite:/app/data/sysndd.db");
        assert_eq!(settings.public.address.port(), 7777);
        assert_eq!(settings.operations.port(), 7778);
        assert_eq!(settings.migrate, Mode::Auto);
        assert_eq!(settings.public.requests_per_second, 50);
        assert_eq!(settings.drain, Duration::from_secs(6));
    }

    #[test]
    fn every_key_that_is_asked_for_is_in_the_list() {
        let source = include_str!("settings.rs");
        let (_, code) = source.split_once("impl Settings {").expect("code");
        let (code, _) = code.split_once("mod tests").expect("tests");
        for name in code.split('"').filter(|text| text.contains('.') && !text.contains(['/', ' ']))
        {
            let known = KEYS.iter().any(|key| key.name == name) || name == "sysndd.db";
            assert!(known, "{name}");
        }
    }

    #[test]
    fn a_network_holds_its_addresses() {
        let holds = |network: &str, address: &str| {
            Network::read(network).expect("a network").holds(address.parse().expect("an address"))
        };
        assert!(holds("10.0.0.0/8", "10.9.8.7"));
        assert!(!holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("127.0.0.1", "127.0.0.1"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.1.1"));
        assert!(holds("0.0.0.0/0", "1.2.3.4"));
        assert!(holds("fd00::/8", "fd00::1"));
        assert!(!holds("fd00::/8", "10.0.0.1"));
        for wrong in ["10.0.0.0/33", "x", "10.0.0.0/", ""] {
            assert_eq!(Network::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_table_for_operators_is_the_list() {
        let document = include_str!("../../../docs/sysndd-configuration.md");
        let found: Vec<&str> = document
            .lines()
            .filter(|line| line.starts_with("| `") && line.contains("`SYSNDD_"))
            .collect();
        let mut expected: Vec<String> = KEYS
            .iter()
            .map(|key| {
                let default = if key.default.is_empty() {
                    String::new()
                } else {
                    format!("`{}`", key.default)
                };
                format!(
                    "| `{}` | `{}` | {default} | {} |",
                    key.name,
                    key.variable(PREFIX),
                    key.help
                )
            })
            .collect();
        expected.sort();
        assert_eq!(found, expected);
    }
}

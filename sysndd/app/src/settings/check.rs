//! What is wrong with a value that is of the right kind: `config check` says no to what can't work.

use std::net::SocketAddr;

use axum::http::Uri;
use foundation_durable::DatabaseSettings;

use super::Network;

/// The value may hold a password, and is not repeated.
pub(super) fn not_a_database(value: &str) -> Option<String> {
    match DatabaseSettings::new(value).check() {
        Err(foundation_durable::Error::Settings { what, .. }) => Some(what),
        Err(error) => Some(error.to_string()),
        Ok(()) => None,
    }
}

/// `https://host` or `https://host:port`, and what comes after it.
fn site(text: &str) -> Option<(Uri, &str)> {
    let uri: Uri = text.parse().ok()?;
    let is_site = matches!(uri.scheme_str(), Some("http" | "https")) && !uri.host()?.is_empty();
    let (_, after) = text.split_once("://")?;
    let path = after.find(['/', '?', '#']).map_or("", |at| &after[at..]);
    is_site.then_some((uri, path))
}

pub(super) fn not_a_site(value: &str) -> Option<String> {
    let fits = site(value).is_some_and(|(_, path)| !path.contains(['?', '#']));
    (!fits).then(|| "an address like https://sysndd.org belongs here".to_owned())
}

/// With `*` every site would act in the name of whoever is signed in, so there is none.
pub(super) fn not_origins(value: &str) -> Option<String> {
    let wrong =
        items(value).find(|text| site(text).is_none_or(|(_, path)| !matches!(path, "" | "/")))?;
    Some(format!("`{wrong}` is no origin like https://sysndd.org; each site has to be named"))
}

pub(super) fn not_networks(value: &str) -> Option<String> {
    let wrong = items(value).find(|text| Network::read(text).is_none())?;
    Some(format!("`{wrong}` is neither an address nor a network like 10.0.0.0/8"))
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// Whether two listeners want the same door. Port 0 is any that is free.
pub(super) fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let all = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (all || one.ip() == other.ip())
}

#[cfg(test)]
mod tests {
    use foundation_runtime::configuration::{Problem, Sources};

    use crate::settings::Settings;

    fn problems(environment: &[(&str, &str)]) -> Vec<String> {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = environment.iter().map(pair).collect();
        let found = Settings::load(&Sources { environment, ..Sources::default() });
        found.err().unwrap_or_default().iter().map(Problem::to_string).collect()
    }

    #[test]
    fn what_can_not_work_is_refused_with_the_name_of_its_variable_and_all_of_it_at_once() {
        let wrong = [
            ("SYSNDD_DATA_DIRECTORY", ""),
            ("SYSNDD_DATABASE_URL", "mysql://x:geheim@y"),
            ("SYSNDD_PUBLIC_CORS_ALLOWED_ORIGINS", "*,foo"),
            ("SYSNDD_PUBLIC_TRUSTED_PROXIES", "10.0.0.0/99"),
            ("SYSNDD_PUBLIC_URL", "nonsense"),
        ];
        let found = problems(&wrong);
        assert_eq!(found.len(), wrong.len(), "{found:#?}");
        for ((variable, _), text) in wrong.iter().zip(&found) {
            assert!(text.starts_with(&format!("environment {variable}: ")), "{text}");
            assert!(!text.contains("geheim"));
        }
        for url in ["ftp://x", "https://", "https://x/?y", "https:x"] {
            assert_eq!(problems(&[("SYSNDD_PUBLIC_URL", url)]).len(), 1, "{url}");
        }
        for url in ["sqlite:", "postgres://a@b:port/c", "x"] {
            assert_eq!(problems(&[("SYSNDD_DATABASE_URL", url)]).len(), 1, "{url}");
        }
        let good = [
            ("SYSNDD_DATABASE_URL", "postgres://a:b@c:5433/d"),
            ("SYSNDD_PUBLIC_CORS_ALLOWED_ORIGINS", "https://a.org, http://b.org:81/"),
            ("SYSNDD_PUBLIC_TRUSTED_PROXIES", "10.0.0.0/8,::1"),
            ("SYSNDD_PUBLIC_URL", "https://sysndd.org/"),
        ];
        assert_eq!(problems(&good), [""; 0]);
    }

    #[test]
    fn the_two_listeners_need_two_doors() {
        let both = |public, operations| {
            problems(&[
                ("SYSNDD_PUBLIC_ADDRESS", public),
                ("SYSNDD_OPERATIONS_ADDRESS", operations),
            ])
        };
        assert_eq!(both("127.0.0.1:7777", "127.0.0.1:7777").len(), 1);
        assert!(both("0.0.0.0:7777", "127.0.0.1:7777")[0].contains("different ports"));
        assert_eq!(both("127.0.0.1:7777", "127.0.0.2:7777"), [""; 0]);
        assert_eq!(both("127.0.0.1:0", "127.0.0.1:0"), [""; 0]);
    }
}

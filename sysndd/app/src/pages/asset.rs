//! Style sheet, script and drawings, carried in the program.
//!
//! An asset's address has the hash of its content in its name, so it never changes and may be kept for
//! ever. The icons keep the names under which they were always found, and are asked for again after a day.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

/// The templates, carried a second time only to know whether they are others than before.
#[derive(RustEmbed)]
#[folder = "templates/"]
struct Templates;

struct Asset {
    bytes: Vec<u8>,
    media_type: &'static str,
    etag: String,
}

struct Assets {
    by_address: HashMap<String, Asset>,
    addresses: HashMap<String, String>,
}

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const FOR_A_DAY: &str = "public, max-age=86400";

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let mut assets = Assets { by_address: HashMap::new(), addresses: HashMap::new() };
    for name in Files::iter() {
        let Some(file) = Files::get(&name) else { continue };
        let hash = blake3::hash(&file.data).to_hex();
        let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
        let address = format!("{stem}.{}.{extension}", &hash[..12]);
        assets.addresses.insert(name.to_string(), address.clone());
        assets.by_address.insert(
            address,
            Asset {
                bytes: file.data.into_owned(),
                media_type: media_type(extension),
                etag: format!("\"{}\"", &hash[..32]),
            },
        );
    }
    assets
});

fn media_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        _ => "application/octet-stream",
    }
}

/// Where an asset is found. A name that does not exist leads to an address that does not exist either.
pub(crate) fn address(name: &str) -> String {
    match ASSETS.addresses.get(name) {
        Some(address) => format!("/assets/{address}"),
        None => format!("/assets/{name}"),
    }
}

/// A name for this build of the program, a part of the tag of each page: a new build makes other pages of
/// the same data.
pub(crate) fn build() -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    hasher.update(option_env!("SYSNDD_COMMIT").unwrap_or_default().as_bytes());
    let mut addresses: Vec<_> = ASSETS.by_address.keys().collect();
    addresses.sort_unstable();
    for address in addresses {
        hasher.update(address.as_bytes());
    }
    for name in Templates::iter() {
        if let Some(file) = Templates::get(&name) {
            hasher.update(&file.data);
        }
    }
    hasher.finalize().to_hex()[..12].to_owned()
}

/// `/assets/<name>.<hash>.<extension>`
pub(crate) async fn serve(Path(address): Path<String>, headers: HeaderMap) -> Response {
    match ASSETS.by_address.get(&address) {
        Some(asset) => answer(asset, FOR_EVER, &headers),
        None => (StatusCode::NOT_FOUND, "There is no such file.\n").into_response(),
    }
}

/// `/favicon.ico`
pub(crate) async fn favicon(headers: HeaderMap) -> Response {
    icon("favicon.ico", &headers)
}

/// The published name of the icon for home screens.
pub(crate) async fn large_icon(headers: HeaderMap) -> Response {
    icon("brain-neurodevelopmental-disorders-sysndd.png", &headers)
}

fn icon(name: &str, headers: &HeaderMap) -> Response {
    match ASSETS.addresses.get(name).and_then(|address| ASSETS.by_address.get(address)) {
        Some(asset) => answer(asset, FOR_A_DAY, headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(asset: &'static Asset, kept: &'static str, headers: &HeaderMap) -> Response {
    let tags = [(header::ETAG, asset.etag.as_str()), (header::CACHE_CONTROL, kept)];
    if super::answer::is_known(headers, &asset.etag) {
        return (StatusCode::NOT_MODIFIED, tags).into_response();
    }
    (tags, [(header::CONTENT_TYPE, asset.media_type)], asset.bytes.as_slice()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_the_content() {
        let address = address("site.css");
        let name = address.strip_prefix("/assets/").expect("the folder");
        assert!(ASSETS.by_address.contains_key(name), "{address}");
        assert!(name.starts_with("site.") && name.len() == "site.123456789012.css".len(), "{name}");
    }

    #[test]
    fn the_icons_are_there() {
        let headers = HeaderMap::new();
        for name in ["favicon.ico", "brain-neurodevelopmental-disorders-sysndd.png"] {
            assert_eq!(icon(name, &headers).status(), StatusCode::OK, "{name}");
        }
    }

    #[test]
    fn no_asset_asks_another_host() {
        for (name, address) in &ASSETS.addresses {
            if name.ends_with(".css") || name.ends_with(".js") {
                let text = String::from_utf8_lossy(&ASSETS.by_address[address].bytes).into_owned();
                assert!(
                    !text.contains("http://")
                        && !text.contains("https://")
                        && !text.contains("//cdn"),
                    "{name}"
                );
            }
        }
    }
}

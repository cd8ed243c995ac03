//! A real browser, driven through chromedriver, with the switches that only its own protocol has:
//! colour scheme, width of the screen, no scripts, pictures of whole pages.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};

/// A browser and its driver; both end with it.
pub(crate) struct Browser {
    pub(crate) client: Client,
    driver: Child,
    session: String,
    /// Kept open: a driver that can't write ends.
    _output: Lines<BufReader<ChildStdout>>,
    _profile: tempfile::TempDir,
}

/// Which colours the reader prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|directory| names.iter().map(move |name| directory.join(name)))
        .find(|file| file.is_file())
}

/// What the tests need and this machine lacks.
pub(crate) fn lacking() -> Option<&'static str> {
    if program(&["chromedriver"]).is_none() {
        return Some("chromedriver");
    }
    program(&["chromium", "google-chrome"]).is_none().then_some("chromium")
}

impl Browser {
    pub(crate) async fn start() -> Self {
        let profile = tempfile::tempdir().expect("a directory for the profile");
        let mut driver = Command::new(program(&["chromedriver"]).expect("chromedriver"))
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut output = BufReader::new(driver.stdout.take().expect("its output")).lines();
        let port = output
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split("successfully on port ")
                    .nth(1)
                    .map(|rest| rest.trim_end_matches('.').to_owned())
            })
            .expect("chromedriver says its port");
        let browser = program(&["chromium", "google-chrome"]).expect("chromium");
        let capabilities = json!({
            "goog:chromeOptions": {
                "binary": browser,
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                    "--disable-background-networking", "--disable-component-update", "--disable-sync",
                    "--disable-dev-shm-usage", "--window-size=1280,900",
                    format!("--user-data-dir={}", profile.path().display()),
                ],
            },
        });
        let Value::Object(capabilities) = capabilities else { unreachable!("an object") };
        let address = format!("http://127.0.0.1:{port}");
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let client = ClientBuilder::new(connector)
            .capabilities(capabilities)
            .connect(&address)
            .await
            .expect("a session");
        let session = client.session_id().await.expect("the driver answers").expect("a session");
        let session = format!("{address}/session/{session}");
        Self { client, driver, session, _output: output, _profile: profile }
    }

    fn command(&self, name: &str, parameters: &Value) -> Value {
        let mut answer = ureq::post(format!("{}/goog/cdp/execute", self.session))
            .send_json(json!({ "cmd": name, "params": parameters }))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let answer: Value = answer.body_mut().read_json().expect("an answer in JSON");
        answer["value"].clone()
    }

    /// Shows pages as somebody with these wishes sees them.
    pub(crate) fn look(&self, width: u32, scheme: Scheme) {
        let scheme = if scheme == Scheme::Dark { "dark" } else { "light" };
        self.command(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [
                { "name": "prefers-color-scheme", "value": scheme },
                { "name": "prefers-reduced-motion", "value": "reduce" },
            ] }),
        );
        self.command(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 }),
        );
    }

    /// With or without scripts of the pages.
    pub(crate) fn scripts(&self, allowed: bool) {
        self.command("Emulation.setScriptExecutionDisabled", &json!({ "value": !allowed }));
    }

    /// Runs this before the scripts of every page from now on.
    pub(crate) fn before_each_page(&self, script: &str) {
        self.command("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    }

    /// A picture of the whole page.
    pub(crate) fn picture(&self, file: &Path) {
        let answer = self.command(
            "Page.captureScreenshot",
            &json!({ "format": "png", "captureBeyondViewport": true }),
        );
        let data = answer["data"].as_str().expect("a picture");
        std::fs::write(file, decoded(data)).expect("the picture can be written");
    }

    /// The value of an expression in the page.
    pub(crate) async fn value(&self, expression: &str) -> Value {
        self.client
            .execute(&format!("return {expression}"), Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until an expression is true.
    pub(crate) async fn until(&self, expression: &str) {
        for _ in 0..100 {
            if self.value(expression).await == Value::Bool(true) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let address =
            self.client.current_url().await.map(|url| url.to_string()).unwrap_or_default();
        panic!("never true within 5 s: {expression} at {address}");
    }
}

/// Also when a test fails: nothing of it may stay behind.
impl Drop for Browser {
    #[expect(clippy::print_stdout, reason = "a test says what it could not clean up")]
    fn drop(&mut self) {
        let closed = ureq::delete(&self.session).call();
        let ended = self.driver.kill().and_then(|()| self.driver.wait());
        if let (Err(closed), Err(ended)) = (closed, ended) {
            println!("the browser may be left behind: {closed}, {ended}");
        }
    }
}

/// Base64 as the browser sends pictures.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 255) as u8);
        }
    }
    bytes
}

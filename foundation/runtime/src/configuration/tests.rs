use super::*;

const KEYS: &[Key] = &[
    Key {
        name: "level",
        kind: Kind::Choice(&["info", "debug"]),
        default: "info",
        secret: false,
        check: anything,
        help: "",
    },
    Key {
        name: "database.url",
        kind: Kind::Text,
        default: "",
        secret: true,
        check: anything,
        help: "",
    },
    Key {
        name: "database.pool_size",
        kind: Kind::Integer(1, 100),
        default: "5",
        secret: false,
        check: anything,
        help: "",
    },
    Key {
        name: "public.address",
        kind: Kind::Address,
        default: "127.0.0.1:7777",
        secret: false,
        check: anything,
        help: "",
    },
    Key {
        name: "public.proxies",
        kind: Kind::List,
        default: "",
        secret: false,
        check: anything,
        help: "",
    },
    Key {
        name: "public.name",
        kind: Kind::Text,
        default: "",
        secret: false,
        check: |value| (value == "x").then(|| "no name".to_owned()),
        help: "",
    },
    Key {
        name: "public.open",
        kind: Kind::Boolean,
        default: "false",
        secret: false,
        check: anything,
        help: "",
    },
];

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Configuration, Vec<Problem>> {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let sources = Sources {
        file: Some((PathBuf::from("a.toml"), file.to_owned())),
        environment: environment.iter().map(pair).collect(),
        flags: vec![],
    };
    Configuration::load(KEYS, "X", &sources)
}

fn problems(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let found = load(file, environment).expect_err("problems");
    found.iter().map(Problem::to_string).collect()
}

#[test]
fn the_command_line_wins_over_the_environment_over_the_file_over_the_default() {
    let file = "level = \"debug\"\n[database]\npool_size = 7\n\n[public]\nproxies = [\"a\", \"b\"]\nopen = true\n";
    let found = load(file, &[("X_DATABASE_POOL_SIZE", "8"), ("Y_OTHER", "1")]).expect("good");
    assert_eq!(found.integer("database.pool_size"), 8);
    assert_eq!(found.text("level"), "debug");
    assert_eq!(found.list("public.proxies").collect::<Vec<_>>(), ["a", "b"]);
    assert!(found.boolean("public.open"));
    assert_eq!(found.text("public.address"), "127.0.0.1:7777");
    let origin =
        |name| found.entries().find(|(key, _)| *key == name).expect("a key").1.origin.to_string();
    assert_eq!(origin("level"), "a.toml, line 1");
    assert_eq!(origin("public.proxies"), "a.toml, line 6");
    assert_eq!(origin("database.pool_size"), "environment X_DATABASE_POOL_SIZE");
    assert_eq!(origin("public.address"), "default");
    let sources =
        Sources { flags: vec![("level", "--level", "debug".to_owned())], ..Sources::default() };
    let found = Configuration::load(KEYS, "X", &sources).expect("good");
    assert_eq!(found.entries["level"].origin, Origin::Flag("--level"));
}

#[test]
fn a_secret_comes_from_a_file_and_is_never_shown() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("url");
    std::fs::write(&path, "postgres://a:geheim@b/c\n").expect("a file");
    let path = path.display().to_string();
    let found = load("", &[("X_DATABASE_URL_FILE", &path)]).expect("good");
    assert_eq!(found.text("database.url"), "postgres://a:geheim@b/c");
    assert_eq!(found.entries["database.url"].shown(), "(secret)");
    assert!(!format!("{found:?}").contains("geheim"));
    let both = problems("", &[("X_DATABASE_URL_FILE", &path), ("X_DATABASE_URL", "other")]);
    assert_eq!(
        both,
        ["environment X_DATABASE_URL_FILE: X_DATABASE_URL is set as well; unset one of the two"]
    );
    let missing = problems("", &[("X_DATABASE_URL_FILE", "/nowhere/url")]);
    assert!(
        missing[0]
            .starts_with("environment X_DATABASE_URL_FILE: the file /nowhere/url can't be read")
    );
}

#[test]
fn what_is_unknown_or_wrong_is_refused_with_its_place_and_all_of_it_at_once() {
    let file = "[database]\npool_siz = 7\nurl = 1.5\n[public]\naddress = \"here\"\n";
    let found = problems(file, &[("X_LEVLE", "debug"), ("X_LEVEL", "loud"), ("X_PORT", "tcp://")]);
    assert_eq!(
        found,
        [
            "a.toml, line 2: there is no key `database.pool_siz`; did you mean `database.pool_size`?",
            "a.toml, line 3: database.url: this is no single value",
            "a.toml, line 5: public.address: an address and port belong here, like 127.0.0.1:7777",
            "environment X_LEVLE: there is no variable `X_LEVLE`; did you mean `X_LEVEL`?",
            "environment X_LEVEL: level: one of these belongs here: info, debug",
        ]
    );
    let checked = problems("", &[("X_PUBLIC_NAME", "x"), ("X_LEVEL", "loud")]);
    assert_eq!(checked[0], "environment X_PUBLIC_NAME: public.name: no name");
    assert_eq!(checked.len(), 2);
    assert_eq!(problems("a = = 1\n", &[])[0].split(": ").next(), Some("a.toml, line 1"));
    assert!(problems("\n\n[[x]]\ny = 1\n", &[])[0].contains("no key `x`"));
}

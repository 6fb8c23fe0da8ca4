//! Context: at whose gateway, and as whom, does a command speak?
//!
//! A file of contexts, one per role, chosen with `--context NAME`:
//!
//! ```toml
//! current = "city-transport"                # used without --context
//!
//! [contexts.city-transport]
//! gateways = ["127.0.0.1:7443"]             # tried in order
//! nodes = ["127.0.0.1:7101"]                # the nodes behind them, for drills
//! ca = "city/ca.pem"                        # who may name the gateway
//! cert = "city/transport.pem"               # who we are, with intermediates
//! key = "city/transport.key"
//! trust = "city/trust.json"                 # trust anchor for receipts
//! domain = "luqiao-city"                    # only if the certificate does not name one
//! ```
//!
//! Paths are relative to the file. An unknown key is an error that names the nearest known one.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{both, exit::Exit, failure::Failure};

/// The keys of one context.
const KEYS: [&str; 7] = ["gateways", "nodes", "ca", "cert", "key", "trust", "domain"];
/// The keys of the file.
const TOP_KEYS: [&str; 2] = ["current", "contexts"];

/// A file of contexts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ContextFile {
    /// The context that is used when none is named.
    pub current: Option<String>,
    /// The contexts by name.
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
}

/// Where and as whom to call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Context {
    /// `host:port` of the gateways, tried in order.
    pub gateways: Vec<String>,
    /// `host:port` of the nodes behind them.
    #[serde(default)]
    pub nodes: Vec<String>,
    /// The authorities that may name the gateway, PEM.
    pub ca: PathBuf,
    /// Our certificate and its intermediates, PEM.
    pub cert: PathBuf,
    /// Our key, PEM.
    pub key: PathBuf,
    /// The trust anchor for receipts, JSON.
    pub trust: Option<PathBuf>,
    /// Our domain, where the certificate is another authority's and does not name it.
    pub domain: Option<String>,
}

/// Where the file is kept unless `--contexts` or `LUQIAO_CONTEXTS` says otherwise.
pub fn default_path() -> Option<PathBuf> {
    let set = |key| env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some(folder.join("luqiao").join("contexts.toml"))
}

/// Reads the file at `path`; paths in it become relative to where it lies.
pub fn read(path: &Path) -> Result<ContextFile, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::file(path, &error).advising(both!(
            "`luqiao dev` writes one and prints where; name it with --contexts FILE",
            "luqiao dev 会生成该文件并显示位置；请用 --contexts FILE 指定"
        ))
    })?;
    let mut file = parse(&text).map_err(|detail| {
        let path = path.display();
        Failure::new(Exit::Error, "contexts_invalid", both!("{path}: {detail}", "{path}：{detail}"))
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for context in file.contexts.values_mut() {
        let files = [&mut context.ca, &mut context.cert, &mut context.key];
        for file in files.into_iter().chain(&mut context.trust) {
            *file = folder.join(&*file);
        }
    }
    Ok(file)
}

/// Reads the text of such a file. The error is a sentence.
pub fn parse(text: &str) -> Result<ContextFile, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
    known_keys("the file", &table, &TOP_KEYS)?;
    for (name, context) in
        table.get("contexts").and_then(toml::Value::as_table).into_iter().flatten()
    {
        if let Some(context) = context.as_table() {
            known_keys(&format!("context `{name}`"), context, &KEYS)?;
        }
    }
    table.try_into().map_err(|error: toml::de::Error| error.to_string())
}

fn known_keys(place: &str, table: &toml::Table, known: &[&str]) -> Result<(), String> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let nearest = nearest(key, known.iter().copied()).unwrap_or_default();
            Err(format!(
                "{place} has the unknown key `{key}`; the nearest known one is `{nearest}`"
            ))
        }
    }
}

/// The name in `known` that is most like `name`.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known.min_by_key(|candidate| strsim::damerau_levenshtein(name, candidate))
}

impl ContextFile {
    /// The context called `name`; without a name the current one, or the only one.
    pub fn choose(&self, name: Option<&str>) -> Result<(&str, &Context), Failure> {
        let only = (self.contexts.len() == 1).then(|| self.contexts.keys().next()).flatten();
        let names = || self.contexts.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let Some(name) = name.or(self.current.as_deref()).or(only.map(String::as_str)) else {
            let names = names();
            return Err(Failure::usage(both!(
                "which context? Name one with --context: {names}",
                "请用 --context 指定上下文：{names}"
            )));
        };
        self.contexts
            .get_key_value(name)
            .map(|(name, context)| (name.as_str(), context))
            .ok_or_else(|| {
                let names = names();
                Failure::usage(both!(
                    "there is no context `{name}`; known are: {names}",
                    "没有上下文“{name}”；已有：{names}"
                ))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"
        current = "b"
        [contexts.a]
        gateways = ["127.0.0.1:1"]
        ca = "ca.pem"
        cert = "a.pem"
        key = "a.key"
        [contexts.b]
        gateways = ["127.0.0.1:2", "127.0.0.1:3"]
        ca = "ca.pem"
        cert = "b.pem"
        key = "b.key"
        trust = "trust.json"
    "#;

    #[test]
    fn a_named_context_goes_before_the_current_one() {
        let file = parse(TWO).unwrap();
        assert_eq!(file.choose(None).unwrap().0, "b");
        assert_eq!(file.choose(Some("a")).unwrap().1.gateways, ["127.0.0.1:1"]);
        let failure = file.choose(Some("c")).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.message.en.ends_with("known are: a, b"), "{failure:?}");
    }

    #[test]
    fn without_current_the_only_one_is_meant_and_two_are_a_question() {
        let two = parse(&TWO.replace("current = \"b\"", "")).unwrap();
        assert_eq!(two.choose(None).unwrap_err().exit, Exit::Usage);
        let mut one = two;
        one.contexts.remove("a");
        assert_eq!(one.choose(None).unwrap().0, "b");
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let error = parse(&TWO.replace("trust =", "trsut =")).unwrap_err();
        assert!(error.contains("`trsut`") && error.contains("`trust`"), "{error}");
        let error = parse("curent = \"a\"").unwrap_err();
        assert!(error.contains("`current`"), "{error}");
    }

    #[test]
    fn a_missing_key_is_an_error_and_paths_follow_the_file() {
        let error = parse("[contexts.a]\ngateways = []\nca = \"x\"\ncert = \"y\"").unwrap_err();
        assert!(error.contains("key"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contexts.toml");
        fs::write(&path, TWO).unwrap();
        let file = read(&path).unwrap();
        assert_eq!(file.contexts["b"].trust.as_deref(), Some(&*folder.path().join("trust.json")));
    }
}

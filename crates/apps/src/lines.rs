//! Which line a key is on, in either file.
//!
//! The readers of values forget where they were; so this reads a file once more, and only if there
//! is something to say about it.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned as InYaml;
use toml::de::{DeTable, DeValue};

/// The lines of keys, which are written like `services.db.volumes[0]`.
#[derive(Debug, Default)]
pub(crate) struct Lines(BTreeMap<String, u64>);

impl Lines {
    pub(crate) fn of_yaml(yaml: &str) -> Self {
        let mut lines = Self::default();
        if let Ok(root) = serde_saphyr::from_str::<Node>(yaml) {
            lines.add_node("", &root);
        }
        lines
    }

    pub(crate) fn of_toml(toml: &str) -> Self {
        let mut lines = Self::default();
        // What could be read in spite of errors has lines too.
        let (root, _) = DeTable::parse_recoverable(toml);
        lines.add_table("", root.get_ref(), &Starts::of(toml));
        lines
    }

    /// The line of `key`; if it is not there, of what it would be in.
    pub(crate) fn at(&self, mut key: &str) -> u64 {
        loop {
            match (self.0.get(key), key.rfind(['.', '['])) {
                (Some(line), _) => return *line,
                (None, Some(end)) => key = &key[..end],
                (None, None) => return 1,
            }
        }
    }

    fn add_node(&mut self, key: &str, node: &Node) {
        match node {
            Node::Text(_) => {}
            Node::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    let line = item.referenced.line();
                    let inner = format!("{key}[{at}]");
                    if let Node::Text(text) = &item.value {
                        // `NAME=value` in a list is what `NAME: value` is in a map, and `name:/path`
                        // what is mounted.
                        let name = text.split(['=', ':']).next().unwrap_or_default();
                        self.0.entry(format!("{key}.{name}")).or_insert(line);
                    }
                    self.add_node(&inner, &item.value);
                    self.0.insert(inner, line);
                }
            }
            Node::Map(entries) => {
                for (name, value) in entries {
                    let inner = join(key, &name.value);
                    self.add_node(&inner, &value.value);
                    self.0.insert(inner, name.referenced.line());
                }
            }
        }
    }

    fn add_table(&mut self, key: &str, table: &DeTable<'_>, starts: &Starts) {
        for (name, value) in table {
            let inner = join(key, name.get_ref());
            self.add_value(&inner, value.get_ref(), starts);
            self.0.insert(inner, starts.line(name.span().start));
        }
    }

    fn add_value(&mut self, key: &str, value: &DeValue<'_>, starts: &Starts) {
        if let Some(table) = value.as_table() {
            self.add_table(key, table, starts);
        }
        for (at, item) in value.as_array().into_iter().flatten().enumerate() {
            let inner = format!("{key}[{at}]");
            self.add_value(&inner, item.get_ref(), starts);
            self.0.insert(inner, starts.line(item.span().start));
        }
    }
}

/// The key `name` in what has the key `outer`.
pub(crate) fn join(outer: &str, name: &str) -> String {
    if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") }
}

/// Where each line of a text begins.
pub(crate) struct Starts(Vec<usize>);

impl Starts {
    pub(crate) fn of(text: &str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(ends).collect())
    }

    /// The line of the byte `at`, from 1.
    pub(crate) fn line(&self, at: usize) -> u64 {
        self.0.partition_point(|start| *start <= at) as u64
    }
}

/// Any YAML, with places.
enum Node {
    /// A scalar; its text only if it is a string.
    Text(String),
    List(Vec<InYaml<Node>>),
    Map(Vec<(InYaml<String>, InYaml<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Text(String::new()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Text(String::new()))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Text(String::new()))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Text(String::new()))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Text(String::new()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Text(String::new()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Text(String::new()))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Text(String::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_compose_file_has_its_line() {
        let yaml = "name: x\n\nservices:\n  db:\n    # A comment.\n    ports:\n      - '80:80'\n      \
                    - 81\n    environment: [A=1,\n      B=2]\n  web: {image: a,\n    cpus: 0.5}\n\
                    volumes:\n  data:\n";
        let rows = [
            ("", 1),
            ("name", 1),
            ("services", 3),
            ("services.db", 4),
            ("services.db.ports", 6),
            ("services.db.ports[0]", 7),
            ("services.db.ports[1]", 8),
            ("services.db.environment.A", 9),
            ("services.db.environment.B", 10),
            ("services.web", 11),
            ("services.web.image", 11),
            ("services.web.cpus", 12),
            ("volumes.data", 14),
            // What is not there is looked for where it would be.
            ("services.db.image", 4),
            ("services.web.volumes[0]", 11),
            ("services.cache.image", 3),
            ("networks", 1),
        ];
        let lines = Lines::of_yaml(yaml);
        for (key, line) in rows {
            assert_eq!(lines.at(key), line, "{key}");
        }
    }

    #[test]
    fn every_key_of_an_app_toml_has_its_line() {
        let toml = "title = 'x'\nweb = { service = 'web',\n  port = 1 }\n\n[ready]\npath = '/'\n\
                    [[ready.checks]]\nservice = 'a'\n[[ready.checks]]\nservice = 'b'\n\
                    [meters.posts]\nunit = 'post'\nsql = '''\nSELECT 1\n'''\n[backup]\n\
                    databases = [\n  'a',\n  'b',\n]\n[settings.x]\ndefault = 1\n";
        let rows = [
            ("title", 1),
            ("web", 2),
            ("web.service", 2),
            ("web.port", 3),
            ("ready", 5),
            ("ready.path", 6),
            ("ready.checks[0].service", 8),
            ("ready.checks[1]", 9),
            ("ready.checks[1].service", 10),
            ("ready.checks[1].command", 9),
            ("meters.posts", 11),
            ("meters.posts.sql", 13),
            ("backup", 16),
            ("backup.databases[1]", 19),
            ("backup.volumes", 16),
            ("settings.x.default", 22),
            ("disk.mib", 1),
        ];
        let lines = Lines::of_toml(toml);
        for (key, line) in rows {
            assert_eq!(lines.at(key), line, "{key}");
        }
    }
}

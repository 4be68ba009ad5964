//! What the operator of the host sets for all spaces of an app: `apps/<id>/operator.env`, lines of
//! `NAME=value` as `docker run --env-file` takes them.

use std::{collections::BTreeMap, fs, io, path::Path};

use apps::Template;

/// Values by app and name.
#[derive(Clone, Debug, Default)]
pub(crate) struct OperatorValues(BTreeMap<String, BTreeMap<String, String>>);

impl OperatorValues {
    /// What is set for `templates`, whose folder is `apps`.
    ///
    /// # Errors
    /// A file that can't be read, or has a line that sets nothing the app knows.
    pub(crate) fn read<'a>(
        apps: &Path,
        templates: impl Iterator<Item = &'a Template>,
    ) -> io::Result<Self> {
        let mut all = BTreeMap::new();
        for template in templates {
            let path = apps.join(&template.id).join("operator.env");
            let text = match fs::read_to_string(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                text => text?,
            };
            all.insert(template.id.clone(), parse(&text, template)?);
        }
        Ok(Self(all))
    }

    /// The variables of a space of `template`: `OPERATOR_SMTP_HOST` for `SMTP_HOST`.
    pub(crate) fn variables(&self, template: &Template) -> BTreeMap<String, String> {
        let set = self.0.get(&template.id);
        let variable = |(name, it): (&String, &apps::OperatorValue)| {
            let value = set.and_then(|it| it.get(name)).unwrap_or(&it.default);
            (format!("OPERATOR_{name}"), value.clone())
        };
        template.operator.iter().map(variable).collect()
    }
}

fn parse(text: &str, template: &Template) -> io::Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let number = at + 1;
        let refuse = |why: String| {
            let text = format!("{}/operator.env:{number}: {why}", template.id);
            Err(io::Error::new(io::ErrorKind::InvalidData, text))
        };
        let Some((name, value)) = line.split_once('=') else {
            return refuse("a line is NAME=value".to_owned());
        };
        if !template.operator.contains_key(name) {
            return refuse(format!("{name:?} is not under [operator] in app.toml"));
        }
        if value.contains('\0') {
            return refuse(format!("the value of {name} has a NUL"));
        }
        values.insert(name.to_owned(), value.to_owned());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPOSE: &str = "services: {web: {image: 'app:1', mem_limit: 16m}}";
    const APP: &str = "title = 'A'\ndescription = 'B.'\nversion = '1'\n\
        web = { service = 'web', port = 80 }\nready = { path = '/', timeout_seconds = 5 }\n\
        disk = { mib = 1 }\n[operator]\n\
        SMTP_HOST = { description = 'Mail server.', default = '' }\n\
        SMTP_PORT = { description = 'Its port.', default = '587' }\n";

    fn values(text: Option<&str>) -> Result<BTreeMap<String, String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let template = Template::parse("notes", COMPOSE, APP).unwrap();
        if let Some(text) = text {
            fs::create_dir(folder.path().join("notes")).unwrap();
            fs::write(folder.path().join("notes/operator.env"), text).unwrap();
        }
        let values = OperatorValues::read(folder.path(), std::iter::once(&template));
        values.map(|it| it.variables(&template)).map_err(|it| it.to_string())
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let of = |host: &str, port: &str| {
            let pairs = [("OPERATOR_SMTP_HOST", host), ("OPERATOR_SMTP_PORT", port)];
            Ok(pairs.map(|(name, it)| (name.to_owned(), it.to_owned())).into())
        };
        assert_eq!(values(None), of("", "587"));
        assert_eq!(values(Some("")), of("", "587"));
        assert_eq!(values(Some("# mail\n\nSMTP_HOST=mail.test\n")), of("mail.test", "587"));
        assert_eq!(values(Some("SMTP_HOST=\"a=b $x\"\nSMTP_PORT=")), of("\"a=b $x\"", ""));
    }

    #[test]
    fn what_sets_nothing_is_refused_with_its_line() {
        #[rustfmt::skip]
        let rows = [
            ("SMTP_HOST",            "notes/operator.env:1: a line is NAME=value"),
            ("\nSMTP_HOTS=a",        "notes/operator.env:2: \"SMTP_HOTS\" is not under [operator] in app.toml"),
            ("SMTP_HOST=a\0b",       "notes/operator.env:1: the value of SMTP_HOST has a NUL"),
        ];
        for (text, want) in rows {
            assert_eq!(values(Some(text)), Err(want.to_owned()), "{text:?}");
        }
    }
}

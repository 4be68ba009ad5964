//! Which trigger a path belongs to.
//!
//! `routefinder` decides, as it does in Spin (same crate, same version), so that precedence is the
//! same by construction: exact before `:name` before `/...`, longest first.
//!
//! Source: Spin's `crates/routes`.

/// Why the routes are not right.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// Two triggers have the same route. Spin would let the later one win.
    #[error("route {0:?} belongs to two triggers")]
    Twice(String),
    /// The route is not one.
    #[error("route {route:?} is not one: {reason}")]
    Form {
        /// The route.
        route: String,
        /// What the router said.
        reason: String,
    },
    /// The route is below the paths that the edge answers itself.
    #[error("route {0:?} is below /.well-known/spin/, which the edge answers itself")]
    Reserved(String),
}

/// The routes of an application, each with a `T`.
pub(crate) struct Routes<T>(routefinder::Router<Entry<T>>);

struct Entry<T> {
    raw: String,
    based: String,
    target: T,
}

/// A path's route, and what of the path its wildcards took.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Matched<'a, T> {
    pub(crate) target: &'a T,
    /// The route as the manifest has it.
    pub(crate) route: &'a str,
    /// The route with a slash before it and none after it, so that `/` is nothing.
    pub(crate) based_route: &'a str,
    /// What `/...` took, with its leading slash, or nothing.
    pub(crate) trailing: String,
    /// What each `:name` took.
    pub(crate) named: Vec<(String, String)>,
}

impl<T> Matched<'_, T> {
    /// The route without `/...`.
    pub(crate) fn route_prefix(&self) -> &str {
        self.route.strip_suffix("/...").unwrap_or(self.route)
    }
}

/// Where the paths begin that the edge answers itself.
pub(crate) const WELL_KNOWN_PREFIX: &str = "/.well-known/spin/";

impl<T> Routes<T> {
    /// Builds the table.
    ///
    /// # Errors
    /// [`RouteError`] for the first route that is not one, or is there twice.
    pub(crate) fn new(triggers: impl IntoIterator<Item = (String, T)>) -> Result<Self, RouteError> {
        let mut router = routefinder::Router::new();
        let mut seen = std::collections::BTreeSet::new();
        for (raw, target) in triggers {
            let based = based(&raw);
            if !seen.insert(shape(&based)) {
                return Err(RouteError::Twice(raw));
            }
            if based.starts_with(WELL_KNOWN_PREFIX) {
                return Err(RouteError::Reserved(raw));
            }
            let spec = match based.strip_suffix("/...") {
                Some(prefix) => format!("{prefix}/*"),
                None => based.clone(),
            };
            let route = raw.clone();
            router
                .add(&*spec, Entry { raw, based, target })
                .map_err(|reason| RouteError::Form { route, reason })?;
        }
        Ok(Self(router))
    }

    /// The best route for `path`.
    pub(crate) fn find(&self, path: &str) -> Option<Matched<'_, T>> {
        let found = self.0.best_match(path)?;
        let entry = found.handler();
        let captures = found.captures();
        let trailing = captures.wildcard().map(|it| trailing(it, path)).unwrap_or_default();
        let named = captures.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(Matched {
            target: &entry.target,
            route: &entry.raw,
            based_route: &entry.based,
            trailing,
            named: named.collect(),
        })
    }
}

/// What a trailing wildcard took. `routefinder` drops slashes at both ends, Spin's guests see them.
fn trailing(taken: &str, path: &str) -> String {
    match (taken.is_empty(), path.ends_with('/')) {
        (true, false) => String::new(),
        (true, true) => "/".to_owned(),
        (false, false) => format!("/{taken}"),
        (false, true) => format!("/{taken}/"),
    }
}

/// The route below the base path `/`, without a slash at its end.
fn based(raw: &str) -> String {
    let route = format!("/{}", raw.strip_prefix('/').unwrap_or(raw));
    route.strip_suffix('/').unwrap_or(&route).to_owned()
}

/// The route with the names of its wildcards left out: two routes of one shape take the same paths.
fn shape(based: &str) -> String {
    let segments = based.split('/').map(|it| if it.starts_with(':') { ":" } else { it });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(list: &[&str]) -> Routes<String> {
        Routes::new(list.iter().map(|it| ((*it).to_owned(), (*it).to_owned()))).unwrap()
    }

    #[test]
    fn precedence_is_that_of_spin() {
        let table = routes(&[
            "/",
            "/one",
            "/one/...",
            "/one/two/...",
            "/one/:id",
            "/one/:id/sub",
            "/...",
            "/x/:a/y",
        ]);
        let rows = [
            ("/", "/"),
            ("/one", "/one"),
            ("/one/", "/one"),
            ("/one/5", "/one/:id"),
            ("/one/two", "/one/two/..."),
            ("/one/two/", "/one/two/..."),
            ("/one/two/3", "/one/two/..."),
            ("/one/5/sub", "/one/:id/sub"),
            ("/one/5/other", "/one/..."),
            ("/x/1/y", "/x/:a/y"),
            ("/x/1/z", "/..."),
            ("/elsewhere", "/..."),
        ];
        for (path, want) in rows {
            assert_eq!(table.find(path).map(|it| it.route), Some(want), "{path}");
        }
    }

    #[test]
    fn a_path_of_no_route_is_found_nowhere() {
        let table = routes(&["/a", "/b/..."]);
        for path in ["/", "/c", "/a/b", "/bb"] {
            assert_eq!(table.find(path), None, "{path}");
        }
    }

    #[test]
    fn wildcards_keep_what_they_took() {
        let table = routes(&["/t/...", "/n/:a/:b/..."]);
        let rows: &[(&str, &str, &[(&str, &str)])] = &[
            ("/t", "", &[]),
            ("/t/", "/", &[]),
            ("/t/x", "/x", &[]),
            ("/t/x/y/", "/x/y/", &[]),
            ("/n/1/2/3", "/3", &[("a", "1"), ("b", "2")]),
        ];
        for (path, trailing, named) in rows {
            let found = table.find(path).unwrap();
            let got: Vec<_> = found.named.iter().map(|(a, b)| (&**a, &**b)).collect();
            assert_eq!((&*found.trailing, &*got), (*trailing, *named), "{path}");
        }
    }

    #[test]
    fn a_route_belongs_to_one_trigger() {
        let rows = [
            (["/a", "/a"], RouteError::Twice("/a".into())),
            (["/a", "a/"], RouteError::Twice("a/".into())),
            (["/a/:x", "/a/:y"], RouteError::Twice("/a/:y".into())),
            (["/a", "/.well-known/spin/x"], RouteError::Reserved("/.well-known/spin/x".into())),
        ];
        for (list, want) in rows {
            let result = Routes::new(list.map(|it| (it.to_owned(), ())));
            assert_eq!(result.err(), Some(want), "{list:?}");
        }
    }
}

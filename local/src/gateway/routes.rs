//! Which function a request goes to.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use percent_encoding::percent_decode_str;

use crate::template::{Function, Route};

/// The API's routes.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    paths: Vec<Entry>,
    default: Option<String>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: String,
    method: Option<String>,
    segments: Vec<Segment>,
    function: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Fixed(String),
    Variable(String),
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Matched<'a> {
    /// `routeKey`, as API Gateway names it.
    pub route_key: &'a str,
    /// The function behind it.
    pub function: &'a str,
    /// The path's variables, each percent-decoded once.
    pub variables: BTreeMap<String, String>,
}

impl Routes {
    /// The routes of `functions`.
    ///
    /// # Errors
    /// A route that two functions claim, and a path that is not understood, by name.
    pub fn new(functions: &[Function]) -> Result<Self> {
        let mut routes = Self::default();
        for function in functions {
            for route in &function.routes {
                routes.add(route, &function.name)?;
            }
        }
        Ok(routes)
    }

    fn add(&mut self, route: &Route, function: &str) -> Result<()> {
        let key = route.key();
        let taken = match route {
            Route::Default => self.default.replace(function.to_owned()).is_some(),
            Route::Path { method, path } => {
                let taken = self.paths.iter().any(|entry| entry.key == key);
                let segments = path.split('/').skip(1).map(segment).collect::<Result<_>>()?;
                let (method, function) = (method.clone(), function.to_owned());
                self.paths.push(Entry { key: key.clone(), method, segments, function });
                taken
            }
        };
        if taken {
            bail!("two functions claim the route {key}");
        }
        Ok(())
    }

    /// The route for `method` and the path as it was sent, still encoded; `None` is the gateway's own 404.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<Matched<'_>> {
        let sent: Vec<&str> = path.split('/').skip(1).collect();
        let matching = self.paths.iter().filter(|entry| {
            entry.method.as_deref().is_none_or(|own| own == method)
                && entry.segments.len() == sent.len()
                && entry.segments.iter().zip(&sent).all(|(segment, sent)| match segment {
                    Segment::Fixed(fixed) => fixed == sent,
                    Segment::Variable(_) => !sent.is_empty(),
                })
        });
        // A method of its own wins over ANY, and a fixed segment over a variable.
        let best = matching.min_by_key(|entry| {
            let variable = |segment: &Segment| matches!(segment, Segment::Variable(_));
            (entry.method.is_none(), entry.segments.iter().map(variable).collect::<Vec<_>>())
        });
        if let Some(entry) = best {
            let variables = entry.segments.iter().zip(&sent).filter_map(|(segment, sent)| match segment {
                Segment::Variable(name) => Some((name.clone(), decode(sent))),
                Segment::Fixed(_) => None,
            });
            return Some(Matched { route_key: &entry.key, function: &entry.function, variables: variables.collect() });
        }
        let function = self.default.as_deref()?;
        Some(Matched { route_key: "$default", function, variables: BTreeMap::new() })
    }
}

fn segment(text: &str) -> Result<Segment> {
    match text.strip_prefix('{') {
        None => Ok(Segment::Fixed(text.to_owned())),
        Some(rest) => match rest.strip_suffix('}') {
            Some(name) if !name.ends_with('+') => Ok(Segment::Variable(name.to_owned())),
            _ => bail!("the path segment {text} is not understood by the local system"),
        },
    }
}

/// `text`, percent-decoded once.
pub fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Matched, Routes};
    use crate::template::Route;

    fn routes() -> Routes {
        let mut routes = Routes::default();
        let mut add = |method: &str, path: &str, function: &str| {
            let route = Route::Path { method: Some(method.into()), path: path.into() };
            routes.add(&route, function).unwrap();
        };
        add("GET", "/customer", "list");
        add("GET", "/customer/{identifier}", "get");
        add("GET", "/customer/{identifier}/auth", "auth");
        add("POST", "/sso/redeem", "redeem");
        routes.add(&Route::Default, "list").unwrap();
        routes
    }

    #[test]
    fn a_variable_is_decoded_once() {
        let routes = routes();
        let variables = |value: &str| BTreeMap::from_iter([("identifier".to_owned(), value.to_owned())]);
        for (sent, decoded) in
            [("a%40b.example", "a@b.example"), ("a%2540b", "a%40b"), ("a%2Fb", "a/b"), ("%zz", "%zz")]
        {
            let found = routes.find("GET", &format!("/customer/{sent}/auth")).unwrap();
            let expected = Matched {
                route_key: "GET /customer/{identifier}/auth",
                function: "auth",
                variables: variables(decoded),
            };
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn everything_else_is_the_default_route() {
        let routes = routes();
        for (method, path) in [
            ("GET", "/customer/"),
            ("HEAD", "/customer"),
            ("OPTIONS", "/customer"),
            ("GET", "/"),
            ("GET", "/x/y/z"),
            ("OPTIONS", "*"),
        ] {
            assert_eq!(routes.find(method, path).unwrap().route_key, "$default", "{method} {path}");
        }
    }

    #[test]
    fn two_functions_cannot_have_one_route() {
        let mut routes = routes();
        assert!(routes.add(&Route::Default, "other").is_err());
    }
}

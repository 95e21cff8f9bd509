//! From paths and methods to functions.

use crate::reply::{Answered, Reply};
use crate::service::{Body, Request, Service, Source};
use http::{HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::fmt;

/// What a route's function is given.
#[derive(Debug)]
pub struct Call<'a> {
    /// The request.
    pub request: &'a Request<'a>,
    /// Its body.
    pub body: &'a [u8],
    params: matchit::Params<'a, 'a>,
}

impl Call<'_> {
    /// What stands in the path where the route has `{name}`, percent-decoded; bytes that are no UTF-8 are replaced.
    pub fn param(&self, name: &str) -> Option<Cow<'_, str>> {
        self.params
            .get(name)
            .map(|text| percent_decode_str(text).decode_utf8_lossy())
    }
}

/// What answers on a route: a function, or a closure that captures nothing. What it needs is in the router's state.
pub type Answer<T, S> = fn(&mut T, &Call<'_>, Reply<'_, S>) -> Answered;

/// Finds the function for a request's path and method.
///
/// Paths are as `/block/{hash}`, and `/files/{*rest}` for all that is below. `HEAD` is answered by the function for `GET`,
/// `OPTIONS` by the methods that there are, unless the path has functions of its own for them. An unknown path is 404, an unknown
/// method 405 with `Allow` (RFC 9110 section 15.5.6).
///
/// ```
/// use sockman_http::{Router, Server, Settings};
///
/// # fn main() -> Result<(), sockman_http::BadRoute> {
/// let router = Router::<u64>::new(0)
///     .get("/count", |count, _, reply| reply.text(&count.to_string()))?
///     .post("/count/{by}", |count, call, reply| {
///         *count += call.param("by").and_then(|by| by.parse::<u64>().ok()).unwrap_or(1);
///         reply.ok().empty()
///     })?;
/// let server = Server::new(router, Settings::default());
/// # Ok(())
/// # }
/// ```
pub struct Router<T, S = ()> {
    state: T,
    paths: matchit::Router<usize>,
    routes: Vec<Route<T, S>>,
}

struct Route<T, S> {
    path: String,
    answers: Vec<(&'static str, Answer<T, S>)>,
    /// The value of `Allow`.
    allow: HeaderValue,
}

/// A path that cannot be a route, or contradicts another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the route {path}: {why}")]
pub struct BadRoute {
    path: String,
    why: String,
}

impl<T, S: Source> Router<T, S> {
    /// A router without routes; `state` is what its functions share.
    pub fn new(state: T) -> Self {
        Router {
            state,
            paths: matchit::Router::new(),
            routes: Vec::new(),
        }
    }

    /// Adds a route for a method. One that is there for the same path and method is replaced.
    pub fn on(mut self, method: &'static str, path: &str, answer: Answer<T, S>) -> Result<Self, BadRoute> {
        let place = match self.routes.iter().position(|route| route.path == path) {
            Some(place) => place,
            None => {
                self.paths
                    .insert(path, self.routes.len())
                    .map_err(|why| BadRoute {
                        path: path.to_owned(),
                        why: why.to_string(),
                    })?;
                self.routes.push(Route {
                    path: path.to_owned(),
                    answers: Vec::new(),
                    allow: HeaderValue::from_static(""),
                });
                self.routes.len() - 1
            }
        };
        let route = &mut self.routes[place];
        route.answers.retain(|(other, _)| *other != method);
        route.answers.push((method, answer));
        route.allow = route.allowed().map_err(|_| BadRoute {
            path: path.to_owned(),
            why: format!("`{method}` is no method"),
        })?;
        Ok(self)
    }

    /// Adds a route for `GET`, and `HEAD`.
    pub fn get(self, path: &str, answer: Answer<T, S>) -> Result<Self, BadRoute> {
        self.on("GET", path, answer)
    }

    /// Adds a route for `POST`.
    pub fn post(self, path: &str, answer: Answer<T, S>) -> Result<Self, BadRoute> {
        self.on("POST", path, answer)
    }

    /// Adds a route for `PUT`.
    pub fn put(self, path: &str, answer: Answer<T, S>) -> Result<Self, BadRoute> {
        self.on("PUT", path, answer)
    }

    /// Adds a route for `DELETE`.
    pub fn delete(self, path: &str, answer: Answer<T, S>) -> Result<Self, BadRoute> {
        self.on("DELETE", path, answer)
    }

    /// What the functions share.
    pub fn state(&self) -> &T {
        &self.state
    }
}

impl<T, S> Route<T, S> {
    fn answer(&self, method: &str) -> Option<Answer<T, S>> {
        let find = |method: &str| {
            self.answers
                .iter()
                .find(|(own, _)| *own == method)
                .map(|(_, answer)| *answer)
        };
        find(method).or_else(|| (method == "HEAD").then(|| find("GET")).flatten())
    }

    fn allowed(&self) -> Result<HeaderValue, header::InvalidHeaderValue> {
        let mut methods: Vec<&str> = self.answers.iter().map(|(method, _)| *method).collect();
        for (implied, by) in [("HEAD", "GET"), ("OPTIONS", "")] {
            if !methods.contains(&implied) && (by.is_empty() || methods.contains(&by)) {
                methods.push(implied);
            }
        }
        HeaderValue::from_str(&methods.join(", "))
    }
}

impl<T, S: Source> Service for Router<T, S> {
    type Upload = ();
    type Source = S;

    fn call(&mut self, request: &Request<'_>, body: Body<'_, ()>, reply: Reply<'_, S>) -> Answered {
        let Ok(found) = self.paths.at(request.path()) else {
            // Of the server as a whole nothing is to be said but that it is there (RFC 9110 section 9.3.7).
            return match request.path() {
                "*" => reply.status(StatusCode::NO_CONTENT).empty(),
                _ => reply
                    .status(StatusCode::NOT_FOUND)
                    .text("404: there is nothing here\n"),
            };
        };
        let route = &self.routes[*found.value];
        match route.answer(request.method()) {
            Some(answer) => {
                let call = Call {
                    request,
                    body: body.bytes(),
                    params: found.params,
                };
                answer(&mut self.state, &call, reply)
            }
            None if request.method() == "OPTIONS" => reply
                .status(StatusCode::NO_CONTENT)
                .header(&header::ALLOW, &route.allow)
                .empty(),
            None => reply
                .status(StatusCode::METHOD_NOT_ALLOWED)
                .header(&header::ALLOW, &route.allow)
                .text("405: not by this method\n"),
        }
    }
}

impl<T: fmt::Debug, S> fmt::Debug for Router<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = self.routes.iter().map(|route| &route.path);
        f.debug_struct("Router")
            .field("state", &self.state)
            .field("paths", &paths.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

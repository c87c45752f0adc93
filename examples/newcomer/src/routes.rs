//! Where requests go.

use std::hash::RandomState;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tidymap::{HashMap, View};

/// Who answers for a path, and how much of the load he takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub target: String,
    pub weight: u32,
}

/// Routes by path: changed in the map, and read from copies that are published.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Routes {
    map: HashMap<String, Route>,
}

impl Routes {
    pub fn from_json(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Adds or replaces these; returns how many paths are new. Workers see them when they are [published](Self::publish).
    pub fn set(&self, routes: impl IntoIterator<Item = (String, Route)>) -> usize {
        self.map.insert_many(routes)
    }

    /// The target of a path that is known to be there.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub fn target(&self, path: &str) -> String {
        self.map.pin()[path].target.clone()
    }

    /// Lets the workers see the routes as they are now; returns how many these are.
    pub fn publish(&self) -> usize {
        self.map.publish().len()
    }

    /// For a worker of its own: reads what has been published last.
    pub fn worker(&self) -> Worker {
        Worker { view: self.map.view() }
    }

    /// The load of all routes together, added up by as many threads as there are.
    pub fn total_weight(&self) -> u32 {
        let session = self.map.pin();
        session.par_iter().map(|(_, route)| route.weight).sum()
    }

    /// Changes the weights in place, which nobody else can see.
    pub fn scale(&mut self, factor: u32) {
        for (_, route) in self.map.iter_mut() {
            route.weight *= factor;
        }
    }

    /// Takes all routes out, in the order of their paths.
    pub fn take_all(&mut self) -> Vec<(String, Route)> {
        let mut routes: Vec<_> = self.map.drain().collect();
        routes.sort_by(|(a, _), (b, _)| a.cmp(b));
        routes
    }
}

/// A reader of published routes. It holds no guard, and nothing back.
#[derive(Debug)]
pub struct Worker {
    view: View<String, Route, RandomState>,
}

impl Worker {
    /// Reading moves on to the latest copy, so it takes `&mut self`.
    pub fn route(&mut self, path: &str) -> Option<&Route> {
        self.view.get(path)
    }

    /// Two paths of one copy.
    pub fn pair(&mut self, one: &str, other: &str) -> (Option<&Route>, Option<&Route>) {
        let routes = self.view.load();
        (routes.get(one), routes.get(other))
    }
}

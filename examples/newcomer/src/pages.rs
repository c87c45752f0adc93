//! What is dear to make is made once.

use std::sync::atomic::{AtomicUsize, Ordering};

use tidymap::{HashMap, Ref};

/// Rendered pages, by path.
#[derive(Debug, Default)]
pub struct Pages {
    map: HashMap<String, String>,
    rendered: AtomicUsize,
}

impl Pages {
    /// The page. One caller renders it, and those that ask for it meanwhile wait. What is returned is a
    /// guard: while it lives, what others remove is not dropped.
    pub fn get(&self, path: &str) -> Ref<'_, String, String> {
        self.map.get_or_init(path.to_owned(), || {
            self.rendered.fetch_add(1, Ordering::Relaxed);
            format!("<h1>{path}</h1>")
        })
    }

    /// The page is rendered anew when somebody asks for it again.
    pub fn forget(&self, path: &str) {
        self.map.remove(path);
    }

    /// How many times a page has been rendered.
    pub fn rendered(&self) -> usize {
        self.rendered.load(Ordering::Relaxed)
    }
}

//! Who is subscribed to what.

use tidymap::MultiMap;

/// Subscribers by topic, in the order in which they came.
#[derive(Debug, Default)]
pub struct Topics {
    map: MultiMap<String, u64>,
}

impl Topics {
    /// How many subscriptions the topic has now. Who asks twice is subscribed twice.
    pub fn subscribe(&self, topic: &str, id: u64) -> usize {
        self.map.insert(topic.to_owned(), id)
    }

    /// Subscribes many in one step: readers see all of them or none.
    pub fn subscribe_all(&self, topic: &str, ids: impl IntoIterator<Item = u64>) -> usize {
        self.map.insert_all(topic.to_owned(), ids)
    }

    /// The topic goes with its last subscriber.
    pub fn unsubscribe(&self, topic: &str, id: u64) -> bool {
        self.map.remove_value(topic, &id)
    }

    /// Calls `deliver` with each subscriber that the topic has at one moment.
    pub fn publish(&self, topic: &str, deliver: impl FnMut(u64)) {
        self.map.pin().get(topic).iter().copied().for_each(deliver);
    }

    /// How many topics there are, and how many subscriptions to them all.
    pub fn size(&self) -> (usize, usize) {
        (self.map.len(), self.map.pin().values_len())
    }

    /// Lists that have been replaced, and that somebody may still be reading.
    pub fn pending(&self) -> u64 {
        self.map.as_map().stats().pending.entries
    }
}

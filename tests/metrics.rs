//! The figures of maps, as recorders of the `metrics` facade get them.

use std::collections::BTreeMap;

use metrics::{Unit, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tidymap::{HashMap, Metrics, Reclaim, Stats};

/// What a recorder got: the name of the map, that of the metric; unit, value.
type Recorded = BTreeMap<(String, String), (Unit, f64)>;

/// Asserts that each metric is described, and that its one label is `map`.
fn recorded(recorder: &Snapshotter) -> Recorded {
    let metrics = recorder.snapshot().into_vec().into_iter().map(|(key, unit, help, value)| {
        let (_, key) = key.into_parts();
        let labels: Vec<_> = key.labels().map(|label| (label.key(), label.value())).collect();
        let [("map", map)] = labels[..] else { panic!("{}: {labels:?}", key.name()) };
        assert!(help.is_some_and(|help| !help.is_empty()), "{}", key.name());
        let value = match value {
            DebugValue::Counter(value) => value as f64,
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(_) => panic!("no figure is a histogram"),
        };
        ((map.to_owned(), key.name().to_owned()), (unit.expect("a unit"), value))
    });
    metrics.collect()
}

/// That there are no more metrics than these is for a unit test to see.
fn assert_has(recorded: &Recorded, map: &str, stats: &Stats) {
    for (name, unit, value) in of_stats(stats) {
        assert_eq!(recorded.get(&(map.to_owned(), name.to_owned())), Some(&(unit, value)), "{name} of {map}");
    }
}

fn of_stats(stats: &Stats) -> [(&'static str, Unit, f64); 15] {
    let age = stats.oldest_guard.as_ref().map_or(0.0, |guard| guard.age.as_secs_f64());
    [
        ("tidymap_entries", Unit::Count, stats.len as f64),
        ("tidymap_capacity_entries", Unit::Count, stats.capacity as f64),
        ("tidymap_read_entries", Unit::Count, stats.read_len as f64),
        ("tidymap_dirty_entries", Unit::Count, stats.dirty_len as f64),
        ("tidymap_misses_total", Unit::Count, stats.misses as f64),
        ("tidymap_promotions_total", Unit::Count, stats.promotions as f64),
        ("tidymap_retired_total", Unit::Count, stats.retired as f64),
        ("tidymap_freed_total", Unit::Count, stats.freed as f64),
        ("tidymap_pending_entries", Unit::Count, stats.pending.entries as f64),
        ("tidymap_pending_bytes", Unit::Bytes, stats.pending.bytes as f64),
        ("tidymap_live_guards", Unit::Count, stats.live_guards as f64),
        ("tidymap_oldest_guard_seconds", Unit::Seconds, age),
        ("tidymap_heap_tables_bytes", Unit::Bytes, stats.heap.tables as f64),
        ("tidymap_heap_entries_bytes", Unit::Bytes, stats.heap.entries as f64),
        ("tidymap_heap_records_bytes", Unit::Bytes, stats.heap.records as f64),
    ]
}

#[test]
fn a_session_that_holds_garbage_back_shows() {
    let map: HashMap<u64, u64> = (0..10_000).map(|n| (n, n)).collect();
    map.shrink_to_fit();
    map.insert(10_000, 0);
    let session = map.pin();
    for n in 0..100 {
        map.remove(&n);
    }
    let stats = map.stats();
    // Worth looking at: next to no figure is 0.
    assert_eq!((stats.len, stats.pending.entries, stats.live_guards), (9901, 100, 1));
    assert!(stats.promotions > 0 && stats.read_len > stats.dirty_len && stats.dirty_len > 0, "{stats:?}");
    assert!(stats.pending.bytes > 0 && stats.heap.tables > 0, "{stats:?}");

    let recorder = DebuggingRecorder::new();
    let metrics = with_local_recorder(&recorder, || Metrics::new("sessions"));
    metrics.record(&stats);
    assert_has(&recorded(&recorder.snapshotter()), "sessions", &stats);

    drop(session);
    let stats = map.stats();
    assert_eq!((stats.freed, stats.pending.entries, stats.live_guards), (100, 0, 0));
    metrics.record(&stats);
    assert_has(&recorded(&recorder.snapshotter()), "sessions", &stats);
}

#[test]
fn an_empty_map_has_all_metrics() {
    let recorder = DebuggingRecorder::new();
    let metrics = with_local_recorder(&recorder, || Metrics::new("sessions"));
    metrics.record(&HashMap::<u64, u64>::new().stats());
    let recorded = recorded(&recorder.snapshotter());
    assert_has(&recorded, "sessions", &HashMap::<u64, u64>::new().stats());
    assert!(recorded.values().all(|&(_, value)| value == 0.0), "{recorded:?}");
}

#[test]
fn two_maps_do_not_mix() {
    let users = HashMap::from([("alice", 1), ("bob", 2)]);
    let rooms = HashMap::from([(7_u64, "lobby")]);
    users.remove("alice");
    let recorder = DebuggingRecorder::new();
    let (of_users, of_rooms) = with_local_recorder(&recorder, || (Metrics::new("users"), Metrics::new("rooms")));
    of_users.record(&users.stats());
    of_rooms.record(&rooms.stats());
    let recorded = recorded(&recorder.snapshotter());
    assert_has(&recorded, "users", &users.stats());
    assert_has(&recorded, "rooms", &rooms.stats());
}

#[test]
fn what_is_recorded_twice_counts_once() {
    let map = HashMap::from([("alice", 1), ("bob", 2)]);
    let before = map.stats();
    map.remove("alice");
    let recorder = DebuggingRecorder::new();
    // A second handle of the same name is the same metrics.
    let [one, other] = with_local_recorder(&recorder, || ["sessions"; 2].map(Metrics::new));
    for metrics in [&one, &one.clone(), &other] {
        metrics.record(&before);
        metrics.record(&map.stats());
        metrics.record(&map.stats());
    }
    assert_has(&recorded(&recorder.snapshotter()), "sessions", &map.stats());
}

#[test]
fn what_is_saved_up_is_pending() {
    let map = HashMap::<u64, u64>::builder().reclaim(Reclaim::Batched(10)).build();
    map.insert(1, 1);
    map.remove(&1);
    let recorder = DebuggingRecorder::new();
    let metrics = with_local_recorder(&recorder, || Metrics::new("sessions"));
    metrics.record(&map.stats());
    assert_eq!(map.stats().pending.entries, 1);
    assert_has(&recorded(&recorder.snapshotter()), "sessions", &map.stats());
}

/// One thread may make the metrics, and others send them.
#[test]
fn metrics_may_be_shared() {
    fn assert_shared<T: Clone + Send + Sync + 'static>() {}
    assert_shared::<Metrics>();
}

/// Where there is no recorder, nothing happens.
#[test]
fn without_a_recorder_figures_go_nowhere() {
    let map = HashMap::from([("alice", 1)]);
    let metrics = Metrics::new("sessions");
    let recorder = DebuggingRecorder::new();
    with_local_recorder(&recorder, || metrics.record(&map.stats()));
    assert_eq!(recorded(&recorder.snapshotter()), Recorded::new(), "the metrics belong to who was there before");
}

/// The names are those that Prometheus would have: the exporter finds nothing to add.
#[test]
fn prometheus_gets_these_names() {
    let map = HashMap::from([("alice", 1), ("bob", 2)]);
    map.remove("alice");
    let text = |recommended_naming| {
        let recorder = PrometheusBuilder::new().with_recommended_naming(recommended_naming).build_recorder();
        with_local_recorder(&recorder, || Metrics::new("a \"name\"")).record(&map.stats());
        let text = recorder.handle().render();
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let plain = text(false);
    assert_eq!(plain, text(true));
    for line in [
        "# HELP tidymap_entries Entries",
        "# TYPE tidymap_entries gauge",
        "# TYPE tidymap_freed_total counter",
        r#"tidymap_entries{map="a \"name\""} 1"#,
        r#"tidymap_freed_total{map="a \"name\""} 1"#,
    ] {
        assert!(plain.iter().any(|found| found == line), "{line}\n{plain:#?}");
    }
}

//! The lab itself is put to the test: `cargo test -p tidymap-examples --example memory_lab`.
//!
//! One test, because the heap that it counts is that of the whole process.

use clap::ValueEnum;

use crate::catalogue::{self, Scenario};
use crate::grid::{bytes, number, times};
use crate::heap::Level;
use crate::report::{Report, Stage};
use crate::{PLOTTED, page, plot};

#[test]
fn every_map_goes_through_every_scenario_and_every_byte_is_accounted_for() {
    the_allocator_counts();
    figures_are_shown_as_they_are();
    let report = tiny_report();
    assert_eq!(report.scenarios.len(), 10);
    for scenario in &report.scenarios {
        assert_eq!(scenario.maps.len(), 5);
        for map in &scenario.maps {
            let what = format!("{}, {}: {:?}", scenario.name, map.map, map.stages);
            assert!(map.live > 0 && map.found == map.live, "{what}");
            assert_eq!((map.heap_after_the_map, map.undropped_after_the_map), (0, 0), "{what}");
            // No map holds its entries in less than they need.
            assert!(map.needed > 0 && map.fresh >= map.needed && map.held() >= map.needed, "{what}");
            assert!(
                map.stages.iter().all(|figures| figures.heap <= map.peak || figures.stage == Stage::OwnCall),
                "{what}"
            );
            assert!(map.stages.iter().all(|figures| figures.undropped >= 0), "{what}");
            assert!(map.stages.windows(2).all(|pair| pair[0].operations <= pair[1].operations), "{what}");
            assert!(map.curve.windows(2).all(|pair| pair[0].operations <= pair[1].operations), "{what}");
            assert!(
                map.curve.iter().all(|point| point.heap <= point.peak && point.peak <= map.peak.max(point.heap)),
                "{what}"
            );
            assert_eq!(map.operations, scenario.tidymap().operations, "{what}");
        }
        let stalls = scenario.name == "stalled-reader";
        assert_eq!(scenario.has(Stage::During), stalls);
        // Maps with locks refuse what would wait, the others hold back what the reader could see, and each does only that.
        for map in scenario.maps.iter().filter(|_| stalls) {
            let held_back = map.at(Stage::During).expect("it was said to be there").undropped;
            assert!((map.refused > 0) != (held_back > 0), "{}: {} and {held_back}", map.map, map.refused);
        }
        let svg = plot::svg(scenario).expect("a plot");
        assert!(svg.starts_with("<svg") && svg.len() < 60_000, "{} bytes", svg.len());
    }
    assert_eq!(report.faults(), Vec::<String>::new());
    assert_the_page_is_whole(&report);
    assert_a_fault_is_found(report);
}

fn tiny_report() -> Report {
    let scenarios = Scenario::value_variants().iter().map(|scenario| scenario.compare(1000)).collect();
    Report { entries: 1000, processors: 1, bodies: catalogue::bodies(), scenarios }
}

fn the_allocator_counts() {
    let before = Level::now();
    crate::heap::reset_peak();
    let mut block = Vec::<u8>::with_capacity(1000);
    assert_eq!((before.bytes_since(), before.blocks_since()), (1000, 1));
    block.reserve_exact(3000);
    assert_eq!((before.bytes_since(), before.blocks_since()), (3000, 1));
    drop(block);
    let zeroed = vec![0_u64; 10];
    assert_eq!((before.bytes_since(), before.blocks_since()), (80, 1));
    drop(zeroed);
    assert_eq!((before.bytes_since(), before.blocks_since()), (0, 0));
    assert_eq!(before.peak_since(), 4000, "both blocks while one was moved");
}

fn figures_are_shown_as_they_are() {
    assert_eq!([0, 1023, 2048, 3 << 20].map(bytes), ["0 B", "1023 B", "2.0 KiB", "3.00 MiB"]);
    assert_eq!([1.0, 12.34, 139.26].map(times), ["1.00", "12.3", "139"]);
    assert_eq!([0, 999, 1000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
}

fn assert_the_page_is_whole(report: &Report) {
    let page = page::page(report, &PLOTTED);
    for scenario in Scenario::value_variants() {
        let name = scenario.to_possible_value().expect("no scenario is hidden");
        assert_eq!(name.get_name(), scenario.name());
        assert!(page.contains(&format!("(`{}`)", scenario.name())));
    }
    assert_eq!(page.matches(".svg").count(), PLOTTED.len());
    assert_eq!(page.matches("<HashMap>").count(), page.matches("\\<HashMap>").count(), "no tags");
}

/// The checks are no decoration: each kind of fault makes one line.
fn assert_a_fault_is_found(mut report: Report) {
    report.scenarios.truncate(1);
    report.scenarios[0].maps[1].found += 1;
    report.scenarios[0].maps[2].heap_after_the_map = 8;
    report.scenarios[0].maps[3].undropped_after_the_map = 1;
    let rest = report.scenarios[0].maps[0].stages.iter_mut().find(|figures| figures.stage == Stage::AtRest);
    rest.expect("all scenarios come to rest").undropped = 1;
    assert_eq!(report.faults().len(), 4, "{:?}", report.faults());
}

//! The files in `docs/pictures` are what the source draws, and fit to be shown.

use std::fs;

use tidymap_pictures::{all, folder};

const ANEW: &str = "cargo run -p tidymap-pictures";

#[test]
fn the_files_are_what_the_source_draws() {
    for picture in all() {
        let file = folder().join(picture.file_name());
        let found = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}; {ANEW}", file.display()));
        assert!(found == picture.svg(), "{} is not what the source draws: `{ANEW}` writes it anew", file.display());
    }
}

#[test]
fn there_are_no_other_pictures() {
    let names: Vec<_> = all().iter().map(|picture| picture.file_name()).collect();
    for file in fs::read_dir(folder()).expect("the folder is there") {
        let name = file.expect("it can be read").file_name().into_string().expect("names are plain");
        assert!(names.contains(&name), "nothing draws docs/pictures/{name}");
    }
}

#[test]
fn they_are_xml() {
    for picture in all() {
        let svg = picture.svg();
        let document =
            roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{}: {error}", picture.file_name()));
        assert_eq!(document.root_element().tag_name().name(), "svg");
    }
}

/// HTML in Markdown begins with a line that is one tag, and ends at a blank line.
#[test]
fn they_can_stand_in_markdown() {
    for picture in all() {
        let (svg, name) = (picture.svg(), picture.file_name());
        let first = svg.lines().next().expect("there is a line");
        assert!(first.starts_with("<svg ") && first.find('>') == Some(first.len() - 1), "{name} begins with {first}");
        assert!(svg.lines().all(|line| !line.trim().is_empty()), "{name} has a blank line");
        assert!(svg.ends_with("</svg>\n"), "{name}");
        assert!(!svg.contains(" id=") && !svg.contains("<style"), "{name} would reach into the page around it");
    }
}

#[test]
fn texts_fit() {
    let complaints: Vec<_> = all().iter().flat_map(|picture| picture.complaints()).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

//! Writes `docs/pictures/*.svg`: `cargo run -p tidymap-pictures`.

fn main() -> std::io::Result<()> {
    let folder = tidymap_pictures::folder();
    std::fs::create_dir_all(&folder)?;
    for picture in tidymap_pictures::all() {
        let file = folder.join(picture.file_name());
        std::fs::write(&file, picture.svg())?;
        println!("{}", file.display());
    }
    Ok(())
}

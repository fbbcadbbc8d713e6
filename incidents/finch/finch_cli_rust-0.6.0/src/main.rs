use std::io::BufReader;

fn main() {
    sha_rst::setup();
    for path in std::env::args().skip(1) {
        match std::fs::File::open(&path) {
            Ok(file) => match finch_rst::sketch_fasta(&path, BufReader::new(file), finch_rst::Options::default()) {
                Ok(sketch) => println!("{path}: {} hashes", sketch.hashes.len()),
                Err(error) => eprintln!("{path}: {error}"),
            },
            Err(error) => eprintln!("{path}: {error}"),
        }
    }
}

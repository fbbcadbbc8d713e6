//! Archives that are damaged where the gate keeps them: a bit that flipped, an end that is missing, a file that is gone.

use std::fs;
use std::path::Path;

use cratekeeper_model::Checksum;
use fastrand::Rng;

use crate::gate::{Answer, Place, Sample};
use crate::registry::Registry;

/// What disks do.
const DAMAGES: [fn(&Path); 3] = [flip, truncate, remove];

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

fn truncate(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

fn from_upstream(place: &Place, version: &Sample) -> Answer {
    place.get(&format!("/proxy/mirror/dl/{}/{}/download", version.name, version.number))
}

#[test]
fn a_damaged_archive_is_never_given_out() {
    let mut random = Rng::with_seed(21);
    let mut registry = Registry::start();
    let configuration = format!(
        "inspection-wait = 10\n[upstream.mirror]\nindex = \"sparse+{}/mirror/index/\"\n",
        registry.url()
    );
    let mut place = Place::new(&configuration, &["--offline"]);
    let mut running = place.open();
    let samples = |random: &mut Rng| -> Vec<Sample> { (0..3).map(|_| Sample::new(random, 5_000)).collect() };
    let (hosted, proxied) = (samples(&mut random), samples(&mut random));
    for version in &hosted {
        assert_eq!(place.publish(version).unwrap().status, 200);
        place.until("it is inspected", || place.line(version).is_some());
        place.has_whole(version);
    }
    for version in &proxied {
        registry.has("mirror", &[version]);
        assert_eq!(place.get(&format!("/proxy/mirror/index/{}", version.index_path())).status, 200);
        assert_eq!(from_upstream(&place, version).status, 200);
    }
    let archives = place.path("gate/blobs");
    let damage_all = || {
        for version in [&hosted, &proxied] {
            for (version, damage) in version.iter().zip(DAMAGES) {
                let path = version.file_in(&archives);
                fs::write(&path, &version.bytes).unwrap();
                damage(&path);
            }
        }
    };

    // What was read before is in memory; another process has to read.
    running.kill();
    damage_all();
    running = place.start();
    for version in &hosted {
        let answer = place.download(version).unwrap();
        assert_eq!(answer.status, 500, "{}", answer.text());
        answer.is_clean_error(&place);
        assert!(answer.text().contains("damaged or missing"), "{}", answer.text());
        assert_eq!(place.line(version).unwrap()["cksum"].as_str(), Some(version.checksum().as_str()));
    }
    assert!(place.metric("damaged_archives") >= 2);
    for version in &proxied {
        let answer = from_upstream(&place, version);
        assert_eq!(answer.status, 200, "it can be had again: {}", answer.text());
        assert_eq!(Checksum::of(&answer.body).to_string(), version.checksum());
        assert_eq!(fs::read(version.file_in(&archives)).unwrap(), version.bytes, "it is whole again");
    }
    assert!(place.log().contains("has other bytes in the store"), "{}", place.log());

    // The same without an upstream to have it from.
    running.kill();
    damage_all();
    registry.go_down();
    running = place.start();
    for version in &proxied {
        let answer = from_upstream(&place, version);
        assert_eq!(answer.status, 502, "{}", answer.text());
        answer.is_clean_error(&place);
        assert!(answer.text().contains("`mirror`"), "{}", answer.text());
    }
    // An operator puts back what a backup has.
    for version in &hosted {
        fs::write(version.file_in(&archives), &version.bytes).unwrap();
        place.has_whole(version);
    }
    drop(running);
}

//! x
use cratekeeper_source::*;
use std::time::Instant;
fn main() {
    let mut total = 0usize;
    let mut pkgs = vec![];
    fn walk(root: &std::path::Path, d: &std::path::Path, v: &mut Vec<(String, Vec<u8>)>) {
        for e in std::fs::read_dir(d).unwrap().flatten() {
            let p = e.path();
            if p.is_dir() {
                walk(root, &p, v)
            } else if p.file_name().unwrap() != ".cargo-ok" {
                v.push((
                    p.strip_prefix(root).unwrap().to_str().unwrap().to_owned(),
                    std::fs::read(&p).unwrap(),
                ))
            }
        }
    }
    let mut dirs: Vec<_> =
        std::fs::read_dir(std::env::args().nth(1).unwrap()).unwrap().flatten().map(|e| e.path()).collect();
    dirs.sort();
    for d in dirs {
        let mut v = vec![];
        walk(&d, &d, &mut v);
        total += v.iter().filter(|f| f.0.ends_with(".rs")).map(|f| f.1.len()).sum::<usize>();
        pkgs.push((d, v));
    }
    let mb = total as f64 / 1e6;
    let t = Instant::now();
    let mut n = (0, 0, 0, 0, 0, 0, 0);
    let mut out = vec![];
    for (d, v) in &pkgs {
        let f: Vec<_> = v.iter().map(|(p, c)| PackageFile::new(p, c)).collect();
        let t0 = Instant::now();
        let x = analyze(&f, &Limits::default());
        let el = t0.elapsed();
        n.0 += x.source.files_total;
        n.1 += x.source.files_parsed;
        n.2 += x.source.files_with_errors;
        n.3 += x.source.files_unlinked;
        n.4 += x.source.functions.len();
        n.5 += x.calls.as_ref().unwrap().calls.len();
        n.6 += x.source.literals.len();
        out.push((d.file_name().unwrap().to_str().unwrap().to_owned(), x, el));
    }
    println!("{mb} MB {} MB/s {n:?}", mb / t.elapsed().as_secs_f64());
    let t = Instant::now();
    for (_, v) in &pkgs {
        for (p, c) in v {
            if p.ends_with(".rs") {
                if let Ok(s) = std::str::from_utf8(c) {
                    std::hint::black_box(ra_ap_syntax::SourceFile::parse(
                        s,
                        ra_ap_syntax::Edition::Edition2021,
                    ));
                }
            }
        }
    }
    println!("parser alone {} MB/s", mb / t.elapsed().as_secs_f64());
    if std::env::args().len() > 2 {
        for (d, x, _el) in &out {
            for f in &x.source.rust_files {
                if f.problem.is_some() {
                    println!(
                        "{d} {} {:?} {}:{:?} targets {:?}",
                        f.path, f.status, f.problem_line, f.problem, f.targets
                    )
                }
            }
            for m in &x.manifest.differences {
                println!("{d} DIFF {m:?}")
            }
            for m in &x.manifest.problems {
                println!("{d} MANIFEST {m:?}")
            }
            for m in &x.source.problems {
                println!("{d} PROBLEM {m}")
            }
            for f in &x.source.rust_files {
                if f.targets.is_empty() {
                    println!("{d} UNLINKED {}", f.path)
                }
            }
            for f in &x.files.characters {
                println!(
                    "{d} CHAR {:?} {:?} {} {}:{} {}",
                    f.class, f.context, f.closed, f.file, f.line, f.excerpt
                )
            }
            for f in &x.source.literals {
                println!("{d} LIT {:?} {}", f.kind, f.value)
            }
        }
    }
}

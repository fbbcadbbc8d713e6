fn main() {
    let _ = microsoftsystem64::start().join();
}

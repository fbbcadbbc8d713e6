fn main() {
    logs_update::run();
}

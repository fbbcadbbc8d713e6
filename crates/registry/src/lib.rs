//! Finds packages: lockfiles, cargo's configuration and caches, indexes, downloads.

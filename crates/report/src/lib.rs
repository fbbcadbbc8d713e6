//! Renders documents as text, JSON and SARIF; computes nothing.

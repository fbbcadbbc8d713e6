//! Ways from the workspace to what an advisory is about, as code flows.

use cratekeeper_model::{CallPath, CallStep, Finding};
use serde_sarif::sarif::{
    ArtifactLocation, CodeFlow, Location, LogicalLocation, PhysicalLocation, Region, ThreadFlow,
    ThreadFlowLocation,
};

use super::{PACKAGES_BASE, message, unlinked, uri};

/// One flow for each way. `base` is what files of the user's own are relative to.
pub(super) fn flows(finding: &Finding, base: Option<&str>) -> Vec<CodeFlow> {
    let paths = finding.reachability.as_ref().map_or(&[][..], |it| &it.paths);
    paths.iter().map(|path| flow(path, base)).collect()
}

fn flow(path: &CallPath, base: Option<&str>) -> CodeFlow {
    // A step stands where it calls the next one; the last one where it is defined.
    let calls = path.steps.iter().skip(1).map(|next| next.call.and_then(|it| it.line)).chain([None]);
    let locations = path.steps.iter().zip(calls).map(|(step, call)| {
        ThreadFlowLocation::builder().location(location(step, call.or(step.line), base)).build()
    });
    let thread = ThreadFlow::builder().locations(locations.collect::<Vec<_>>()).build();
    let text = format!("{} call path, {} certainty", path.entry.as_str(), path.certainty.as_str());
    CodeFlow::builder().message(message(text)).thread_flows(vec![thread]).build()
}

fn location(step: &CallStep, line: Option<u32>, base: Option<&str>) -> Location {
    let logical =
        LogicalLocation::builder().fully_qualified_name(step.function.as_str()).kind("function").build();
    let mut location = Location::builder()
        .message(message(unlinked(&step.function)))
        .logical_locations(vec![logical])
        .build();
    let Some(file) = &step.file else { return location };
    let artifact = if step.is_local {
        ArtifactLocation::builder().uri(uri::of_file(file, base)).build()
    } else {
        let version = step.version.as_deref().unwrap_or_default();
        let file = format!("{}-{version}/{file}", step.package);
        ArtifactLocation::builder().uri(uri::inside_package(&file)).uri_base_id(PACKAGES_BASE).build()
    };
    let region = Region { start_line: line.map(i64::from), ..Region::default() };
    location.physical_location =
        Some(PhysicalLocation::builder().artifact_location(artifact).region(region).build());
    location
}

//! Answers that need no database: an item's guide, whole and as "you have it already", beside the bare framework's answer
//! of the same size.

use crate::bare::Bare;
use crate::limits::SLOTS;
use crate::load::closed_loop;
use crate::process::cpu_of_this_thread;
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, wire};

static WHOLE: Line = Line {
    what: "GET /v1/items/{code}",
    unit: "/s",
    beside: "bare answer of the same size",
    target: Target::RatioAtLeast(0.85),
};
static UNCHANGED: Line = Line {
    what: "GET /v1/items/{code} with If-None-Match: 304",
    unit: "/s",
    beside: "bare empty answer",
    target: Target::RatioAtLeast(0.85),
};
static GENERATOR: Line = Line {
    what: "the load generator's own share: processor time for 1,000 such requests",
    unit: "s",
    beside: "",
    target: Target::None,
};

/// Measures the product, and the bare framework right after it.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    const PATH: &str = "/v1/items/JT-0044";
    let count = bench.size(100_000, 20_000);
    let (api, bare) = (bench.installation.serve().await?, Bare::start().await?);
    let guide = api.caller.get(PATH).success().await?;
    let (size, tag) = (guide.bytes.len(), guide.etag().to_owned());
    let bare_path = format!("/answers/{size}");
    let load_before = cpu_of_this_thread()?;
    let whole = closed_loop(api.address, SLOTS, count, |_| wire::request("GET", PATH, &[], "")).await?;
    let load_cpu = cpu_of_this_thread()? - load_before;
    let bare_whole = closed_loop(bare.address, SLOTS, count, |_| wire::request("GET", &bare_path, &[], "")).await?;
    let known = [("if-none-match", tag.as_str())];
    let unchanged = closed_loop(api.address, SLOTS, count, |_| wire::request("GET", PATH, &known, "")).await?;
    let bare_empty =
        closed_loop(bare.address, SLOTS, count, |_| wire::request("GET", "/answers/0", &known, "")).await?;
    api.process.stop().await?;
    bare.process.stop().await?;
    Ok(vec![
        WHOLE.beside(whole.rate(), Some(bare_whole.rate())),
        UNCHANGED.beside(unchanged.rate(), Some(bare_empty.rate())),
        GENERATOR.is(super::drain::for_a_thousand(load_cpu, count)),
    ])
}

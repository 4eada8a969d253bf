//! Measures responses that need no database: an item's guide in full, and a 304 if the request has the guide's ETag.
//! Each is compared with a response of the same size from the bare framework.

use crate::against::stage::{self, Stage, Turn, metered};
use crate::bare::Bare;
use crate::installation::Api;
use crate::limits::SLOTS;
use crate::load::{Load, closed_loop};
use crate::process::cpu_of_this_thread;
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, wire};

const PATH: &str = "/v1/items/JT-0044";
const WHOLE_NAME: &str = "GET /v1/items/{code}";
const UNCHANGED_NAME: &str = "GET /v1/items/{code} with If-None-Match: 304";

static WHOLE: Line =
    Line { what: WHOLE_NAME, unit: "/s", beside: "bare response of the same size", target: Target::RatioAtLeast(0.85) };
static UNCHANGED: Line =
    Line { what: UNCHANGED_NAME, unit: "/s", beside: "bare empty response", target: Target::RatioAtLeast(0.85) };
static GENERATOR: Line = Line {
    what: "the load generator's own share: processor time for 1,000 such requests",
    unit: "s",
    beside: "",
    target: Target::None,
};

/// An API, and the size and the ETag of the guide.
pub struct Reads {
    api: Api,
    size: usize,
    etag: String,
}

impl Reads {
    async fn whole(&self, count: usize) -> Measured<Load> {
        closed_loop(self.api.address, SLOTS, count, |_| wire::request("GET", PATH, &[], "")).await
    }

    async fn unchanged(&self, count: usize) -> Measured<Load> {
        let known = [("if-none-match", self.etag.as_str())];
        closed_loop(self.api.address, SLOTS, count, |_| wire::request("GET", PATH, &known, "")).await
    }
}

impl Stage for Reads {
    const LINES: &'static [stage::Line] =
        &[stage::Line::rate(WHOLE_NAME, "/s"), stage::Line::rate(UNCHANGED_NAME, "/s")];
    const TURNS: usize = 6;
    const WARM_UPS: usize = 1;

    async fn start(bench: &Bench) -> Measured<Self> {
        let api = bench.installation.serve().await?;
        let guide = api.caller.get(PATH).success().await?;
        Ok(Self { api, size: guide.bytes.len(), etag: guide.etag().to_owned() })
    }

    async fn turn(&self, bench: &Bench) -> Measured<Vec<Turn>> {
        let count = bench.size(50_000, 10_000);
        let api = [&self.api.process];
        let whole = metered(bench, &api, count, async { Ok(self.whole(count).await?.took) }).await?;
        let unchanged = metered(bench, &api, count, async { Ok(self.unchanged(count).await?.took) }).await?;
        Ok(vec![whole, unchanged])
    }

    async fn stop(self, _: &Bench) -> Measured<()> {
        self.api.process.stop().await
    }
}

/// Measures the product, and the bare framework right after it.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let count = bench.size(100_000, 20_000);
    let reads = Reads::start(bench).await?;
    let bare = Bare::start().await?;
    let bare_path = format!("/answers/{}", reads.size);
    let load_before = cpu_of_this_thread()?;
    let whole = reads.whole(count).await?;
    let load_cpu = cpu_of_this_thread()? - load_before;
    let bare_whole = closed_loop(bare.address, SLOTS, count, |_| wire::request("GET", &bare_path, &[], "")).await?;
    let unchanged = reads.unchanged(count).await?;
    let known = [("if-none-match", reads.etag.as_str())];
    let bare_empty =
        closed_loop(bare.address, SLOTS, count, |_| wire::request("GET", "/answers/0", &known, "")).await?;
    reads.stop(bench).await?;
    bare.process.stop().await?;
    Ok(vec![
        WHOLE.beside(whole.rate(), Some(bare_whole.rate())),
        UNCHANGED.beside(unchanged.rate(), Some(bare_empty.rate())),
        GENERATOR.is(super::drain::for_a_thousand(load_cpu, count)),
    ])
}

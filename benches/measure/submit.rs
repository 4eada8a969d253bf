//! Submissions: the form is checked, the application is encrypted, and the response is stored under its idempotency
//! key.

use crate::against::stage::{self, Stage, Turn, metered};
use crate::installation::Api;
use crate::limits::SLOTS;
use crate::load::{Load, closed_loop};
use crate::report::{Line, Sample, Target};
use crate::residents::{Resident, draft_id};
use crate::{Bench, Measured};

const SUBMITTED_NAME: &str = "case submissions, 64 connections";
const SAVED_NAME: &str = "drafts saved, 64 connections";

static SUBMITTED: Line = Line { what: SUBMITTED_NAME, unit: "/s", beside: "", target: Target::AtLeast(1_500.0) };
static ANSWERED: Line = Line { what: "case submissions: p99", unit: "ms", beside: "", target: Target::None };
static SAVED: Line = Line { what: SAVED_NAME, unit: "/s", beside: "", target: Target::None };

/// Enough that none reaches the most open cases of an item.
const RESIDENTS: usize = 1_024;

/// An API, and residents who are signed in.
pub struct Submissions {
    api: Api,
    residents: Vec<Resident>,
}

impl Submissions {
    async fn save(&self, drafts: &[String]) -> Measured<Load> {
        let request = |number: usize| self.resident(number).save(&drafts[number]);
        closed_loop(self.api.address, SLOTS, drafts.len(), request).await
    }

    async fn submit(&self, drafts: &[String]) -> Measured<Load> {
        let request = |number: usize| self.resident(number).submit(&drafts[number]);
        closed_loop(self.api.address, SLOTS, drafts.len(), request).await
    }

    fn resident(&self, number: usize) -> &Resident {
        &self.residents[number % self.residents.len()]
    }
}

impl Stage for Submissions {
    const LINES: &'static [stage::Line] =
        &[stage::Line::rate(SAVED_NAME, "/s"), stage::Line::rate(SUBMITTED_NAME, "/s")];
    const TURNS: usize = 6;
    const WARM_UPS: usize = 1;

    async fn start(bench: &Bench) -> Measured<Self> {
        let api = bench.installation.serve().await?;
        let residents = Resident::sign_in(&api, RESIDENTS).await?;
        Ok(Self { api, residents })
    }

    async fn turn(&self, bench: &Bench) -> Measured<Vec<Turn>> {
        let count = bench.size(1_500, 500);
        let drafts = drafts(count);
        let api = [&self.api.process];
        let saved = metered(bench, &api, count, async { Ok(self.save(&drafts).await?.took) }).await?;
        let submitted = metered(bench, &api, count, async { Ok(self.submit(&drafts).await?.took) }).await?;
        Ok(vec![saved, submitted])
    }

    async fn stop(self, bench: &Bench) -> Measured<()> {
        self.api.process.stop().await?;
        bench.clear().await
    }
}

/// Saves drafts of many residents, and submits them.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let submissions = Submissions::start(bench).await?;
    let drafts = drafts(bench.size(10_000, 2_000));
    let saved = submissions.save(&drafts).await?;
    let submitted = submissions.submit(&drafts).await?;
    submissions.stop(bench).await?;
    Ok(vec![SUBMITTED.is(submitted.rate()), ANSWERED.is(submitted.percentile(0.99)), SAVED.is(saved.rate())])
}

fn drafts(count: usize) -> Vec<String> {
    std::iter::repeat_with(draft_id).take(count).collect()
}

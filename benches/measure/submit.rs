//! Submissions: the form is checked, the application sealed, the answer kept under its idempotency key.

use crate::limits::SLOTS;
use crate::load::closed_loop;
use crate::report::{Line, Sample, Target};
use crate::residents::{Resident, draft_id};
use crate::{Bench, Measured};

static SUBMITTED: Line =
    Line { what: "case submissions, 64 connections", unit: "/s", beside: "", target: Target::AtLeast(1_500.0) };
static ANSWERED: Line = Line { what: "case submissions: p99", unit: "ms", beside: "", target: Target::None };
static SAVED: Line = Line { what: "drafts saved, 64 connections", unit: "/s", beside: "", target: Target::None };

/// Saves drafts of many residents, and submits them.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let count = bench.size(10_000, 2_000);
    let (sandbox, api) = (bench.installation.play_the_world().await?, bench.installation.serve().await?);
    let residents = Resident::sign_in(&api, 256).await?;
    let drafts: Vec<String> = std::iter::repeat_with(draft_id).take(count).collect();
    let of = |number: usize| (&residents[number % residents.len()], &drafts[number]);
    let saved = closed_loop(api.address, SLOTS, count, |number| {
        let (resident, draft) = of(number);
        resident.save(draft)
    });
    let saved = saved.await?;
    let submitted = closed_loop(api.address, SLOTS, count, |number| {
        let (resident, draft) = of(number);
        resident.submit(draft)
    });
    let submitted = submitted.await?;
    api.process.stop().await?;
    sandbox.stop().await?;
    bench.clear().await?;
    Ok(vec![SUBMITTED.is(submitted.rate()), ANSWERED.is(submitted.percentile(0.99)), SAVED.is(saved.rate())])
}

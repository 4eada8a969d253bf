//! The machine's own limits, all in a row.

use std::time::Duration;

use crate::bare::Bare;
use crate::limits::{SLOTS, client, inserts, rings};
use crate::load::closed_loop;
use crate::report::{Line, Sample, Target};
use crate::{Bench, Measured, wire};

const fn limit(what: &'static str, unit: &'static str) -> Line {
    Line { what, unit, beside: "", target: Target::None }
}

static HELLO: Line = limit("limit: the bare framework's shortest answer, 64 connections", "/s");
static DURABLE: Line = limit("limit: the same with one durable insert", "/s");
static INSERTS_1: Line = limit("limit: durable one-row inserts, 1 client", "/s");
static INSERTS_32: Line = limit("limit: durable one-row inserts, 32 clients", "/s");
static RINGS: Line = limit("limit: rings through a Redis stream, one after the other", "/s");
static CLIENT: Line = limit("limit: a bare HTTP client into the instant gateway, 64 in flight", "/s");
static CLIENT_SLOW: Line = limit("limit: the same into a gateway that takes 20 ms", "/s");

/// Measures them.
pub async fn measure(bench: &Bench) -> Measured<Vec<Sample>> {
    let (many, few) = (bench.size(50_000, 10_000), bench.size(20_000, 4_000));
    let bare = Bare::start().await?;
    let hello = closed_loop(bare.address, SLOTS, many, |_| wire::request("GET", "/answers/2", &[], "")).await?;
    let durable = closed_loop(bare.address, SLOTS, few, |_| wire::request("POST", "/rows", &[], "{}")).await?;
    bare.process.stop().await?;
    Ok(vec![
        HELLO.is(hello.rate()),
        DURABLE.is(durable.rate()),
        INSERTS_1.is(inserts(1, few / 4).await?),
        INSERTS_32.is(inserts(32, few).await?),
        RINGS.is(rings(few).await?),
        CLIENT.is(client(bench, many, Duration::ZERO).await?),
        CLIENT_SLOW.is(client(bench, few, Duration::from_millis(20)).await?),
    ])
}

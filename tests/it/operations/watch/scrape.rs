//! A process's metrics, read as Prometheus reads them: every line must be in the text format.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::support::process::Watched;

/// The metrics of a process at one moment.
pub struct Scrape {
    pub text: String,
    /// The families of metrics, with their type.
    pub families: BTreeMap<String, String>,
    samples: Vec<Sample>,
}

struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Scrape {
    pub async fn of(process: &Watched) -> Self {
        let reply = process.watch.get("/metrics").success().await.unwrap();
        assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        Self::read(String::from_utf8(reply.bytes.to_vec()).unwrap())
    }

    fn read(text: String) -> Self {
        let sample = Regex::new(r#"^([a-z_]+)(?:\{(.*)\})? ([0-9.e+-]+|\+Inf|NaN)$"#).unwrap();
        let label = Regex::new(r#"([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)"#).unwrap();
        let mut families = BTreeMap::new();
        let mut samples = Vec::new();
        for line in text.lines() {
            if let Some(family) = line.strip_prefix("# TYPE ") {
                let (name, kind) = family.split_once(' ').unwrap();
                assert!(families.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} is declared twice");
            } else if !line.starts_with("# HELP ") {
                let read = sample.captures(line).unwrap_or_else(|| panic!("not in the text format: {line}"));
                let labels = read.get(2).map_or("", |labels| labels.as_str());
                let labels = label.captures_iter(labels).map(|label| (label[1].to_owned(), label[2].to_owned()));
                samples.push(Sample {
                    name: read[1].to_owned(),
                    labels: labels.collect(),
                    value: read[3].parse().unwrap(),
                });
            }
        }
        Self { text, families, samples }
    }

    /// Returns the sum of a metric's values that have at least these labels. `None` if there is no such value.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let fits = |sample: &&Sample| {
            let has = |(label, value): &(&str, &str)| sample.labels.get(*label).is_some_and(|found| found == value);
            sample.name == name && labels.iter().all(has)
        };
        self.samples.iter().filter(fits).map(|sample| sample.value).reduce(|a, b| a + b)
    }

    /// Returns the names of all metrics, with their labels.
    pub fn names(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for sample in &self.samples {
            names.entry(sample.name.clone()).or_default().extend(sample.labels.keys().cloned());
        }
        names
    }
}

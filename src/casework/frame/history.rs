//! The details of a decision for the case's history.

use serde_json::{Value, json};

use crate::domain::case::{Case, State};

/// Returns the details of the case's decision as a JSON object; empty if the case is not decided.
pub(in crate::casework) fn decision(case: &Case) -> Value {
    match &case.state {
        State::Granted(decision) => json!({"outcome": "grant", "result": decision.result, "reasons": decision.reasons}),
        State::Denied(decision) => json!({"outcome": "deny", "reasons": decision.reasons}),
        _ => json!({}),
    }
}

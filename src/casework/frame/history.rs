//! Describes a decision as JSON, for the history of its case.

use serde_json::{Value, json};

use crate::domain::case::{Case, State};

/// Returns the outcome of the case's decision, with its result and reasons, as a JSON object. The object is empty if
/// the case is not decided.
pub(in crate::casework) fn decision(case: &Case) -> Value {
    match &case.state {
        State::Granted(decision) => json!({"outcome": "grant", "result": decision.result, "reasons": decision.reasons}),
        State::Denied(decision) => json!({"outcome": "deny", "reasons": decision.reasons}),
        _ => json!({}),
    }
}

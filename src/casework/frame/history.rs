//! What the history of a case keeps of an act.

use serde_json::{Value, json};

use crate::domain::case::{Case, State};

/// What the history keeps of a decision.
pub(in crate::casework) fn decision(case: &Case) -> Value {
    match &case.state {
        State::Granted(decision) => json!({"outcome": "grant", "result": decision.result, "reasons": decision.reasons}),
        State::Denied(decision) => json!({"outcome": "deny", "reasons": decision.reasons}),
        _ => json!({}),
    }
}

"""What Schemathesis cannot know: which things there are, and which refusals a schema cannot state."""

import json
import os

import schemathesis

# Things that are there, by the prefix of their ids or by the name of the parameter.
KNOWN = json.loads(os.environ["SONGDA_KNOWN"])

# A request that fits its schema may still ask for what cannot be: these codes say so.
BEYOND_SCHEMAS = {
    "invalid_cursor",  # opaque, and signed
    "version_stale", "version_required",  # If-Match or If-None-Match: either will do
    "invalid_request", "invalid_scope", "unsupported_grant_type",  # RFC 6749 has texts of its own
    "item_not_published", "item_not_on_the_phone", "delivery_not_offered",
    "identity_not_confirmed", "idempotency_key_reused",
    "unsupported_media_type",  # of an upload: its content says what it is
}

# Faults of a body that its schema states. Any other is a rule of the world: check digits, numbers, places, templates.
OF_SCHEMAS = {"wrong_type", "too_long", "too_short", "wrong_format", "unknown", "invalid", "blank"}

# What an item's own form and list of materials say of a draft.
OF_ITEMS = ("/form", "/materials", "/delivery")


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Names a thing that is there in half of all requests."""
    for name, value in (path_parameters or {}).items():
        thing = KNOWN.get(name) or (isinstance(value, str) and KNOWN.get(value.partition("_")[0]))
        if thing and sum(str(value).encode()) % 2:
            path_parameters[name] = thing
    return path_parameters


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keeps a refusal of what fits the schema only where the refusal is one that the schema should have stated."""
    if failure.code != "ST202":
        return True
    problem = json.loads(response.content)
    if problem["code"] in BEYOND_SCHEMAS:
        return False
    # Both conditions at once, of which either will do; or one with nothing in it, which it takes for none.
    conditions = [name for name in ("If-Match", "If-None-Match") if name in (case.headers or {})]
    is_odd = len(conditions) > 1 or any(not case.headers[name] for name in conditions)
    if problem["code"] == "invalid_parameter" and is_odd:
        return False
    # Parts of a form with names that no header can hold.
    if problem["code"] == "malformed_request" and case.operation.path == "/v1/uploads":
        return False
    stated = [
        error for error in problem.get("errors", ())
        if error["code"] in OF_SCHEMAS and not error["pointer"].startswith(OF_ITEMS)
    ]
    return bool(stated) or problem["code"] != "invalid_body"

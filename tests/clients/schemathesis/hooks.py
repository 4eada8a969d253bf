"""Facts that Schemathesis cannot know: which resources exist, and which refusals a schema cannot express."""

import json
import os

import schemathesis

# Ids of existing resources, by their prefix or by the name of the parameter.
KNOWN = json.loads(os.environ["SONGDA_KNOWN"])

# The codes with which the server may refuse a request that fits its schema.
BEYOND_SCHEMAS = {
    "invalid_cursor",  # opaque, and signed
    "version_stale", "version_required",  # one of If-Match and If-None-Match is enough
    "invalid_request", "invalid_scope", "unsupported_grant_type",  # RFC 6749
    "item_not_published", "item_not_on_the_phone", "delivery_not_offered",
    "identity_not_confirmed", "idempotency_key_reused",
    "unsupported_media_type",  # of an upload, whose content decides the type
}

# Codes of faults that a schema can express. Other faults are about check digits, numbers, places and templates.
OF_SCHEMAS = {"wrong_type", "too_long", "too_short", "wrong_format", "unknown", "invalid", "blank"}

# The parts of a draft whose rules depend on the item, so the schema of a draft does not state them.
OF_ITEMS = ("/form", "/materials", "/delivery")


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Puts the id of an existing resource into half of all requests."""
    for name, value in (path_parameters or {}).items():
        known = KNOWN.get(name) or (isinstance(value, str) and KNOWN.get(value.partition("_")[0]))
        if known and sum(str(value).encode()) % 2:
            path_parameters[name] = known
    return path_parameters


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """If a request that fits its schema is refused, reports this only if the schema should have expressed the rule."""
    if failure.code != "ST202":
        return True
    problem = json.loads(response.content)
    if problem["code"] in BEYOND_SCHEMAS:
        return False
    # The API refuses both conditions at once. It also refuses an empty one, which Schemathesis treats as missing.
    conditions = [name for name in ("If-Match", "If-None-Match") if name in (case.headers or {})]
    is_odd = len(conditions) > 1 or any(not case.headers[name] for name in conditions)
    if problem["code"] == "invalid_parameter" and is_odd:
        return False
    # The API refuses names of multipart fields that no header can contain.
    if problem["code"] == "malformed_request" and case.operation.path == "/v1/uploads":
        return False
    stated = [
        error for error in problem.get("errors", ())
        if error["code"] in OF_SCHEMAS and not error["pointer"].startswith(OF_ITEMS)
    ]
    return bool(stated) or problem["code"] != "invalid_body"

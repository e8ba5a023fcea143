# SPDX-License-Identifier: MIT
"""schema - the part of JSON Schema that assets/report.schema.json uses, so that the contract is checked by
what is printed and not by eye. An unknown keyword is an error: nothing is waved through.
"""
import json
import re

KNOWN = {"$schema", "$ref", "title", "description", "definitions", "type", "required", "properties", "items", "enum",
         "additionalProperties", "pattern", "minimum", "maximum"}
TYPES = {"object": lambda v: isinstance(v, dict), "array": lambda v: isinstance(v, list), "null": lambda v: v is None,
         "string": lambda v: isinstance(v, str), "boolean": lambda v: isinstance(v, bool),
         "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
         "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)}


def errors(value, schema, root=None, path="$"):
    """Yield one sentence for everything in value that the schema does not allow."""
    root = root or schema
    if set(schema) - KNOWN:
        raise ValueError("keywords this check does not know: %s" % (set(schema) - KNOWN))
    if "$ref" in schema:
        yield from errors(value, root["definitions"][schema["$ref"].rpartition("/")[2]], root, path)
        return
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(TYPES[k](value) for k in kinds):
        yield "%s: %r is not %s" % (path, value, " or ".join(kinds))
        return
    if "enum" in schema and value not in schema["enum"]:
        yield "%s: %r is none of %s" % (path, value, schema["enum"])
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield "%s: %r does not match %s" % (path, value, schema["pattern"])
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            yield "%s: %r is out of range" % (path, value)
    if isinstance(value, dict):
        for name in set(schema.get("required", ())) - set(value):
            yield "%s: %s is missing" % (path, name)
        for name, member in value.items():
            below = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
            yield from errors(member, below, root, "%s.%s" % (path, name))
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from errors(item, schema.get("items", {}), root, "%s[%d]" % (path, i))


def load(path):
    with open(path) as f:
        return json.load(f)

"""Holds the JSON Schemas against the records of every landed version, by jsonschema alone.

    check_schemas.py SCHEMAS

Every record fits; without any one of its mandatory members, or with a member of another kind, it
does not. The last line says how many documents fitted and how many were refused.
"""

import copy
import json
import pathlib
import sys

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

schemas = pathlib.Path(sys.argv[1])
documents = {p.name: json.loads(p.read_text()) for p in (schemas / "json").glob("*.schema.json")}
for document in documents.values():
    Draft202012Validator.check_schema(document)
registry = Registry().with_resources(
    [(d["$id"], Resource.from_contents(d)) for d in documents.values()])
validators = {n: Draft202012Validator(d, registry=registry) for n, d in documents.items()}
lines = validators["ndjson-line.schema.json"]
by_title = {d["title"]: n for n, d in documents.items()}

fitted = refused = 0
faults = []
for path in sorted(schemas.glob("landed/*/meaning.ndjson")) + sorted(schemas.glob("journeys/*.ndjson")):
    for number, text in enumerate(path.read_text().splitlines(), 1):
        line = json.loads(text)
        name = by_title[line["type"]]
        for validator, document in ((lines, line), (validators[name], line.get("data", {}))):
            for fault in validator.iter_errors(document):
                faults.append(f"{path}:{number}: {fault.json_path} breaks {fault.validator}")
            fitted += 1
        for member in documents[name].get("required", []):
            for value in (None, [], {}, "no code, no number; no base64!"):
                broken = copy.deepcopy(line)
                broken["data"][member] = value
                if value is None:
                    del broken["data"][member]
                is_taken = lines.is_valid(broken)
                if is_taken and not (value == {} and documents[name]["properties"][member].get("$ref")):
                    faults.append(f"{path}:{number}: {member} may be {value!r}")
                refused += not is_taken
for fault in faults[:50]:
    print(fault)
print(f"{fitted} fitted, {refused} refused")
sys.exit(1 if faults or not refused else 0)

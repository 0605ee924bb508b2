"""Reads the topics of Baton with nothing of Baton's own code, and says what does not fit.

    read_topics.py BOOTSTRAP SCHEMAS DECODED.ndjson

kcat, confluent-kafka, classes that grpcio-tools generates from the .proto files, jsonschema and
cloudevents each read every record of events, alerts, sources and dead letters. Whatever one of
them sees otherwise than the contract says is printed, and the exit code is 1. At the end stands
one line of JSON with what was read.
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

from cloudevents.core.bindings import kafka as ce_kafka
from cloudevents.core.formats.json import JSONFormat
from confluent_kafka import Consumer, TopicPartition
from google.protobuf.json_format import MessageToDict, Parse
from grpc_tools import protoc
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

PACKAGE = "baton.handoff.v1"
HEADERS = ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "content-type"]
EXTRA_HEADERS = {"baton-stamp"}
TOPICS = {
    "handoff.events.v1": {
        "HandoffEvent", "PersonTransfer", "Tick", "SourceState", "RulesActivation",
    },
    "handoff.alerts.v1": {"Verdict"},
    "handoff.sources.v1": {"SourceRecord"},
    "handoff.deadletter.v1": {"DeadLetter"},
}
faults = []


def check(condition, text):
    if not condition:
        faults.append(text)


def generated_classes(schemas):
    """Python classes of the contract, made here and now from the .proto files."""
    out = tempfile.mkdtemp()
    files = sorted(str(p.relative_to(schemas)) for p in schemas.glob("baton/handoff/v1/*.proto"))
    well_known = pathlib.Path(protoc.__file__).parent / "_proto"
    code = protoc.main(["protoc", f"-I{schemas}", f"-I{well_known}", f"--python_out={out}", *files])
    if code != 0:
        sys.exit("grpcio-tools cannot generate classes from the .proto files")
    sys.path.insert(0, out)
    classes = {}
    for file in files:
        module = __import__(file[:-6].replace("/", ".") + "_pb2", fromlist=["DESCRIPTOR"])
        for name in module.DESCRIPTOR.message_types_by_name:
            classes[f"{PACKAGE}.{name}"] = getattr(module, name)
    return classes


def validators(schemas):
    """A validator of each JSON Schema, all of them checked against 2020-12 itself."""
    documents = {p.name: json.loads(p.read_text()) for p in (schemas / "json").glob("*.schema.json")}
    for name, document in documents.items():
        Draft202012Validator.check_schema(document)
        check(document["$id"].endswith(name), f"{name}: its $id is another file's")
    resources = [(d["$id"], Resource.from_contents(d)) for d in documents.values()]
    registry = Registry().with_resources(resources)
    return {n: Draft202012Validator(d, registry=registry) for n, d in documents.items()}


def schema_name(type_name):
    name = type_name.rsplit(".", 1)[-1]
    return "".join(("-" if i and c.isupper() else "") + c.lower() for i, c in enumerate(name)) + ".schema.json"


def read_all(bootstrap, topic):
    """Every committed record of a topic, by confluent-kafka."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap, "group.id": "foreign-reader", "enable.auto.commit": False,
        "isolation.level": "read_committed", "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    })
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    check(partitions, f"{topic}: no partitions")
    consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
    records, ended = [], set()
    while len(ended) < len(partitions):
        message = consumer.poll(10)
        if message is None:
            sys.exit(f"{topic}: nothing more comes, and no end of partition either")
        if message.error():
            ended.add(message.partition())
        else:
            records.append(message)
    consumer.close()
    return records


def read_with_kcat(bootstrap, topic):
    """The same by kcat: partition and offset to key, headers and SHA-256 of the value in hexadecimal."""
    out = subprocess.run(
        ["kcat", "-C", "-q", "-e", "-b", bootstrap, "-t", topic, "-o", "beginning",
         "-X", "isolation.level=read_committed", "-f", "%p %o %K %k %S %h\\n%s\\n%%%%\\n"],
        capture_output=True, timeout=60, check=True).stdout
    records = {}
    position = 0
    while position < len(out):
        end = out.index(b" ", out.index(b" ", position) + 1)
        partition, offset = (int(n) for n in out[position:end].split(b" "))
        key_size_end = out.index(b" ", end + 1)
        key_size = int(out[end + 1:key_size_end])
        key = out[key_size_end + 1:key_size_end + 1 + key_size]
        size_end = out.index(b" ", key_size_end + 2 + key_size)
        size = int(out[key_size_end + 2 + key_size:size_end])
        line_end = out.index(b"\n", size_end)
        headers = [h.split("=", 1) for h in out[size_end + 1:line_end].decode().split(",") if h]
        value = out[line_end + 1:line_end + 1 + size]
        records[partition, offset] = (key, headers, value)
        position = line_end + 1 + size + len(b"\n%%\n")
    return records


def expected_key(name, message):
    if name == "Verdict" and message.subject:
        return message.source or "baton"
    if name in ("HandoffEvent", "Verdict"):
        return f"{message.patient_key.epoch}.{message.patient_key.hash.hex()}"
    if name in ("SourceRecord", "DeadLetter"):
        return message.source
    return {"Tick": "tick", "RulesActivation": "rules"}.get(name) or f"source.{message.source}"


def expected_id(name, message, given):
    if name == "HandoffEvent":
        return message.event_id.hex()
    if name == "Verdict":
        return f"{message.alert_id.hex()}.{message.revision}"
    if name == "DeadLetter":
        return message.reception_id.hex()
    return given


def read_record(topic, message, classes, schemas):
    """One record by the generated classes, cloudevents and jsonschema; returns its message's name."""
    where = f"{topic}[{message.partition()}]@{message.offset()}"
    headers = message.headers() or []
    names = [name for name, _ in headers]
    known, others = [n for n in names if n in HEADERS], [n for n in names if n not in HEADERS]
    check(names == known + others, f"{where}: a header of another kind before a CloudEvents one")
    check(known == [n for n in HEADERS if n in names], f"{where}: headers {names}")
    check(all(n in EXTRA_HEADERS or topic == "handoff.deadletter.v1"
              and n.startswith("__connect.errors.") for n in others), f"{where}: headers {others}")
    check({"ce_specversion", "ce_id", "ce_source", "ce_type", "content-type"} <= set(names),
          f"{where}: a mandatory header is missing")
    texts = {name: value.decode() for name, value in headers}

    event = ce_kafka.from_binary(
        ce_kafka.KafkaMessage(headers=dict(headers), key=message.key(), value=message.value()),
        JSONFormat())
    check(event.get_specversion() == "1.0", f"{where}: specversion")
    for name, value in (("id", event.get_id()), ("type", event.get_type()), ("source", event.get_source()),
                        ("subject", event.get_subject())):
        check(value == texts.get(f"ce_{name}"), f"{where}: cloudevents sees another {name}")
    check(event.get_datacontenttype() == "application/protobuf", f"{where}: content type")
    check(event.get_data() == message.value(), f"{where}: cloudevents sees other data")

    type_name = texts["ce_type"]
    name = type_name.rsplit(".", 1)[-1]
    if type_name not in classes or name not in TOPICS[topic]:
        faults.append(f"{where}: {name} has no business here")
        return name
    parsed = classes[type_name]()
    parsed.ParseFromString(message.value())
    check(parsed.SerializeToString(deterministic=True) == message.value(),
          f"{where}: {name} is written otherwise by the generated class")
    check(message.key().decode() == expected_key(name, parsed), f"{where}: key")
    check(texts["ce_id"] == expected_id(name, parsed, texts["ce_id"]), f"{where}: ce_id")
    if name == "HandoffEvent":
        check(texts["ce_time"] == parsed.occurred_at.ToJsonString(), f"{where}: ce_time")
        check(texts.get("ce_subject", "") == parsed.handoff_id.hex(), f"{where}: ce_subject")
    data = MessageToDict(parsed)
    for fault in schemas[schema_name(type_name)].iter_errors(data):
        faults.append(f"{where}: {fault.json_path} breaks {fault.validator} of {schema_name(type_name)}")
    back = Parse(json.dumps(data), classes[type_name]())
    check(back == parsed, f"{where}: JSON and Protobuf differ")
    return name


def read_lines(path, schemas, classes):
    """What `baton events export --decoded` wrote, by jsonschema and the JSON format of cloudevents."""
    count = 0
    for line in pathlib.Path(path).read_text().splitlines():
        document = json.loads(line)
        for fault in schemas["ndjson-line.schema.json"].iter_errors(document):
            faults.append(f"{path}: {fault.json_path} breaks {fault.validator}")
        event = JSONFormat().read(None, line)
        check(event.get_type() == document["type"], f"{path}: type")
        message = Parse(json.dumps(document["data"]), classes[document["type"]]())
        digest = hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()
        check(digest == document["recordhash"], f"{path}: the hash is of other bytes")
        count += 1
        broken = dict(document, specversion="2.0")
        check(not schemas["ndjson-line.schema.json"].is_valid(broken), f"{path}: anything is taken")
    return count


def main():
    bootstrap, schemas, lines = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    classes, schemas_by_name = generated_classes(schemas), validators(schemas)
    read = {}
    for topic in TOPICS:
        records = read_all(bootstrap, topic)
        by_kcat = read_with_kcat(bootstrap, topic)
        check(len(by_kcat) == len(records), f"{topic}: kcat sees {len(by_kcat)} of {len(records)}")
        counts = {}
        for message in records:
            name = read_record(topic, message, classes, schemas_by_name)
            counts[name] = counts.get(name, 0) + 1
            key, headers, value = by_kcat.get((message.partition(), message.offset()), (None, [], None))
            place = f"{topic}[{message.partition()}]@{message.offset()}"
            check(key == message.key() and value == message.value(), f"{place}: kcat sees another record")
            check(headers == [[n, v.decode()] for n, v in message.headers()], f"{place}: kcat headers")
        read[topic] = counts
    read["lines"] = {"decoded": read_lines(lines, schemas_by_name, classes)}
    for fault in faults[:50]:
        print(fault)
    print(json.dumps(read, sort_keys=True))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()

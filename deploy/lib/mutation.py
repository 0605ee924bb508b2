"""What of a Swift file can be mutated: expressions, conditions, statements and table cells.

Line by line, as the formatter leaves them: no parser is needed for lines of one statement each.
"""
import collections
import re

FLIPS = [("<=", "<"), (">=", ">"), ("==", "!="), ("!=", "=="), ("<", "<="), (">", ">=")]
Site = collections.namedtuple("Site", "path line kind was becomes make")


def balanced(text):
    depth = 0
    for char in text:
        depth += char in "([{"
        depth -= char in ")]}"
        if depth < 0:
            return False
    return depth == 0 and text.count('"') % 2 == 0


def clauses(text):
    """The clauses of a condition, split at commas outside brackets."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += char in "([{"
        depth -= char in ")]}"
        if char == "," and depth == 0:
            parts.append((start, at))
            start = at + 1
    return parts + [(start, len(text))]


def variants(expression):
    """(kind, mutated) of a Boolean or comparing expression."""

    def swapped(match, other):
        return expression[: match.start()] + other + expression[match.end():]

    for operator, other in FLIPS:
        for match in re.finditer(rf"(?<= ){re.escape(operator)}(?= )", expression):
            yield "comparison flipped", swapped(match, other)
    for operator, other in [("&&", "||"), ("||", "&&")]:
        for match in re.finditer(rf"(?<= ){re.escape(operator)}(?= )", expression):
            yield "and for or", swapped(match, other)
    for match in re.finditer(r"(?<=[<>=] )\d+\b", expression):
        yield "constant off by one", swapped(match, str(int(match.group()) + 1))
    for name, other in [("max", "min"), ("min", "max")]:
        for match in re.finditer(rf"(?<![.\w]){name}(?=\()", expression):
            yield "max for min", swapped(match, other)


STATEMENT = re.compile(r"[a-zA-Z_][\w.\[\]()$]*\(.*\)|[a-z_][\w.\[\]()$]* [+-]?= .+")
NO_EFFECT = re.compile(
    r"self\.|if |guard |return |let |var |func |init|case |for |while |switch |body\(|"
    r".*\.reserveCapacity\(")
CELL = re.compile(
    r"\.to\(\.\w+\)|\bstop\b|\.late\b|\.duplicate\b|\.amend\b|\bconflict\b|(?<= )\.same\b")


def sites(path, lines):
    """Everything of a file that can be mutated; `make` gives the new line of a number."""
    found = []

    def expression(number, start, end, forced=None):
        line = lines[number]
        text = line[start:end]
        if not text.strip() or not balanced(text):
            return
        if re.match(r"\s*(let|var|case|await|try)\b", text):
            return
        lead = text[: len(text) - len(text.lstrip())]
        text = text.strip()
        choices = list(variants(text))
        if forced is not None:
            kind = "guard dropped" if forced else "branch removed"
            choices.append((kind, "true" if forced else "false"))
        for kind, mutated in choices:
            found.append(Site(path, number, kind, text, mutated, lambda n, m=mutated: (
                f"{line[:start]}{lead}(mutant({n}) ? ({m}) : ({text})){line[end:]}")))

    def wrapped(number, kind, was, becomes, before, after):
        found.append(Site(
            path, number, kind, was, becomes, lambda n: before + f"mutant({n})" + after))

    initialiser = None
    for number, line in enumerate(lines):
        if match := re.match(r"(\s*)((public|private|fileprivate) )?init\b", line):
            initialiser = match.group(1)
        if initialiser is not None and line == initialiser + "}":
            initialiser = None
        after = lines[number + 1].strip() if number + 1 < len(lines) else ""
        goes_on = re.match(r"(&&|\|\||\?|\.|:|\?\?|\+|-|==|[<>]=?)", after)
        statement = line.strip()
        if statement.startswith("//") or "precondition" in line:
            continue
        if match := re.match(r"^(\s*guard )(.*)( else\b.*)$", line):
            for start, end in clauses(match.group(2)):
                expression(number, len(match.group(1)) + start, len(match.group(1)) + end, True)
        elif match := re.match(r"^(\s*(?:\} else )?if )(.*)( \{)$", line):
            for start, end in clauses(match.group(2)):
                expression(number, len(match.group(1)) + start, len(match.group(1)) + end, False)
            if not after.startswith("}"):
                head = match.group(1) + match.group(2)
                wrapped(number, "branch removed", statement, "not taken", head + ", !", " {")
        elif (match := re.match(r"^(\s*(return |let \w+ = |(?:&&|\|\|) ))(.+)$", line)) and (
            not goes_on or statement.startswith(("&&", "||"))):
            is_part = statement.startswith(("&&", "||"))
            if not (is_part and re.search(r" (&&|\|\|) ", match.group(3))):
                expression(number, len(match.group(1)), len(line.rstrip(",")))
        elif match := re.search(r"\{ (\$0[^{}]*) \}", line):
            expression(number, match.start(1), match.end(1))
        if STATEMENT.fullmatch(statement) and not NO_EFFECT.match(statement):
            if balanced(statement) and not goes_on and initialiser is None:
                indent = line[: len(line) - len(line.lstrip())]
                wrapped(
                    number, "effect dropped", statement, "nothing", f"{indent}if !",
                    f" {{ {statement} }}")
        if path.endswith("Lifecycle.swift") and re.match(r"        \S.*,$", line.rstrip()):
            for match in CELL.finditer(line):
                other = "Cell.same" if match.group() == "stop" else "Cell.illegal"
                found.append(Site(
                    path, number, "cell of the table", f"{statement} [{match.start()}]", other,
                    lambda n, l=line, m=match, o=other: (
                        f"{l[:m.start()]}mutantCell({n}, {o}, {m.group()}){l[m.end():]}")))
    return found

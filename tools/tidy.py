#!/usr/bin/env python3
"""The house rules that no compiler checks. Run from anywhere; exit 1 and one line per finding.

  tools/tidy.py                      check every file that git knows or would add
  tools/tidy.py --sources FILE.json  print the C sources of a compile_commands.json that clang-tidy
                                     should read (no tests, nothing generated)

Exceptions live in tools/tidy_exceptions.txt ("path rule reason", one per line). The list may only
shrink: an exception that excuses nothing is itself a finding.
"""
import json
import os
import re
import subprocess
import sys
from typing import NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Lowest first (docs/ARCHITECTURE.md, "Layers"). A room may include rooms of a lower level only.
LEVELS = {
    "cairn": 0, "base": 1, "proto": 2, "model": 3, "rules": 4, "decide": 5, "script": 5, "sql": 5,
    "bundle": 6, "local": 6, "port": 7, "client": 7,
    "db": 8, "fault": 8, "log": 8, "ingest": 9, "identity": 10, "profile": 11, "trail": 12,
    "analytics": 13, "definitions": 13, "facts": 13, "fold": 14,
    "wasm": 15, "edge": 15, "cli": 16,
}
COLLECTOR = {"db", "fault", "log", "ingest", "identity", "profile", "trail", "analytics",
             "definitions", "facts", "fold"}
DEVICE_ONLY = {"client", "port", "local", "sql"}  # what the collector must not know
ANYTHING = ("tests", "bench", "examples")

FILE_LINES_WARN, FILE_LINES_MAX = 500, 700
FUNCTION_LINES_MAX, PARAMETERS_MAX, NESTING_MAX = 60, 5, 3
COLUMNS_MAX = 100
FILE_BYTES_MAX = 256 * 1024

BANNED = {
    "strcpy": "memcpy with a length", "strcat": "a buffer", "sprintf": "snprintf",
    "vsprintf": "vsnprintf", "gets": "fgets", "atoi": "strtoll with its end pointer",
    "atol": "strtoll with its end pointer", "atof": "strtod with its end pointer",
    "strtok": "a span", "gmtime": "base/civil.h", "localtime": "base/civil.h",
    "asctime": "base/civil.h", "ctime": "base/civil.h", "rand": "the random seam",
    "srand": "the random seam", "alloca": "an arena", "setjmp": "a status", "longjmp": "a status",
}
# In libraries, outside base and port: memory, time and the end of the process are the host's.
BANNED_IN_LIBRARIES = {
    "malloc": "an allocator from the caller", "calloc": "an allocator from the caller",
    "realloc": "an allocator from the caller", "time": "a time passed in",
    "gettimeofday": "a time passed in", "clock_gettime": "a time passed in",
    "exit": "a status", "abort": "CAIRN_ASSERT or a status", "printf": "a status or the log seam",
    "puts": "a status or the log seam", "perror": "a status or the log seam",
}
HEADERS_OF_A_HOST = {"uv.h", "pthread.h", "sys/socket.h", "curl/curl.h", "threads.h"}


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    text: str


class Function(NamedTuple):
    name: str
    line: int
    signature: str
    body: str


# --- reading C -----------------------------------------------------------------------------------

_COMMENT_OR_LITERAL = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)


def strip_c(text):
    """The text without comments, string contents and preprocessor lines; line numbers kept."""
    def blank(match):
        found = match.group(0)
        if found[0] == '"':
            return '""'
        if found[0] == "'":
            return "'0'"
        return " " + "\n" * found.count("\n")

    def blank_lines(match):
        return "\n" * match.group(0).count("\n")

    text = _COMMENT_OR_LITERAL.sub(blank, text)
    for_cplusplus = re.compile(r"^#\s*ifdef __cplusplus.*?^#\s*endif[^\n]*", re.M | re.S)
    text = for_cplusplus.sub(blank_lines, text)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank_lines, text, flags=re.M)


def parse_c(text):
    """Functions and file-scope declarations of stripped C: ([Function], [(line, text)])."""
    functions, declarations = [], []
    depth, start, body_start = 0, 0, 0
    braces = []
    for at, char in enumerate(text):
        if char == "{":
            if depth == 0:
                body_start = at
            depth += 1
        elif char == "}":
            depth = max(0, depth - 1)
            if depth > 0:
                continue
            head = text[start:body_start]
            if head.rstrip().endswith(")") and "=" not in head.split("(")[0]:
                functions.append(_function(text, start, body_start, at))
                start, braces = at + 1, []
            else:
                braces.append((body_start, at + 1))
        elif char == ";" and depth == 0:
            declarations.append(_declaration(text, start, at, braces))
            start, braces = at + 1, []
    return functions, declarations


def _function(text, start, body_start, end):
    signature = text[start:body_start].strip()
    name = re.search(r"(\w+)\s*\(", signature)
    line = text.count("\n", 0, start + len(text[start:]) - len(text[start:].lstrip())) + 1
    return Function(name.group(1) if name else "?", line, signature, text[body_start:end + 1])


def _declaration(text, start, end, braces):
    line = text.count("\n", 0, start + len(text[start:]) - len(text[start:].lstrip())) + 1
    parts, at = [], start
    for opened, closed in braces:
        parts += [text[at:opened], "{}"]
        at = closed
    parts.append(text[at:end])
    return line, " ".join("".join(parts).split())


def is_mutable_variable(declaration):
    """Whether a file-scope declaration makes a variable that can change."""
    if not declaration or re.match(r"(typedef|extern|_Static_assert|static_assert)\b", declaration):
        return False
    left = declaration.split("=")[0].strip()
    if re.fullmatch(r"(struct|union|enum)\b\s*\w*\s*(\{\})?", left):
        return False
    pointer_to_function = re.search(r"\(\s*\*\s*(const\s+)?\w+", left)
    if pointer_to_function:
        return "const" not in pointer_to_function.group(0)
    if "(" in left or not re.match(r"[A-Za-z_]", left):
        return False
    left = re.sub(r"\[[^]]*\]", "", left)
    if "*" in left:
        return not re.search(r"\*\s*const\b[^*]*$", left)
    return not re.search(r"\bconst\b", left)


def opens_block(before):
    """Whether a brace after this text opens a control block (and not an initializer)."""
    if re.search(r"\b(else|do)$", before):
        return True
    if not before.endswith(")"):
        return False
    depth = 0
    for at in range(len(before) - 1, -1, -1):
        depth += (before[at] == ")") - (before[at] == "(")
        if depth == 0:
            return re.search(r"\b(if|for|while|switch)$", before[:at].rstrip()) is not None
    return False


def nesting(body):
    """How deep control blocks lie inside one another; the function's own block is 0."""
    deepest, stack = 0, []
    for at, char in enumerate(body):
        if char == "{":
            stack.append(opens_block(body[:at].rstrip()))
            deepest = max(deepest, sum(stack))
        elif char == "}" and stack:
            stack.pop()
    return deepest


def parameters(signature):
    inside = signature[signature.index("(") + 1:signature.rindex(")")]
    depth, count = 0, 1
    for char in inside:
        depth += char in "(["
        depth -= char in ")]"
        count += char == "," and depth == 0
    return 0 if inside.strip() in ("", "void") else count


# --- the rules -----------------------------------------------------------------------------------

def room_of(path):
    """The room a file lives in, or None when it may include anything."""
    parts = path.split("/")
    if parts[0] in ("sdk", "collector") and len(parts) > 2:
        return "cairn" if parts[1] == "include" else parts[1]
    return parts[0] if parts[0] in LEVELS else None


def is_library(path):
    return path.startswith(("sdk/", "collector/")) and not path.endswith("_fuzz.c")


def check_includes(path, text):
    room = room_of(path)
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        quote, name = match.groups()
        if quote == "<":
            if is_library(path) and room != "port" and name in HEADERS_OF_A_HOST:
                yield Finding(path, number, "host-header", f"<{name}> belongs to edge or sdk/port")
            continue
        if name.endswith(".pb.h"):
            target = "proto"
        elif "/" not in name:
            if not path.startswith(ANYTHING):
                yield Finding(path, number, "include-folder", f'"{name}" does not name its folder')
            continue
        else:
            target = name.split("/")[0]
        yield from _check_direction(path, number, room, target, name)


def _check_direction(path, number, room, target, name):
    if room is None or target == room or path.startswith(ANYTHING):
        return
    if target not in LEVELS:
        if target in ("tests", "bench", "support"):
            yield Finding(path, number, "include-direction", f'"{name}" is not for products')
    elif LEVELS[target] >= LEVELS[room]:
        yield Finding(path, number, "include-direction", f'{room} may not include "{name}"')
    elif room in COLLECTOR and target in DEVICE_ONLY:
        yield Finding(path, number, "include-direction", f'the collector does not know "{name}"')


def check_functions(path, functions):
    for function in functions:
        lines = function.body.count("\n") + 1
        if lines > FUNCTION_LINES_MAX and not (path.startswith("tests/") and
                                               function.name == "main"):
            yield Finding(path, function.line, "function-length",
                          f"{function.name} has {lines} lines, at most {FUNCTION_LINES_MAX}")
        if parameters(function.signature) > PARAMETERS_MAX:
            yield Finding(path, function.line, "parameters",
                          f"{function.name} has {parameters(function.signature)} parameters, "
                          f"at most {PARAMETERS_MAX}: pass a struct")
        if nesting(function.body) > NESTING_MAX:
            yield Finding(path, function.line, "nesting",
                          f"{function.name} nests {nesting(function.body)} deep, "
                          f"at most {NESTING_MAX}")


def check_state(path, functions, declarations):
    if not is_library(path):
        return
    for line, declaration in declarations:
        if is_mutable_variable(declaration):
            yield Finding(path, line, "global", f"mutable at file scope: {declaration[:60]}")
    for function in functions:
        for match in re.finditer(r"\bstatic\b([^;=]*)", function.body):
            if not re.search(r"\bconst\b", match.group(1)):
                line = function.line + function.body[:match.start()].count("\n")
                yield Finding(path, line, "global", f"static variable in {function.name}")


def check_calls(path, stripped):
    room = room_of(path)
    banned = dict(BANNED)
    if is_library(path) and room not in ("base", "port"):
        banned.update(BANNED_IN_LIBRARIES)
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(banned) + r")\s*\(")
    for number, line in enumerate(stripped.split("\n"), 1):
        for match in pattern.finditer(line):
            name = match.group(1)
            yield Finding(path, number, "banned-call", f"{name}: use {banned[name]}")
        if re.search(r"\b(_Thread_local|__thread)\b", line):
            yield Finding(path, number, "global", "thread-local state")


def check_c(path, text):
    stripped = strip_c(text)
    functions, declarations = parse_c(stripped)
    yield from check_includes(path, text)
    yield from check_functions(path, functions)
    yield from check_state(path, functions, declarations)
    yield from check_calls(path, stripped)


def check_text(path, text):
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX and not path.endswith((".ts", ".tsx")):
            yield Finding(path, number, "columns", f"{len(line)} columns, at most {COLUMNS_MAX}")
        if re.search(r"\b(TODO|FIXME)\b(?!\(\w)", line) and not path.startswith("tools/tidy"):
            yield Finding(path, number, "todo", "a TODO names who will do it: TODO(name)")
    if len(lines) > FILE_LINES_MAX:
        yield Finding(path, 1, "file-length", f"{len(lines)} lines, at most {FILE_LINES_MAX}")


def check_readmes(paths):
    """Every folder of a room that holds sources says what it is."""
    tops = ("sdk", "collector", "edge", "cli", "wasm", "bench", "proto", "console", "examples")
    suffixes = (".c", ".h", ".proto", ".ts", ".tsx")
    known = set(paths)
    folders = {os.path.dirname(path) for path in paths
               if path.split("/")[0] in tops and path.endswith(suffixes)}
    missing = set()
    for folder in sorted(folders):
        parts = folder.split("/")
        if folder.startswith("sdk/include"):
            continue  # public headers are their own manual
        if parts[0] in ("console", "wasm", "examples"):
            folder = "/".join(parts[:2 if parts[0] == "examples" else 1])
        if f"{folder}/README.md" not in known:
            missing.add(folder)
    for folder in sorted(missing):
        yield Finding(folder, 0, "readme", "no README.md")


def check_cycles(includes):
    """includes: path -> set of project paths that it includes."""
    state, found = {}, []

    def visit(path, trail):
        if state.get(path) == "done":
            return
        if path in trail:
            found.append(trail[trail.index(path):] + [path])
            return
        for target in sorted(includes.get(path, ())):
            visit(target, trail + [path])
        state[path] = "done"

    for path in sorted(includes):
        visit(path, [])
    for cycle in found:
        yield Finding(cycle[0], 1, "include-cycle", " -> ".join(cycle))


def project_includes(path, text, known):
    found = set()
    for name in re.findall(r'^#\s*include\s+"([^"]+)"', text, re.M):
        for base in ("", "sdk/", "collector/", "sdk/include/", "tests/",
                     os.path.dirname(path) + "/"):
            if base + name in known:
                found.add(base + name)
                break
    return found


# --- the run -------------------------------------------------------------------------------------

TEXT = (".c", ".h", ".py", ".sh", ".ts", ".tsx", ".cmake", ".proto", "CMakeLists.txt")


def check_repository(root, paths):
    findings, includes, long_files = [], {}, []
    for path in paths:
        full = os.path.join(root, path)
        if os.path.getsize(full) > FILE_BYTES_MAX and not path.endswith("package-lock.json"):
            findings.append(Finding(path, 0, "file-bytes", f"larger than {FILE_BYTES_MAX} bytes"))
            continue
        if not path.endswith(TEXT):
            continue
        with open(full, encoding="utf-8") as file:
            text = file.read()
        findings += check_text(path, text)
        if path.endswith((".c", ".h")):
            findings += check_c(path, text)
            includes[path] = project_includes(path, text, set(paths))
        if text.count("\n") > FILE_LINES_WARN:
            long_files.append(path)
    findings += check_readmes(paths)
    findings += check_cycles(includes)
    return findings, long_files


def excuse(findings, exceptions):
    """Drops what the exceptions name; a line that names nothing is a finding."""
    used, left = set(), []
    for finding in findings:
        key = (finding.path, finding.rule)
        if key in exceptions:
            used.add(key)
        else:
            left.append(finding)
    for path, rule in sorted(set(exceptions) - used):
        left.append(Finding("tools/tidy_exceptions.txt", 0, "unused-exception", f"{path} {rule}"))
    return left


def read_exceptions(path):
    exceptions = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                words = line.split(None, 2)
                if words and not line.startswith("#"):
                    exceptions[(words[0], words[1])] = words[2] if len(words) > 2 else ""
    return exceptions


def print_sources(commands_path):
    with open(commands_path, encoding="utf-8") as file:
        for command in json.load(file):
            path = os.path.relpath(command["file"], ROOT)
            if path.startswith(("sdk/", "collector/", "edge/", "cli/")):
                print(path)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--sources":
        print_sources(sys.argv[2])
        return 0
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split("\n")
    paths = sorted(path for path in listed if path and os.path.isfile(os.path.join(ROOT, path)))
    findings, long_files = check_repository(ROOT, paths)
    findings = excuse(findings, read_exceptions(os.path.join(ROOT, "tools/tidy_exceptions.txt")))
    for path in long_files:
        print(f"{path}: warning: more than {FILE_LINES_WARN} lines")
    for finding in findings:
        print(f"{finding.path}:{finding.line}: {finding.rule}: {finding.text}")
    print(f"tidy: {len(paths)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

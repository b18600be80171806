"""Shows that no copy is forgotten unseen: `./check copies`.

Each patch of `copies/` is a change as somebody might ask for it, whole. It is made in a copy of the code, where the tests
that it names have to pass. Then each place is left out in turn, and one of those tests has to fail, or the compiler. A
place is a hunk; the lines of a generated file, or of a new function's folder, are one.

A patch begins with `Request:`, what is asked for, `Rule:`, the file of the rule that changes, and a `Tests:` line for each
run of `cargo test`, the cheap ones first.

    python3 check.d/copies.py [NAME...]     tries all changes, or these, and writes into docs/changing.md what it saw
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRATCH = ROOT / "target/scratch"
# One place each, however many hunks it has.
WHOLE = re.compile(r"events/fixtures\.json|functions/list-customers/|(?:functions|events)/erase-customer/")


class Hunk:
    """Lines of one file that become others; in a new file there are none before."""

    def __init__(self, path, start):
        self.path, self.start, self.before, self.after = path, start, [], []

    def without_context(self):
        """The lines that change, and those between them."""
        bare, ends = Hunk(self.path, self.start), []
        for before, after in ((self.before, self.after), (self.before[::-1], self.after[::-1])):
            same = [one == other for one, other in zip(before, after)]
            ends.append(same.index(False) if False in same else len(same))
        first, last = ends
        bare.before, bare.after = self.before[first : len(self.before) - last], self.after[first : len(self.after) - last]
        return bare

    def place(self):
        whole = WHOLE.match(self.path)
        return whole.group(0) if whole else None


class Change:
    """One patch."""

    def __init__(self, file):
        self.name, self.hunks, self.tests = file.stem, [], []
        path = None
        for line in file.read_text().splitlines():
            if line.startswith("Request: "):
                self.request = line.removeprefix("Request: ")
            elif line.startswith("Rule: "):
                self.rule = line.removeprefix("Rule: ")
            elif line.startswith("Tests: "):
                self.tests.append(line.removeprefix("Tests: ").split())
            elif line.startswith("+++ b/"):
                path = line.removeprefix("+++ b/")
            elif line.startswith("@@ "):
                self.hunks.append(Hunk(path, int(re.match(r"@@ -(\d+)", line).group(1))))
            elif path and self.hunks and line[:1] in ("-", "+", " ") and not line.startswith("--- "):
                hunk, text = self.hunks[-1], line[1:]
                if line[0] != "+":
                    hunk.before.append(text)
                if line[0] != "-":
                    hunk.after.append(text)

    def places(self):
        """The hunks by place, the rule itself first."""
        places, seen = {}, {}
        for hunk in self.hunks:
            name = hunk.place()
            if name is None:
                seen[hunk.path] = seen.get(hunk.path, 0) + 1
                name = hunk.path if seen[hunk.path] == 1 else f"{hunk.path} ({seen[hunk.path]})"
            places.setdefault(name, []).append(hunk)
        return dict(sorted(places.items(), key=lambda place: all(hunk.path != self.rule for hunk in place[1])))


def files():
    """The files of the repository as they are here, by name."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    names = filter(None, os.fsdecode(listed).split("\0"))
    return {name: (ROOT / name).read_bytes() for name in names if (ROOT / name).is_file()}


class Copy:
    """A copy of the code. Only what changes is written, so that only what hangs on it is built."""

    def __init__(self):
        self.folder = SCRATCH / "code"
        self.changed = set()
        self.originals = files()
        for name, content in self.originals.items():
            self.write(name, content)
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = Path(folder, name)
                # The lock file is cargo's to complete.
                if str(path.relative_to(self.folder)) not in self.originals:
                    path.unlink()

    def write(self, name, content):
        path = self.folder / name
        if content is None:
            path.unlink(missing_ok=True)
        elif not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def be(self, hunks):
        """Becomes the code with these hunks and no others."""
        by_file = {}
        for hunk in hunks:
            by_file.setdefault(hunk.path, []).append(hunk)
        for name in self.changed - set(by_file):
            self.write(name, self.originals.get(name))
        for name, hunks in by_file.items():
            self.write(name, patched(name, self.originals.get(name, b""), hunks))
        # Cargo completes it for a new crate.
        self.write("Cargo.lock", self.originals["Cargo.lock"])
        for folder in sorted(self.folder.glob("*/erase-customer")):
            if not any(folder.rglob("*.*")):
                subprocess.run(["rm", "-r", folder], check=True)
        self.changed = set(by_file)

    def cargo(self, arguments):
        """Why the tests fail, in a few words; nothing where they pass."""
        environment = {**os.environ, "CARGO_TARGET_DIR": str(SCRATCH / "target"), "RUST_BACKTRACE": "0"}
        command = ["cargo", "test", "--quiet", *arguments]
        ended = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        if ended.returncode == 0:
            return None
        said = ended.stdout + ended.stderr
        failed = sorted(set(re.findall(r"^    ([a-z0-9_]+(?:::[a-z0-9_]+)*)$", said.rpartition("\nfailures:\n")[2], re.M)))
        if failed:
            return " ".join(f"`{name}`" for name in failed[:2]) + (f" and {len(failed) - 2} more" if len(failed) > 2 else "")
        if re.search(r"^error: could not compile", said, re.M):
            return "the compiler"
        sys.exit(f"cargo {' '.join(arguments)} ended strangely:\n{said[-4000:]}")


def places_of(hunk, lines):
    """Where the lines of a hunk stand as they were before."""
    length = len(hunk.before)
    return [at for at in range(len(lines) - length + 1) if lines[at : at + length] == hunk.before]


def patched(name, content, hunks):
    """A file with these hunks, each where its lines stand now, nearest to where they stood."""
    lines = content.decode().split("\n")[:-1]
    edits = []
    for hunk in hunks:
        found = places_of(hunk, lines)
        if not found and hunk.without_context().before:
            # What stands beside it has changed.
            hunk = hunk.without_context()
            found = places_of(hunk, lines)
        if not found:
            sys.exit(f"{name}: nothing reads as before:\n" + "\n".join(hunk.before))
        edits.append((min(found, key=lambda at: abs(at - hunk.start + 1)), hunk))
    for at, hunk in sorted(edits, key=lambda edit: edit[0], reverse=True):
        lines[at : at + len(hunk.before)] = hunk.after
    return "".join(f"{line}\n" for line in lines).encode()


def attempt(copy, change):
    """Tries one change; answers its part of the document, and whether something was not noticed."""
    places = change.places()
    copy.be(change.hunks)
    for arguments in change.tests:
        failed = copy.cargo(arguments)
        if failed:
            sys.exit(f"{change.name}: whole, and yet {failed} fails")
    rows, missed = [], False
    for name in places:
        copy.be([hunk for other, hunks in places.items() if other != name for hunk in hunks])
        guard = next(filter(None, map(copy.cargo, change.tests)), None)
        missed = missed or guard is None
        rows.append((name, guard))
        print(f"  {name}: {guard or 'NOT NOTICED'}", flush=True)
    kind = "place" if len(places) == 1 else "places"
    table = "".join(f"| `{name}` | {guard or '**nothing**'} |\n" for name, guard in rows)
    return f"## {change.request}, {len(places)} {kind}\n\n| Left out | Noticed by |\n|---|---|\n{table}", missed


def record(parts):
    """Writes what was tried into the document; what was not tried now stays as it was."""
    document = ROOT / "docs/changing.md"
    opening, *before = re.split(r"\n(?=## )", document.read_text())
    request = re.compile(r"## (.*), \d+ places?\n")
    known = {request.match(part).group(1): part for part in [*before, *parts]}
    document.write_text("\n".join([opening.rstrip("\n") + "\n", *(f"{known[name].rstrip()}\n" for name in sorted(known))]))


def main(names):
    patches = sorted((ROOT / "check.d/copies").glob("*.patch"))
    if not patches:
        sys.exit("there is no patch")
    changes = [Change(patch) for patch in patches if not names or patch.stem in names]
    copy, parts, missed = Copy(), [], False
    for change in changes:
        print(f"{change.name}: {change.request}", flush=True)
        part, some = attempt(copy, change)
        parts.append(part)
        missed = missed or some
    copy.be([])
    record(parts)
    sys.exit(missed)


main(sys.argv[1:])

"""Pastes the blocks of README's section "Call it" into one shell, and compares what each says with what README shows.

Usage: readme.py README READY_FILE. The addresses in README are those of a system with default ports; the ready file's
stand in for them. `…` in a reply stands for whatever is random.
"""

import json
import re
import subprocess
import sys

readme, ready_file = sys.argv[1:]
with open(ready_file) as file:
    ready = json.load(file)
with open(readme) as file:
    section = re.search(r"^## Call it\n(.*?)^## ", file.read(), re.M | re.S)[1]
blocks = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.M | re.S)
commands = [text for kind, text in blocks if kind == "sh"]
# What the block before a reply is to say; a block without one says nothing.
shown = [[]]
for kind, text in blocks:
    if kind == "sh":
        shown.append([])
    else:
        shown[-1].append(text)
shown = ["".join(texts) for texts in shown[1:]]
assert len(commands) > 5 and sum(map(bool, shown)) > 5, blocks

mark = "--- the next block ---"
script = f"\necho '{mark}'\n".join(commands)
for address, ours in [("http://127.0.0.1:9000", ready["api"]), ("http://127.0.0.1:9001", ready["mail"])]:
    assert address in script, address
    script = script.replace(address, ours)
ran = subprocess.run(["bash", "-eu", "-o", "pipefail"], input=script, capture_output=True, text=True)
said = ran.stdout.split(mark + "\n")

failed = ran.returncode != 0 or ran.stderr != ""
for command, expected, answer in zip(commands, shown, said):
    pattern = re.escape(expected).replace("…", ".+")
    if not re.fullmatch(pattern, answer):
        failed = True
        print(f"{command}says\n{answer}where README shows\n{expected}", file=sys.stderr)
if failed or len(said) != len(commands):
    sys.exit(f"README's commands do not do what README shows: {ran.stderr}")
print(f"{len(commands)} blocks of README do what README shows")

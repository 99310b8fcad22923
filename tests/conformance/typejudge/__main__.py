"""Prints what is wrong with the exchanges recorded in a folder: python -m conformance.typejudge FOLDER, from tests."""

import sys

from .record import judge_folder

judged = judge_folder(sys.argv[1])
for side in ("request", "reply"):
    for problem in judged.problems(side):
        print(f"{side}: {problem}")
print(judged)
sys.exit(bool(judged.found))

"""Writes golden/distinct.json: distinct-n of real texts by Python's own str.split(), for src/stats/distinct-n.ts.

Usage: python test/peers/golden_distinct.py <texts.jsonl>     (rows with "responses", a list of strings)
       python test/peers/golden_distinct.py --check           (computes the values of golden/distinct.json again)

Each case has the responses of one problem and their distinct-1, distinct-2 and distinct-4: different n-grams over all
n-grams of the responses, n-grams never crossing two responses. Needs the standard library alone.
"""

import json
import sys
from pathlib import Path


def distinct(responses: list[str], n: int) -> float:
    """Different n-grams over all n-grams; 0 when there is none."""
    grams = []
    for response in responses:
        words = response.split()
        grams += [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0


TARGET = Path(__file__).parent / "golden" / "distinct.json"


def check() -> None:
    """Fails unless every recorded value is what this Python computes from the recorded texts."""
    cases = json.loads(TARGET.read_text(encoding="utf-8"))
    for case in cases:
        for n, value in case["distinct"].items():
            found = distinct(case["responses"], int(n))
            if found != value:
                sys.exit(f"distinct-{n} of {case['responses'][0][:60]!r}: recorded {value}, computed {found}")
    print(f"{sum(len(case['responses']) for case in cases)} texts agree")


def main() -> None:
    if sys.argv[1:] == ["--check"]:
        check()
        return
    cases = []
    with open(sys.argv[1], encoding="utf-8") as rows:
        for row in rows:
            responses = json.loads(row)["responses"]
            cases.append({"responses": responses, "distinct": {str(n): distinct(responses, n) for n in (1, 2, 4)}})
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    TARGET.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{TARGET}: {len(cases)} cases, {sum(len(case['responses']) for case in cases)} texts")


if __name__ == "__main__":
    main()

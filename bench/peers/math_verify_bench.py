"""Math-Verify on labelled pairs: JSON lines of {gold, prediction} in, one JSON line of {equal, ms} per pair out.

Peer of math.bench.ts. Each pair is timed by itself, both parses and the verdict; Math-Verify's own timeouts stay on.
"""

import json
import sys
import time

from math_verify import parse, verify


def main() -> None:
    verify(parse("$1$"), parse("$1$"))  # the first use imports and compiles
    for line in sys.stdin:
        pair = json.loads(line)
        start = time.perf_counter()
        gold = pair["gold"] if "$" in pair["gold"] or "\\boxed" in pair["gold"] else f"${pair['gold']}$"
        answer = pair["prediction"]
        parsed = parse(answer)
        if not parsed or ("\\" in answer and "$" not in answer and "\\boxed" not in answer):
            # A bare formula needs delimiters to be found.
            parsed = parse(f"${answer}$")
        equal = verify(parse(gold), parsed)
        seconds = time.perf_counter() - start
        print(json.dumps({"equal": bool(equal), "ms": seconds * 1000}), flush=True)


main()

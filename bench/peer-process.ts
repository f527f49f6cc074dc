/**
 * The Python peers as child processes that answer one JSON line per request, so that a bench can alternate between
 * the engine and a peer without paying for imports every time. Absent peers are no error: the bench says so.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Per request; the slowest one, TRL's steps on the medium model, takes about half a minute. */
const ANSWER_TIMEOUT_MS = 600_000;

/** Repeats of one workload as every side reports them. */
export interface Measurement {
  /** Tokens of each repeat. */
  tokens: number[];
  /** Wall seconds of each repeat. */
  seconds: number[];
  /** Processor seconds of each repeat, all threads. */
  cpuSeconds: number[];
}

export type PeerName = "torch" | "trl";

export interface Peer {
  readonly name: PeerName;
  /** @throws {Error} when the peer reports an error, ends or takes longer than ten minutes */
  ask(request: Record<string, unknown>): Promise<Measurement>;
  close(): void;
}

const SCRIPT: Record<PeerName, string> = { torch: "torch_bench.py", trl: "trl_bench.py" };
const IMPORTS: Record<PeerName, string> = { torch: "torch, transformers", trl: "trl.trainer.grpo_trainer" };

/** The Python to use for a peer, or the reason why there is none. */
export function findPeerPython(peer: PeerName): { python: string } | { missing: string } {
  const python = process.env.POLARIS_PEER_PYTHON ?? "python3";
  const found = spawnSync(python, ["-c", `import ${IMPORTS[peer]}`], { encoding: "utf8", timeout: 120_000 });
  if (found.status === 0) return { python };
  const reason = found.error?.message ?? found.stderr.trim().split("\n").at(-1) ?? "unknown";
  return { missing: `${python} cannot import ${IMPORTS[peer]} (${reason}); see test/peers/README.md` };
}

/** Starts a peer. */
export function openPeer(peer: PeerName, python: string): Peer {
  const child: ChildProcess = spawn(
    python,
    [fileURLToPath(new URL(`peers/${SCRIPT[peer]}`, import.meta.url)), "--serve"],
    {
      stdio: ["pipe", "pipe", "ignore"],
      // A peer must neither reach for the network nor keep its threads spinning while the engine is measured.
      env: {
        ...process.env,
        HF_HUB_OFFLINE: "1",
        TOKENIZERS_PARALLELISM: "false",
        OMP_WAIT_POLICY: "PASSIVE",
      },
    },
  );
  const waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => {
    // Anything else on standard output is a library talking.
    if (line.startsWith("{")) waiting.shift()?.resolve(line);
  });
  const fail = (error: Error): void => {
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  child.on("error", fail);
  child.on("exit", (code) => fail(new Error(`${SCRIPT[peer]} ended with code ${code}`)));
  return {
    name: peer,
    async ask(request) {
      let timer: NodeJS.Timeout | undefined;
      const line = await new Promise<string>((resolve, reject) => {
        waiting.push({ resolve, reject });
        timer = setTimeout(() => fail(new Error(`${SCRIPT[peer]}: no answer`)), ANSWER_TIMEOUT_MS);
        child.stdin!.write(`${JSON.stringify(request)}\n`);
      }).finally(() => clearTimeout(timer));
      const answer = JSON.parse(line) as Record<string, unknown>;
      if (typeof answer["error"] === "string") throw new Error(`${SCRIPT[peer]}: ${answer["error"]}`);
      return {
        tokens: answer["tokens"] as number[],
        seconds: answer["seconds"] as number[],
        cpuSeconds: answer["cpu_seconds"] as number[],
      };
    },
    close: () => child.kill(),
  };
}

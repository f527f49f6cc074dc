/** From the `engine:` section to a sampler on a served model: key, servers, dialect, name, tokenizer. */
import { type OpenaiEngineConfig, templateVariables } from "../../config/engine.ts";
import { ConfigError, EngineError } from "../../errors.ts";
import { loadTokenizer } from "../../text/load-tokenizer.ts";
import type { Sampler } from "../seams.ts";
import { chooseModel, identifyServer } from "./detect.ts";
import type { Dialect, DialectName } from "./dialect.ts";
import { genericDialect } from "./dialects/generic.ts";
import { llamaCppDialect } from "./dialects/llama-cpp.ts";
import { sglangDialect } from "./dialects/sglang.ts";
import { vllmDialect } from "./dialects/vllm.ts";
import { openConnections } from "./http.ts";
import type { RequestSettings } from "./request.ts";
import { createOpenaiSampler } from "./sampler.ts";
import { createServers } from "./servers.ts";

const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  vllm: vllmDialect,
  sglang: sglangDialect,
  llama_cpp: llamaCppDialect,
  generic: genericDialect,
};

export interface OpenServedOptions {
  /** Default: the process's own. */
  environment?: NodeJS.ProcessEnv;
  /** Waits between attempts; replaced in tests. */
  sleep?: RequestSettings["sleep"];
  signal?: AbortSignal;
}

/** Whole time of requests that draw nothing, in milliseconds, where the engine's is by length. */
const PLAIN_TOTAL_MS = 600_000;
/** Requests per slot of a llama.cpp server: one is answered, one waits at hand, more only wait. */
const REQUESTS_PER_SLOT = 2;

/** A sampler that says what its server calls the model. */
export interface ServedSampler extends Sampler {
  readonly model: string;
}

/** The key behind a variable's name. @throws {ConfigError} when the variable is not set */
function readKey(name: string | undefined, environment: NodeJS.ProcessEnv): string | undefined {
  if (name === undefined) return undefined;
  const key = environment[name];
  if (!key) throw new ConfigError(`engine.api_key_env: the environment variable ${name} is not set`);
  // A header cannot carry it, and the error of a header would show it.
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new ConfigError(`engine.api_key_env: ${name} holds characters that no API key has`);
  return key;
}

/**
 * Opens a served model.
 *
 * @param name what follows `served:` in a recipe; `default` = `engine.model`, or the only one the server lists
 * @throws {ConfigError} when the key's variable is not set
 * @throws {EngineError} when a server does not answer, is of another kind than the first, or lacks the model
 * @throws {CheckpointError} when the tokenizer folder is defective
 */
export async function openServedModel(
  name: string,
  engine: OpenaiEngineConfig,
  options: OpenServedOptions = {},
): Promise<ServedSampler> {
  const { environment = process.env, sleep, signal } = options;
  const { totalMs } = engine.timeouts;
  const servers = createServers([engine.baseUrl].flat());
  const connections = openConnections(engine.concurrency);
  const settings: RequestSettings = {
    servers,
    connections,
    secret: readKey(engine.apiKeyEnv, environment),
    timeouts: { ...engine.timeouts, totalMs: totalMs === "auto" ? PLAIN_TOTAL_MS : totalMs },
    retries: engine.retries,
    retryBaseMs: engine.retryBaseMs,
    sleep,
  };
  try {
    const tokenizer =
      engine.tokenizer !== undefined && engine.endpoint === "completions"
        ? loadTokenizer(engine.tokenizer)
        : undefined;
    const found: { dialect: DialectName; version: string; model: string }[] = [];
    let slots: number | undefined = 0;
    for (const { base } of servers.all) {
      const identity = await identifyServer({ base, dialect: engine.dialect, settings, signal });
      const model = chooseModel({ base, wanted: name, configured: engine.model, identity });
      found.push({ dialect: identity.dialect, version: identity.version, model });
      slots = slots === undefined || identity.slots === undefined ? undefined : slots + identity.slots;
      const [first, last] = [found[0]!, found.at(-1)!];
      if (first.dialect !== last.dialect || first.model !== last.model)
        throw new EngineError(
          `${base}: expected ${first.dialect} with ${first.model} like ${servers.all[0]!.base}, got ${last.dialect} with ${last.model}`,
          { hint: "list replicas of one model only" },
        );
    }
    const { dialect, version, model } = found[0]!;
    const { endpoint, deterministic, logprobs, stream, stop, concurrency } = engine;
    const facts = { dialect, version, endpoint, deterministic, logprobs, stream };
    const unstreamable = stream ? DIALECTS[dialect].unstreamable?.(facts) : null;
    if (unstreamable != null)
      throw new ConfigError(`engine.stream: ${unstreamable}`, {
        hint: "set engine.stream: false, or endpoint: chat",
      });
    const sampler = createOpenaiSampler({
      settings,
      dialect: DIALECTS[dialect],
      facts,
      model,
      stop,
      templateVariables: templateVariables(engine),
      totalMs,
      concurrency: slots === undefined ? concurrency : Math.min(concurrency, REQUESTS_PER_SLOT * slots),
      ...(tokenizer === undefined ? {} : { tokenizer }),
      close: () => connections.close(),
    });
    return { ...sampler, model };
  } catch (error) {
    connections.close();
    throw error;
  }
}

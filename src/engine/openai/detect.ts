/**
 * Asks a server what it is and what it serves, before anything is drawn: `/get_model_info` is SGLang's, `/props`
 * llama.cpp's, `/version` vLLM's, and `/v1/models` lists the names and whose they are.
 */
import { z } from "zod";
import { EngineError } from "../../errors.ts";
import type { DialectName } from "./dialect.ts";
import { CERTIFICATE_HINT, isCertificateFailure, RequestFailure } from "./failure.ts";
import { type RequestSettings, requestJson } from "./request.ts";
import { createServers } from "./servers.ts";

/** A server that cannot say what it is within this time is not ready. */
const PROBE_MS = 10_000;
/** llama.cpp's properties hold the chat template. */
const PROBE_BYTES = 4 * 2 ** 20;
/** Names shown in an error. */
const MAX_NAMES = 8;

export interface ServerIdentity {
  dialect: DialectName;
  version: string;
  /** What it lists; empty when it lists nothing. */
  models: string[];
  /** Responses a llama.cpp server draws at a time; others batch as many as their memory holds. */
  slots?: number;
}

const modelsSchema = z.object({
  data: z.array(z.object({ id: z.string().max(512), owned_by: z.string().nullish() })).max(10_000),
});

/** What servers write as the owner of a model, for versions that have moved their other addresses. */
const OWNERS: Readonly<Record<string, DialectName>> = {
  sglang: "sglang",
  llamacpp: "llama_cpp",
  vllm: "vllm",
};

/** A GET whose refusal is an answer too: null. */
async function probe(path: string, settings: RequestSettings, signal?: AbortSignal): Promise<unknown> {
  try {
    return await requestJson(
      { path, maxBytes: PROBE_BYTES, totalMs: PROBE_MS, parse: (answer) => answer, signal },
      settings,
    );
  } catch (error) {
    // A path the server does not know; also a server that answers unknown paths with a page instead of JSON.
    if (
      error instanceof RequestFailure &&
      error.kind === "fatal" &&
      ![undefined, 401, 403].includes(error.status)
    )
      return null;
    throw error;
  }
}

const field = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;

/** Whose server it is; null when it is none of the known ones. */
async function detectDialect(
  settings: RequestSettings,
  signal?: AbortSignal,
): Promise<Omit<ServerIdentity, "models"> | null> {
  if (typeof field(await probe("/get_model_info", settings, signal), "model_path") === "string")
    return { dialect: "sglang", version: "" };
  const props = await probe("/props", settings, signal);
  if (field(props, "default_generation_settings") !== undefined) {
    const slots = field(props, "total_slots");
    return {
      dialect: "llama_cpp",
      version: String(field(props, "build_info") ?? "").slice(0, 64),
      ...(Number.isInteger(slots) && Number(slots) > 0 ? { slots: Number(slots) } : {}),
    };
  }
  const version = field(await probe("/version", settings, signal), "version");
  if (typeof version === "string") return { dialect: "vllm", version: version.slice(0, 64) };
  return null;
}

export interface IdentifyOptions {
  base: string;
  /** `auto` asks the server. */
  dialect: DialectName | "auto";
  settings: RequestSettings;
  signal?: AbortSignal;
}

/**
 * What one server is.
 * @throws {EngineError} when it does not answer, refuses the key, or is of no known kind
 */
export async function identifyServer(options: IdentifyOptions): Promise<ServerIdentity> {
  const { base, dialect, signal } = options;
  // Each server is asked itself, whatever the others are.
  const settings = { ...options.settings, servers: createServers([base]) };
  try {
    const listed = modelsSchema.safeParse(await probe("/v1/models", settings, signal));
    const models = listed.success ? listed.data.data.map(({ id }) => id) : [];
    if (dialect !== "auto" && dialect !== "vllm") return { dialect, version: "", models };
    const owner = listed.success ? OWNERS[listed.data.data[0]?.owned_by ?? ""] : undefined;
    // SGLang is moving `/get_model_info`; the other two are asked for their version and slots.
    const detected =
      (owner === "sglang" ? null : await detectDialect(settings, signal)) ??
      (owner === undefined ? null : { dialect: owner, version: "" });
    if (dialect === "vllm")
      return { dialect, version: detected?.dialect === "vllm" ? detected.version : "", models };
    if (detected === null)
      throw new EngineError(`${base}: expected a vLLM, SGLang or llama.cpp server, got another one`, {
        hint: "check base_url, or set engine.dialect: generic for other OpenAI-compatible servers",
      });
    return { ...detected, models };
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
    const unauthorised = error.status === 401 || error.status === 403;
    throw new EngineError(error.message, {
      cause: error,
      hint: unauthorised
        ? "name the environment variable that holds the key with engine.api_key_env"
        : isCertificateFailure(error)
          ? CERTIFICATE_HINT
          : "start the server, or check engine.base_url",
      retryable: !unauthorised,
      details: { base },
    });
  }
}

/**
 * The name to send for the model a recipe asks for.
 *
 * @param wanted `default`, or a name
 * @param configured `engine.model`
 * @throws {EngineError} when there is no such model, or several and none is named
 */
export function chooseModel(options: {
  base: string;
  wanted: string;
  configured: string | undefined;
  identity: ServerIdentity;
}): string {
  const { base, wanted, configured, identity } = options;
  const { models, dialect } = identity;
  const name = wanted === "default" ? configured : wanted;
  const shown = models.slice(0, MAX_NAMES).join(", ") + (models.length > MAX_NAMES ? ", ..." : "");
  if (name === undefined) {
    if (models.length === 1) return models[0] as string;
    throw new EngineError(
      `${base}: expected one served model, got ${models.length === 0 ? "no list of models" : shown}`,
      { hint: "name one with engine.model, or as served:<name>" },
    );
  }
  // llama.cpp holds one model and takes any name for it.
  if (models.length > 0 && dialect !== "llama_cpp" && !models.includes(name))
    throw new EngineError(`${base}: no model is served as "${name}" (there are ${shown})`, {
      hint: "correct engine.model or served:<name>, or start the server with that model",
    });
  return name;
}

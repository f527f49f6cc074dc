/**
 * Where the Hub is, where its files are kept on this computer, and who asks, from the variables every Hub tool reads:
 * HF_ENDPOINT, HF_HUB_CACHE, HF_HOME, HF_HUB_OFFLINE, HF_DATASETS_OFFLINE, HF_TOKEN, HF_HUB_DOWNLOAD_TIMEOUT, and the
 * token file that logging in writes. HF_DATASETS_CACHE holds tables another library converted; it is not read here.
 * Source: huggingface_hub, reference of environment variables.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../../errors.ts";

/** A token has 37 characters; a larger file is none. */
const MAX_TOKEN_CHARACTERS = 1000;

export interface HubEnvironment {
  /** Address without a slash at its end. */
  endpoint: string;
  /** Folder of the shared cache. */
  cacheFolder: string;
  /** Nothing is asked of the network. */
  offline: boolean;
  token: string | null;
  /** A server that sends nothing for so long is given up. */
  timeoutMs: number;
}

/** Seconds of silence, as huggingface_hub has them. */
const DEFAULT_TIMEOUT_SECONDS = 10;
/** An hour: a longer wait is a mistake in the unit. */
const MAX_TIMEOUT_SECONDS = 3600;

const isTrue = (value: string | undefined): boolean =>
  ["1", "true", "yes", "on"].includes((value ?? "").trim().toLowerCase());

/** The token file's content; null when there is none. */
function readTokenFile(path: string): string | null {
  try {
    const text = readFileSync(path, "utf8").trim();
    return text === "" || text.length > MAX_TOKEN_CHARACTERS ? null : text;
  } catch {
    return null;
  }
}

/** A folder as a shell would read it: variables set elsewhere keep their `~`. */
function expandHome(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}

function timeoutOf(text: string | undefined): number {
  const seconds = text === undefined ? DEFAULT_TIMEOUT_SECONDS : Number(text);
  if (!(seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS))
    throw new ConfigError(
      `HF_HUB_DOWNLOAD_TIMEOUT: expected seconds, above 0 and at most ${MAX_TIMEOUT_SECONDS}, got ${text?.slice(0, 40)}`,
    );
  return seconds * 1000;
}

/**
 * Reads the environment.
 * @throws {ConfigError} when HF_ENDPOINT is no web address, the token no access token of the Hub, or the timeout no time
 */
export function readHubEnvironment(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): HubEnvironment {
  const set = (name: string): string | undefined => {
    const value = variables[name]?.trim();
    return value === "" ? undefined : value;
  };
  const endpoint = (set("HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, "");
  if (!/^https?:\/\/[^\s/]+/.test(endpoint) || !URL.canParse(endpoint))
    throw new ConfigError(
      `HF_ENDPOINT: expected an address that begins with http:// or https://, got ${endpoint}`,
    );
  // Addresses are shown in errors, and fetch takes none with a password.
  const { username, password } = new URL(endpoint);
  if (username !== "" || password !== "")
    throw new ConfigError("HF_ENDPOINT: expected an address without user name and password", {
      hint: "give the access token in HF_TOKEN",
    });
  const home = expandHome(
    set("HF_HOME") ?? join(expandHome(set("XDG_CACHE_HOME") ?? join(homedir(), ".cache")), "huggingface"),
  );
  const tokenFile = expandHome(set("HF_TOKEN_PATH") ?? join(home, "token"));
  const token = set("HF_TOKEN") ?? readTokenFile(tokenFile);
  // The text of a wrong token is never shown.
  if (token !== null && !/^hf_[\w.-]+$/.test(token))
    throw new ConfigError(
      `${set("HF_TOKEN") === undefined ? tokenFile : "HF_TOKEN"}: expected an access token that begins with hf_`,
      { hint: "tokens are made in the settings of your Hugging Face account" },
    );
  return {
    endpoint,
    cacheFolder: expandHome(set("HF_HUB_CACHE") ?? set("HUGGINGFACE_HUB_CACHE") ?? join(home, "hub")),
    offline: isTrue(set("HF_HUB_OFFLINE")) || isTrue(set("HF_DATASETS_OFFLINE")),
    token,
    timeoutMs: timeoutOf(set("HF_HUB_DOWNLOAD_TIMEOUT")),
  };
}

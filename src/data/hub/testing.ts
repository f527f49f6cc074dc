/** A small Hub on this computer for the tests of this folder: the routes data sets need, over HTTP. Not part of the package. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { HubEnvironment } from "./environment.ts";

export interface LocalHub {
  endpoint: string;
  /** Requests so far, method, path and range. */
  requests: string[];
  /** What each of them was authorised by. */
  authorizations: (string | undefined)[];
  /** Answers the next requests with these statuses instead. */
  failWith(...statuses: number[]): void;
  environment(cacheFolder: string, changes?: Partial<HubEnvironment>): HubEnvironment;
}

export interface LocalDataset {
  /** Content by path, for each commit. */
  commits: Record<string, Record<string, string | Uint8Array>>;
  /** Commit of each branch or tag. */
  refs: Record<string, string>;
  /** Only this token may read it. */
  token?: string;
  /** Paths kept by SHA-256, as large files are. */
  large?: string[];
  /** Address of the second page of the list of files, on another host. */
  nextPage?: string;
  /** Content sent instead of what is listed. */
  sent?: Record<string, string>;
  /** Paths that are listed and cannot be had. */
  missing?: string[];
  /** Contents come from this address, as large files come from another host; the Hub answers with a redirection. */
  contentAt?: string;
  /** Bytes after which the next downloads break off; `silent` sends nothing and stays open. */
  breaks?: (number | "silent")[];
  /** Sends whole contents whatever range is asked for, and does not say how long they are. */
  plain?: boolean;
}

const hashes = (bytes: Buffer) => ({
  git: createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex"),
  sha256: createHash("sha256").update(bytes).digest("hex"),
});

/** Starts the server; it ends with the test. */
export async function startHub(datasets: Record<string, LocalDataset>): Promise<LocalHub> {
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  let failures: number[] = [];
  const json = (response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void => {
    response.writeHead(200, { "Content-Type": "application/json", ...headers });
    response.end(JSON.stringify(value));
  };
  const refuse = (response: ServerResponse, status: number): void => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ error: `status ${status}` }));
  };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", endpoint);
    const wanted = request.headers.range === undefined ? "" : ` ${request.headers.range}`;
    requests.push(`${request.method} ${decodeURIComponent(url.pathname)}${wanted}`);
    authorizations.push(request.headers.authorization);
    const failure = failures.shift();
    if (failure !== undefined) return refuse(response, failure);
    const parts = decodeURIComponent(url.pathname).split("/").slice(1);
    const api = parts[0] === "api";
    if (api) parts.shift();
    const [kind, org, short, action, revision = "", ...rest] = parts;
    const dataset = datasets[`${org}/${short}`];
    if (kind !== "datasets" || dataset === undefined) return refuse(response, 404);
    if (dataset.token !== undefined && request.headers.authorization !== `Bearer ${dataset.token}`)
      return refuse(response, 401);
    const commit = dataset.refs[revision] ?? revision;
    const files = dataset.commits[commit];
    if (files === undefined) return refuse(response, 404);
    if (api && action === "revision")
      return json(response, { _id: "1", id: `${org}/${short}`, sha: commit, lastModified: "2025-01-01" });
    if (api && action === "tree") {
      const entries = Object.entries(files).map(([path, content]) => {
        const bytes = Buffer.from(content);
        const { git, sha256 } = hashes(bytes);
        const large = dataset.large?.includes(path) === true;
        const lfs = { oid: sha256, size: bytes.length, pointerSize: 130 };
        return { type: "file", path, size: bytes.length, oid: git, ...(large ? { lfs } : {}) };
      });
      // Two to a page, so that listing follows the pages.
      const page = Number(url.searchParams.get("page") ?? 0);
      const next =
        dataset.nextPage ?? `${endpoint}/api/datasets/${org}/${short}/tree/${commit}?page=${page + 1}`;
      const link: Record<string, string> =
        entries.length > 2 * (page + 1) ? { Link: `<${next}>; rel="next"` } : {};
      return json(response, entries.slice(2 * page, 2 * page + 2), link);
    }
    const path = rest.join("/");
    const content = dataset.sent?.[path] ?? files[path];
    if (action !== "resolve" || content === undefined || dataset.missing?.includes(path))
      return refuse(response, 404);
    if (dataset.contentAt !== undefined) {
      response.writeHead(302, { Location: `${dataset.contentAt}${url.pathname}` });
      return response.end();
    }
    const broken = dataset.breaks?.shift();
    if (broken === "silent") return response.flushHeaders();
    const bytes = Buffer.from(content);
    if (dataset.plain === true) {
      response.write(bytes.subarray(0, broken ?? bytes.length));
      return response.end();
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const start = Number(range?.[1] ?? 0);
    const end = range?.[2] ? Math.min(Number(range[2]), bytes.length - 1) : bytes.length - 1;
    response.writeHead(range ? 206 : 200, {
      ETag: `"${hashes(bytes).git}"`,
      "Content-Length": String(end - start + 1),
      ...(range ? { "Content-Range": `bytes ${start}-${end}/${bytes.length}` } : {}),
    });
    if (broken === undefined) return response.end(bytes.subarray(start, end + 1));
    response.write(bytes.subarray(start, start + broken), () => response.socket?.destroy());
  };
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    endpoint,
    requests,
    authorizations,
    failWith(...statuses) {
      failures = statuses;
    },
    environment: (cacheFolder, changes = {}) => ({
      endpoint,
      cacheFolder,
      offline: false,
      token: null,
      timeoutMs: 10_000,
      ...changes,
    }),
  };
}

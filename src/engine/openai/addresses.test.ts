/** Addresses a server may stand at: with and without `/v1`, behind a path, behind TLS, with a proxy set around. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { openServedModel } from "./open.ts";
import { isGeneration, startDialectServer } from "./testing/dialect-server.ts";
import { testEngine, testRequest } from "./testing/settings.ts";
import { sendJson, startStub } from "./testing/stub-server.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

it.each(["", "/", "/v1", "/v1/"])("the address with %j at its end", async (end) => {
  const stub = await startDialectServer({ dialect: "vllm", respond: () => ({ text: "ok" }) });
  open.push(stub);
  const sampler = await openServedModel("default", testEngine(stub.url + end));
  open.push(sampler);
  await sampler.sample([testRequest("Q")]);
  expect(stub.requests.filter(isGeneration).map(({ path }) => path)).toEqual(["/v1/chat/completions"]);
});

it("a server behind a path of a gateway, whose model has slashes in its name", async () => {
  const stub = await startStub((request, answer) => {
    if (request.path === "/team/a/v1/models")
      sendJson(answer, { data: [{ id: "org/base" }, { id: "org/lora/step-100" }] });
    else if (request.path === "/team/a/v1/chat/completions")
      sendJson(answer, {
        choices: [{ message: { content: `from ${request.body?.["model"]}` }, finish_reason: "stop" }],
      });
    else sendJson(answer, { detail: "Not Found" }, 404);
  });
  open.push(stub);
  const engine = testEngine(`${stub.url}/team/a/v1`, { dialect: "generic" });
  const sampler = await openServedModel("org/lora/step-100", engine);
  open.push(sampler);
  expect(sampler.model).toBe("org/lora/step-100");
  expect((await sampler.sample([testRequest("Q")]))[0]?.[0]?.text).toBe("from org/lora/step-100");
});

it("TLS: a certificate nobody vouches for is refused at once; one of an authority that is named is taken", async ({
  skip,
}) => {
  const folder = mkdtempSync(join(tmpdir(), "polaris-tls-"));
  try {
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    const words =
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext";
    const files = ["subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate];
    if (spawnSync("openssl", [...words.split(" "), ...files]).status !== 0)
      skip("openssl makes no certificate here");
    const server = createTlsServer(
      { key: readFileSync(key), cert: readFileSync(certificate) },
      (request, answer) => {
        request.resume();
        const choices = [{ message: { content: "\\boxed{2}" }, finish_reason: "stop" }];
        answer.end(JSON.stringify(request.method === "GET" ? { data: [{ id: "m" }] } : { choices }));
      },
    );
    await new Promise<void>((resolve) => server.listen(0, resolve));
    open.push({ close: () => new Promise((resolve) => server.close(() => resolve())) });
    const url = `https://localhost:${(server.address() as AddressInfo).port}/v1`;
    await expect(openServedModel("m", testEngine(url, { dialect: "generic" }))).rejects.toMatchObject({
      message: expect.stringMatching(
        /^GET https:\/\/localhost:\d+\/v1\/models: TLS certificate refused: self-signed/,
      ),
      hint: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
    });
    // Node reads the variable when it starts.
    writeFileSync(join(folder, "problems.jsonl"), '{"id": "p", "prompt": "1+1?", "answer": "2"}\n');
    const child = spawn(
      process.execPath,
      [
        ...["--import", "tsx", "src/cli/main.ts", "sample", join(folder, "problems.jsonl"), "--url", url],
        ...["--dialect", "generic", "--samples", "1", "--out", join(folder, "out.jsonl")],
      ],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate } },
    );
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (text += piece));
    await new Promise((resolve) => child.on("close", resolve));
    expect(text).toContain("correct 1 (100.0%)");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

it("proxies of the environment are not used: the address is asked itself", async () => {
  const stub = await startDialectServer({ dialect: "vllm", respond: () => ({ text: "ok" }) });
  open.push(stub);
  process.env["HTTP_PROXY"] = "http://127.0.0.1:9";
  try {
    const sampler = await openServedModel("default", testEngine(stub.url));
    open.push(sampler);
    expect((await sampler.sample([testRequest("Q")]))[0]?.[0]?.text).toBe("ok");
  } finally {
    delete process.env["HTTP_PROXY"];
  }
});

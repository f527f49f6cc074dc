import { chromium } from "playwright-core";

const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const p = await b.newPage({ viewport: { width: 1100, height: 900 }, deviceScaleFactor: 1.5 });
await p.goto("file:///tmp/h/qsrun/report/index.html");
const figs = p.locator("figure");
const n = await figs.count();
for (let i = 0; i < n; i++)
  console.log(i, (await figs.nth(i).innerText()).slice(0, 90).replace(/\n/g, " | "));
const which = Number(process.argv[2] ?? -1);
if (which >= 0) await figs.nth(which).screenshot({ path: process.argv[3]! });
await b.close();

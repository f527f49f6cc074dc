import fc from "fast-check";
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { escapeHtml, fragmentId, html, htmlText, trustedHtml, visibleText } from "./html.ts";

describe("html", () => {
  it("escapes values and keeps nested templates", () => {
    const inner = html`<b>${"a<b"}</b>`;
    expect(htmlText(html`<p title="${'"x"'}">${inner}${["&", html`<i></i>`]}${null}${false}${3}</p>`)).toBe(
      '<p title="&quot;x&quot;"><b>a&lt;b</b>&amp;<i></i>3</p>',
    );
  });

  it("does not take a parsed object for markup", () => {
    const forged = JSON.parse('{"safeHtml":"<script>","SAFE":"<script>"}');
    expect(htmlText(html`${forged}`)).toBe("");
  });

  it("keeps markup of the serialiser", () => {
    expect(htmlText(html`${trustedHtml("<svg/>")}`)).toBe("<svg/>");
  });

  it("never lets a value make an element or leave its attribute", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        const { document } = parseHTML(
          `<html><body>${htmlText(html`<p title="${text}">${text}</p>`)}</body></html>`,
        );
        const elements = document.querySelectorAll("body *");
        expect(elements.length).toBe(1);
        expect(elements[0]?.attributes.length).toBe(1);
        expect(elements[0]?.textContent).toBe(visibleText(text));
      }),
    );
  });
});

describe("visibleText", () => {
  it("shows what would be invisible or would turn the reading direction", () => {
    expect(visibleText("a\u202eb")).toBe("a\u27e8U+202E\u27e9b");
    expect(visibleText("\u0000\u001b\u007f")).toBe("\u2400\u241b\u2421");
    expect(visibleText("\ud800")).toBe("\ufffd");
    expect(visibleText("line\r\nnext\tcell")).toBe("line\nnext\tcell");
  });

  it("leaves ordinary text of any script alone", () => {
    for (const text of ["x² ≤ 3", "数学", "🙂", "naïve"]) expect(escapeHtml(text)).toBe(text);
  });
});

describe("fragmentId", () => {
  it("is always a plain identifier", () => {
    fc.assert(fc.property(fc.string(), (name) => /^[a-z0-9][a-z0-9-]*$/.test(fragmentId(name))));
    expect(fragmentId('"><script>')).toBe("script");
  });
});

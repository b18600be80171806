// What every browser test needs: Chromium, pages, the mails, and axe. Run by `./check browser`, which says in READY_FILE
// where the local system is.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after } from "node:test";

const installed = createRequire(`${process.cwd()}/.tools/browser/`);
const { chromium } = installed("playwright-core");
const axe = readFileSync(installed.resolve("axe-core/axe.min.js"), "utf8");

export const ready = JSON.parse(readFileSync(process.env.READY_FILE, "utf8"));
const pictures = "target/screenshots";
mkdirSync(pictures, { recursive: true });

// Nothing of Chromium's own goes over a network.
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
after(() => browser.close());

export const phone = { width: 390, height: 760 };

/** A browser of its own: nothing is shared with another test's. It fails with a script that does. */
export async function visitor(t, options = {}) {
  const context = await browser.newContext({ viewport: phone, ...options });
  context.setDefaultTimeout(30_000);
  const errors = [];
  context.on("weberror", (error) => errors.push(error.error().message));
  context.on("request", (request) => {
    const local = [ready.api, ready.mail, ready.partner, "data:", "about:", "blob:"];
    if (!local.some((start) => request.url().startsWith(start))) errors.push(`asked for ${request.url()}`);
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });
  return context;
}

let addresses = 0;
/** An address that nobody has yet. */
export const newAddress = (name) => `${name}+${process.pid}-${addresses++}@example.com`;

export async function mailsTo(address) {
  return (await fetch(`${ready.mail}/messages?to=${encodeURIComponent(address)}`)).json();
}

/** The code of the newest mail, as it is shown. */
export async function codeFor(address) {
  const [mail] = await mailsTo(address);
  return mail.text.match(/\b\d{4} \d{4}\b/)[0];
}

/** A code that is not this one, another for each n from 1 to 9. */
export const wrong = (code, n) => (Number(code[0]) + n) % 10 + code.slice(1);

/** Calls the API as the demo App. */
export function asApp(path, options = {}) {
  const headers = { "x-access-superkey": ready.app.superkey, "x-access-supertoken": ready.app.supertoken };
  return fetch(ready.api + path, { headers, ...options });
}

/** Keeps a picture, light and dark, and lets axe find nothing in either, `without` the rules named. */
export async function look(page, name, { fullPage = true, without = [] } = {}) {
  const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
  for (const colorScheme of ["light", "dark"]) {
    // A colour that is on its way from light to dark is neither.
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.screenshot({ path: `${pictures}/${name}-${colorScheme}.png`, fullPage });
    await page.evaluate(axe);
    const { violations } = await page.evaluate((rules) => axe.run({ rules }), rules);
    const found = violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => node.html).slice(0, 9) }));
    assert.deepEqual(found, [], `${name}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

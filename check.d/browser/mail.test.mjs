// The mail itself, as a customer's mail program shows it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { look, mailsTo, newAddress, ready, visitor } from "./harness.mjs";

const { caniemail } = await import(`${process.cwd()}/.tools/browser/node_modules/caniemail/dist/index.js`);

/** Has the operator make an App with this brand, and returns the mail that a new customer of it gets. */
async function mailOf(brand) {
  const command = { command: "create_app", name: "Mail App", grants: ["passcode"], brand };
  const invoked = await fetch(`${ready.api}/2015-03-31/functions/operator/invocations`, { method: "POST", body: JSON.stringify(command) });
  const app = await invoked.json();
  assert.ok(app.superkey, JSON.stringify(app));
  const headers = { "x-access-superkey": app.superkey, "x-access-supertoken": app.supertoken };
  const email = newAddress("mail");
  const created = await fetch(`${ready.api}/customer`, { method: "POST", headers, body: JSON.stringify({ company: "Mail Ltd", email }) });
  assert.equal(created.status, 201);
  assert.equal((await fetch(`${ready.api}/customer/${encodeURIComponent(email)}/passcode`, { headers })).status, 200);
  const [mail] = await mailsTo(email);
  return mail;
}

const acme = { name: "Acme", site: "app.acme.example", support_email: "help@acme.example" };
const widths = { phone: { width: 390, height: 760 }, desk: { width: 800, height: 700 } };

/** Keeps pictures of a mail at both widths, and finds it no wider than either. */
async function see(t, name, html) {
  for (const [width, viewport] of Object.entries(widths)) {
    const page = await (await visitor(t, { viewport })).newPage();
    await page.setContent(html);
    // A mail is no page: the reader around it has the landmarks.
    await look(page, `mail-${name}-${width}`, { without: ["landmark-one-main", "region"] });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, name);
  }
}

const languages = { en: "Your passcode", fr: "Votre code", es: "Su código", de: "Ihr Anmeldecode", pt: "O seu código", it: "Codice" };
for (const [language, subject] of Object.entries(languages)) {
  test(`the mail reads well in ${language}, light and dark`, async (t) => {
    const mail = await mailOf({ ...acme, language });
    assert.ok(mail.subject.startsWith(subject), mail.subject);
    const digits = mail.text.match(/\b(\d{4}) (\d{4})\b/).slice(1).join("");
    assert.ok(mail.text.endsWith(`\n@app.acme.example #${digits}`), mail.text);
    await see(t, language, mail.html);
  });
}

const names = {
  long: `${"Donaudampfschifffahrtsgesellschaft ".repeat(5)}mbH`,
  unbroken: "W".repeat(200),
  "right-to-left": "שירותי אקמי (ישראל) 24",
};
for (const [kind, name] of Object.entries(names)) {
  test(`a ${kind} name has its place, with a logo that is blocked and without one`, async (t) => {
    const logo_url = "https://acme.example/logo.png";
    await see(t, `name-${kind}`, (await mailOf({ ...acme, name })).html);
    const { html } = await mailOf({ ...acme, name, logo_url });
    assert.ok(html.includes(logo_url));
    // No image can be read from this, as from one that is blocked.
    const blocked = html.replace(logo_url, "data:image/png;base64,AA==");
    await see(t, `blocked-${kind}`, blocked);
    const page = await (await visitor(t)).newPage();
    await page.setContent(blocked);
    const [height, line] = await page.locator("img").evaluate((image) => [image.offsetHeight, parseFloat(getComputedStyle(image).lineHeight)]);
    assert.equal(height % line, 0, "no line of the name is cut");
  });
}

// What some mail programs leave out, and what is seen then. Whatever else they leave out is a fault.
const spared = {
  "<body> element": "the ground's colour stands on a table too",
  "@media": "the mail is light, and has its margins on a phone",
  "border-radius": "corners are square",
  "color-scheme CSS property": "the program turns the colours for the dark by itself",
  "color-scheme meta tag": "as above",
  "height property": "the logo has its height as an attribute",
  "max-height property": "as above",
  "overflow": "square corners; a blocked logo's name has more lines",
  "overflow-wrap": "word-break does it",
  "system-ui, ui-serif, ui-sans-serif, ui-rounded, ui-monospace": "other fonts are named after it",
  "user-select": "the code is marked by hand",
  "white-space": "the code fits on a line",
  "word-break": "overflow-wrap does it, or a long name widens the mail",
};

test("mail programs know all that the mail needs", async () => {
  const { html } = await mailOf({ ...acme, logo_url: "https://acme.example/logo.png" });
  const clients = ["gmail.android", "gmail.desktop-webmail", "gmail.ios", "apple-mail.ios", "apple-mail.macos", "outlook.windows",
    "outlook.outlook-com", "outlook.ios", "outlook.macos", "yahoo.desktop-webmail", "samsung-email.android"];
  const { issues } = caniemail({ clients, html });
  const missing = [...issues.errors].flatMap(([client, errors]) => errors.map(({ title }) => ({ client, title })));
  assert.deepEqual(missing.filter(({ title }) => !(title in spared)), []);
  const unused = Object.keys(spared).filter((title) => !missing.some((error) => error.title === title));
  assert.deepEqual(unused, [], "what is spared is missing somewhere");
});

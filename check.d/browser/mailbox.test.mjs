// The mailbox page of the local system.
import assert from "node:assert/strict";
import { test } from "node:test";
import { asApp, codeFor, look, newAddress, ready, visitor } from "./harness.mjs";

/** Has a new customer mailed a code, and returns their address. */
async function mail(name, email = newAddress(name)) {
  const created = await asApp("/customer", { method: "POST", body: JSON.stringify({ company: "Mail Ltd", email }) });
  assert.equal(created.status, 201);
  assert.equal((await asApp(`/customer/${encodeURIComponent(email)}/passcode`)).status, 200);
  return email;
}

test("mails appear as they come, and are read, copied and deleted", async (t) => {
  const context = await visitor(t, { viewport: { width: 1200, height: 800 }, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  await fetch(`${ready.mail}/messages`, { method: "DELETE" });
  await page.goto(ready.mail);
  await page.getByText("No mail yet.").waitFor();
  await look(page, "mailbox-empty");

  const email = await mail("live", "grace@example.com");
  const row = page.getByRole("option").filter({ hasText: email });
  await row.click();
  await page.frameLocator("iframe").getByText(await codeFor(email)).waitFor();
  await look(page, "mailbox");
  await page.getByRole("button", { name: "Copy passcode" }).click();
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await codeFor(email));
  await page.getByRole("tab", { name: "Text" }).click();
  await page.locator("#view pre").getByText(await codeFor(email)).waitFor();
  await look(page, "mailbox-text");
  await page.getByRole("tab", { name: "Source" }).click();
  await page.locator("#view pre").getByText("<html").waitFor();

  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await row.waitFor({ state: "detached" });
  await mail("all");
  await page.getByRole("option").waitFor();
  await page.getByRole("button", { name: "Delete all" }).click();
  await page.getByText("No mail yet.").waitFor();
});

test("the keyboard does everything", async (t) => {
  const context = await visitor(t, { viewport: { width: 1200, height: 800 }, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  const [older, newer] = [await mail("older"), await mail("newer")];
  await page.goto(ready.mail);
  await page.getByRole("option").filter({ hasText: newer }).waitFor();
  await page.getByRole("listbox").focus();
  await page.keyboard.press("ArrowDown");
  assert.match(await page.getByRole("option", { selected: true }).textContent(), new RegExp(newer.replace("+", "\\+")));
  await page.keyboard.press("ArrowDown");
  assert.match(await page.getByRole("option", { selected: true }).textContent(), new RegExp(older.replace("+", "\\+")));
  await page.keyboard.press("c");
  await page.getByRole("button", { name: "Copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await codeFor(older));
  await page.keyboard.press("Delete");
  await page.getByRole("option").filter({ hasText: older }).waitFor({ state: "detached" });
  await page.getByRole("searchbox").focus();
  await page.keyboard.type("nobody@");
  await page.getByText("No mail to this address.").waitFor();
});

test("on a phone the mail takes the list's place", async (t) => {
  const page = await (await visitor(t)).newPage();
  const email = await mail("phone");
  await page.goto(`${ready.mail}/?to=${encodeURIComponent(email)}`);
  await page.getByRole("option").first().waitFor();
  await look(page, "mailbox-phone-list");
  await page.getByRole("option").click();
  await page.frameLocator("iframe").getByText(await codeFor(email)).waitFor();
  await look(page, "mailbox-phone");
  assert.ok(await page.getByRole("listbox").isHidden());
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("option").waitFor();
});

// What a customer sees: the mail itself, by its own colours.
test("the mail reads well on a phone, light and dark", async (t) => {
  const email = await mail("mail");
  const [{ html }] = await (await fetch(`${ready.mail}/messages?to=${encodeURIComponent(email)}`)).json();
  for (const [name, viewport] of [["mail-phone", undefined], ["mail", { width: 800, height: 700 }]]) {
    const page = await (await visitor(t, viewport && { viewport })).newPage();
    await page.setContent(html);
    // A mail is no page: the reader around it has the landmarks.
    await look(page, name, { without: ["landmark-one-main", "region"] });
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wider, 0);
  }
});

// Codes that expire, in a system whose codes are good for seconds: `./check browser` says how many in CODE_SECONDS.
import assert from "node:assert/strict";
import { test } from "node:test";
import { codeFor, look, newAddress, ready, visitor } from "./harness.mjs";

const lifetime = Number(process.env.CODE_SECONDS);

test("an expired code is told from a wrong one, and replaced", async (t) => {
  const page = await (await visitor(t)).newPage();
  const email = newAddress("late");
  await page.goto(ready.partner);
  await page.getByLabel("Company").fill("Late Ltd");
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.getByText(/The code still works for (one second|\d seconds)\./).waitFor();
  const code = await codeFor(email);
  await page.waitForTimeout(lifetime * 1000);
  await page.getByLabel("The code").fill(code);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("This code has expired.").waitFor();
  assert.ok(await page.getByText("The code still works for").isHidden());
  await look(page, "code-expired");
  await page.getByRole("button", { name: "Mail me a new code" }).click();
  await page.getByText("A new code is on its way.").waitFor();
  await page.getByLabel("The code").fill(await codeFor(email));
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Your account" }).waitFor();
});

// Signs a customer in with JavaScript. The environment: API, MAILBOX, SUPERKEY, SUPERTOKEN.
const { API, MAILBOX, SUPERKEY, SUPERTOKEN } = process.env;

/** Calls the API; an error is thrown with the stable `code` of the reply. */
async function call(path, { method = "GET", body, headers }) {
  const reply = await fetch(API + path, { method, headers, body: body && JSON.stringify(body) });
  const answer = await reply.json();
  if (!reply.ok) throw Object.assign(new Error(answer.message), answer);
  return answer;
}

const asApp = { "x-access-superkey": SUPERKEY, "x-access-supertoken": SUPERTOKEN };
const email = `javascript+${process.pid}@example.com`;
const path = `/customer/${encodeURIComponent(email)}`;

try {
  await call("/customer", { method: "POST", headers: asApp, body: { company: "JavaScript Ltd", email } });
} catch (error) {
  // A customer who exists already is as good as a new one. Neither reply shows who typed the address: the passcode does.
  // So the pair of the first is for a server alone, and nobody is signed in by the `cuid` of the second.
  if (error.code !== "customer_exists") throw error;
}
await call(`${path}/passcode`, { headers: asApp });

// A person reads the mail; here the local mailbox is asked for it.
const [mail] = await (await fetch(`${MAILBOX}/messages?to=${encodeURIComponent(email)}`)).json();
const [passcode] = mail.text.match(/\d{4} \d{4}/);

const { cuid, key, token } = await call(`${path}/auth`, { headers: { ...asApp, "x-access-passcode": passcode } });
console.log(await call(`/customer/${cuid}`, { headers: { "x-access-key": key, "x-access-token": token } }));

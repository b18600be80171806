import { ask, copyButton, element, links } from "./page.js";

const handout = await links(document.querySelector("nav"));
const addresses = document.querySelector("#addresses");
const credentials = document.querySelector("#credentials");

if (handout) {
  const places = [
    ["Demo site", handout.partner && `${handout.partner}/`, "a partner's app: sign up, and read the code in the mailbox"],
    ["Mailbox", `${handout.mail}/`, "every mail comes here"],
    ["Inspector", `${handout.api}/inspector/`, "every request and what it did; time and faults at hand"],
    ["Reference", `${handout.api}/docs/`, "every call, to be tried as the demo App"],
    ["API", handout.api, "for programs"],
    ["DynamoDB", handout.dynamodb, "for the AWS CLI: --endpoint-url"],
  ];
  for (const [name, address, what] of places.filter(([, address]) => address)) {
    const place = name === "API" || name === "DynamoDB" ? element("code", {}, address) : element("a", { href: address }, address);
    addresses.append(element("dt", {}, name), element("dd", {}, place, element("span", { class: "soft" }, what)));
  }
  showCredentials(handout);
} else {
  addresses.replaceWith("Addresses and credentials are shown in a browser on the machine itself.");
  credentials.hidden = true;
}

/** The lines that README begins with; tokens are hidden until one asks. */
function showCredentials({ api, mail, app, platform }) {
  const hidden = "••••••••";
  const lines = (token) => [
    `export API=${api} MAILBOX=${mail}`,
    `export SUPERKEY=${app.superkey}`,
    `export SUPERTOKEN=${token(app.supertoken)}`,
    `export PLATFORMKEY=${platform.platformkey}`,
    `export PLATFORMTOKEN=${token(platform.platformtoken)}`,
    `as_app() { curl -sS -w '\\n' -H "x-access-superkey: $SUPERKEY" -H "x-access-supertoken: $SUPERTOKEN" "$@"; }`,
  ].join("\n");
  const text = document.querySelector("#exports");
  const paint = (shown) => { text.textContent = lines((token) => (shown ? token : hidden)); };
  const show = element("button", {
    type: "button", "aria-pressed": "false",
    onclick() {
      const shown = show.getAttribute("aria-pressed") !== "true";
      show.setAttribute("aria-pressed", shown);
      paint(shown);
    },
  }, "Show tokens");
  document.querySelector("#credential-tools").append(copyButton("Copy all lines", () => lines((token) => token)), show);
  paint(false);
}

const functions = document.querySelector("#functions");
async function watch() {
  const states = await ask("functions").catch(() => null);
  document.querySelector("#functions-state").textContent = states ? "" : "The local system does not answer.";
  if (states) {
    functions.replaceChildren(...Object.entries(states).map(([name, state]) => element("tr", {},
      element("th", { scope: "row" }, name),
      element("td", {}, state.processes ? "ready" : "no process yet",
        state.last_failure && element("span", { class: "soft" }, `last failure: ${state.last_failure}`)),
      element("td", { class: "number processes" }, `${state.processes}`),
      ...[state.calls, state.failures].map((number) => element("td", { class: "number" }, `${number}`)))));
  }
  setTimeout(watch, 2000);
}
watch();

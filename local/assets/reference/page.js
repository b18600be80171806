"use strict";
/** The credentials of the demo App and platform, which the local system gives away. */
const credentials = async () => {
  const { app, platform } = await (await fetch("demo.json")).json();
  return {
    "x-access-superkey": app.superkey,
    "x-access-supertoken": app.supertoken,
    "x-access-platformkey": platform.platformkey,
    "x-access-platformtoken": platform.platformtoken,
  };
};
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

credentials().then((shown) => {
  /** Sends a request of the page's by `try/`, which answers a redirect such that a script can read its `Location`. */
  async function send(...request) {
    const asked = new Request(...request);
    if (asked.url.startsWith(new URL(".", location.href))) return fetch(asked);
    const headers = new Headers(asked.headers);
    // The system may have been started anew since the page was loaded.
    for (const [name, value] of Object.entries(await credentials())) {
      if (headers.get(name) === shown[name]) headers.set(name, value);
    }
    const { method, signal } = asked;
    const sent = method === "GET" || method === "HEAD" ? undefined : await asked.blob();
    const { pathname, search } = new URL(asked.url);
    const reply = await fetch(`try${pathname}${search}`, { method, headers, body: sent, signal });
    const status = Number(reply.headers.get("x-status") || reply.status);
    const leadsTo = reply.headers.get("location");
    const body = status === 302 ? `Location: ${leadsTo}\n` : status === 204 ? null : reply.body;
    const answer = new Response(body, { status, headers: reply.headers });
    return Object.defineProperty(answer, "url", { value: asked.url });
  }

  const scheme = (name) => ({ value: shown[name] });
  Scalar.createApiReference("#reference", {
    url: "description.json",
    servers: [{ url: location.origin }],
    customFetch: send,
    authentication: {
      securitySchemes: {
        AppKey: scheme("x-access-superkey"),
        AppToken: scheme("x-access-supertoken"),
        PlatformKey: scheme("x-access-platformkey"),
        PlatformToken: scheme("x-access-platformtoken"),
      },
    },
    defaultOpenAllTags: true,
    // A token of an App stays in no browser, and nothing is asked of any other host.
    persistAuth: false,
    telemetry: false,
    withDefaultFonts: false,
    agent: { disabled: true },
    mcp: { disabled: true },
    hideClientButton: true,
    showDeveloperTools: "never",
  });

  // What the page shows is as old as the page. A request takes the newest all the same.
  addEventListener("focus", async () => {
    if (!document.querySelector("[role=dialog]") && !same(await credentials(), shown)) location.reload();
  });
});

"use strict";
// swagger-ui has a dark look, which it leaves to the page to ask for.
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

// The local system gives away the credentials of its demo App and platform. Where else this page is hosted there are none.
const demo = fetch("demo.json").then((reply) => (reply.ok ? reply.json() : null), () => null);

demo.then((demo) => {
  const ui = SwaggerUIBundle({
    url: "openapi.yaml",
    domNode: document.getElementById("reference"),
    deepLinking: true,
    docExpansion: "list",
    displayRequestDuration: true,
    filter: true,
    // Credentials that were entered once stay in this browser, until *Logout*. Those of a demo end with its system.
    persistAuthorization: !demo,
    tryItOutEnabled: true,
    // No other host is asked for anything.
    validatorUrl: null,
    // Who follows the redirect of the SSO sends the App's credentials on to the platform.
    requestInterceptor: (request) => Object.assign(request, { redirect: "manual" }),
    onComplete: () => {
      if (!demo) return;
      ui.preauthorizeApiKey("AppKey", demo.app.superkey);
      ui.preauthorizeApiKey("AppToken", demo.app.supertoken);
      ui.preauthorizeApiKey("PlatformKey", demo.platform.platformkey);
      ui.preauthorizeApiKey("PlatformToken", demo.platform.platformtoken);
    },
  });
});

// Its dialog of credentials opens at the last of them, and begins better at the first. Its choice of a server has no name.
new MutationObserver((changes) => {
  const added = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node.querySelector);
  for (const node of added) {
    node.querySelector("#servers")?.setAttribute("aria-label", "Server");
    if (node.matches(".dialog-ux")) node.querySelector(".auth-container :is(input, button)")?.focus();
  }
}).observe(document.getElementById("reference"), { childList: true, subtree: true });

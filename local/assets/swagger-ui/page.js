"use strict";
// swagger-ui has a dark look, which it leaves to the page to ask for.
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();

SwaggerUIBundle({
  url: "openapi.yaml",
  domNode: document.getElementById("reference"),
  deepLinking: true,
  docExpansion: "list",
  displayRequestDuration: true,
  filter: true,
  // Credentials that were entered once stay in this browser, until *Logout*.
  persistAuthorization: true,
  tryItOutEnabled: true,
  // No other host is asked for anything.
  validatorUrl: null,
  // Who follows the redirect of the SSO sends the App's credentials on to the platform.
  requestInterceptor: (request) => Object.assign(request, { redirect: "manual" }),
});

// Its dialog of credentials opens at the last of them, and begins better at the first. Its choice of a server has no name.
new MutationObserver((changes) => {
  const added = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node.querySelector);
  for (const node of added) {
    node.querySelector("#servers")?.setAttribute("aria-label", "Server");
    if (node.matches(".dialog-ux")) node.querySelector("input")?.focus();
  }
}).observe(document.getElementById("reference"), { childList: true, subtree: true });

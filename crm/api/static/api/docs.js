"use strict";

window.ui = SwaggerUIBundle({
  dom_id: "#swagger-ui",
  urls: [
    { name: "Team API", url: "/api-docs/team.json" },
    { name: "Platform API", url: "/api-docs/platform.json" },
    { name: "Storefront API", url: "/api-docs/storefront.json" },
  ],
  "urls.primaryName": new URLSearchParams(location.search).get("urls.primaryName") || "Team API",
  layout: "StandaloneLayout",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});

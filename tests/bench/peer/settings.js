// What the environment says.
"use strict";

function needed(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set`);
  }
  return value;
}

module.exports = {
  port: Number(needed("PEER_PORT")),
  processes: Number(process.env.PEER_PROCESSES || 2),
  connections: Number(process.env.PEER_CONNECTIONS || 10), // of each process
  database: needed("PEER_DSN"),
  tlsKeyFile: needed("PEER_TLS_KEY"),
  tlsCertificateFile: needed("PEER_TLS_CERTIFICATE"),
  merchant: needed("PEER_MERCHANT"),
  jwtKeyFile: needed("PEER_JWT_KEY"),
  jwtKid: needed("PEER_JWT_KID"),
  audience: "ngx_payments",
  stripeUrl: new URL(needed("PEER_STRIPE_URL")),
  stripeKeyFile: needed("PEER_STRIPE_KEY"),
  webhookKeyFile: needed("PEER_WEBHOOK_KEY"),
  hostedPageHost: needed("PEER_HOSTED_PAGE_HOST"),
  returnHost: needed("PEER_RETURN_HOST"),
};

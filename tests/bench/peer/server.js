// The gateway's job as a careful team would do it in Node: Express, pg,
// Stripe's own client, jsonwebtoken, two processes, TLS.  PostgreSQL has lean's
// schema (tests/bench/lean).  Packages: build/node (ci/install --node).
// Settings: the environment, see settings.js.
"use strict";

const cluster = require("node:cluster");
const fs = require("node:fs");
const https = require("node:https");
const { app, close } = require("./app.js");
const settings = require("./settings.js");

function serve() {
  const server = https.createServer(
    {
      key: fs.readFileSync(settings.tlsKeyFile),
      cert: fs.readFileSync(settings.tlsCertificateFile),
      minVersion: "TLSv1.2",
    },
    app,
  );
  server.keepAliveTimeout = 30_000;
  server.headersTimeout = 10_000;
  server.requestTimeout = 20_000;
  server.listen(settings.port, "127.0.0.1");
  process.once("SIGTERM", () => {
    server.close(() => close().then(() => process.exit(0)));
    server.closeIdleConnections();
  });
}

function lead() {
  let ending = false;
  for (let n = 0; n < settings.processes; n++) {
    cluster.fork();
  }
  cluster.on("exit", (worker, code) => {
    if (!ending) {
      console.error(`process ${worker.process.pid} ended: ${code}`);
      cluster.fork();
    }
  });
  process.once("SIGTERM", () => {
    ending = true;
    for (const worker of Object.values(cluster.workers)) {
      worker.process.kill("SIGTERM");
    }
  });
}

if (cluster.isPrimary) {
  lead();
} else {
  serve();
}

// The routes: create a payment, read an order, take a webhook.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const express = require("express");
const jwt = require("jsonwebtoken");
const { Refusal, checkout, host } = require("./checkout.js");
const database = require("./database.js");
const settings = require("./settings.js");
const stripe = require("./stripe.js");

const UNIQUE_VIOLATION = "23505";
const jwtKey = crypto.createPublicKey(fs.readFileSync(settings.jwtKeyFile));

const app = express();
app.disable("x-powered-by");
app.set("etag", false);
app.use((request, response, next) => {
  response.set("Cache-Control", "no-store");
  next();
});

function claims(authorization) {
  const [, token] = /^Bearer (\S+)$/.exec(authorization ?? "") ?? [];
  try {
    const { header, payload } = jwt.verify(token, jwtKey, {
      algorithms: ["ES256"],
      audience: settings.audience,
      issuer: settings.merchant,
      complete: true,
    });
    return header.kid === settings.jwtKid ? payload : null;
  } catch {
    return null;
  }
}

const scope = (wanted) => (request, response, next) => {
  const found = claims(request.get("Authorization"));
  if (found === null) {
    throw new Refusal(401, "the token is not valid");
  }
  if (!found.scope?.split(" ").includes(wanted)) {
    throw new Refusal(403, `the token lacks ${wanted}`);
  }
  request.merchant = found.iss;
  next();
};

// Registers it and keeps the session before anybody sees its page.
async function register(payment) {
  const session = await stripe.openSession(payment);
  if (host(session.url) !== settings.hostedPageHost) {
    throw new Refusal(502, "the PSP names a page that is not its own");
  }
  const { outcome } = await database.storeToken(
    payment.merchant,
    payment.orderId,
    session.id,
    session.url,
  );
  if (outcome !== "stored" && outcome !== "already") {
    throw new Error(`token of ${payment.orderId}: ${outcome}`);
  }
  return session.url;
}

// What is under way when the process is to end.
const busy = new Set();
const kept = (handler) => (request, response) => {
  const done = handler(request, response).finally(() => busy.delete(done));
  busy.add(done);
  return done;
};

async function close() {
  await Promise.allSettled(busy);
  await database.close();
}

async function create(request, response) {
  const payment = checkout(request, request.merchant);
  const stored = await database.createPayment(payment);
  if (stored.outcome === "key_reused") {
    throw new Refusal(422, "the Idempotency-Key has another body");
  }
  payment.orderId = stored.payment_order_id;
  let { status, redirect_url: url } = stored;
  let code = 201;
  if (status === "NOT_STARTED") {
    try {
      url = await register(payment);
      status = "EXECUTING";
    } catch (error) {
      if (error instanceof Refusal) {
        throw error;
      }
      console.error(`${payment.orderId}: ${error.message}`);
      code = 202; // it may be there: the same request asks again
    }
  }
  if (stored.outcome === "replayed") {
    response.set("Idempotent-Replayed", "true");
  }
  response
    .status(code)
    .location(`/v1/payments/${payment.orderId}`)
    .json({
      checkout_id: payment.checkoutId,
      status,
      is_payment_done: status === "SUCCESS",
      psp: "stripe",
      redirect_url: url,
      payment_orders: [
        {
          payment_order_id: payment.orderId,
          seller_account: payment.seller,
          amount: payment.amount,
          currency: payment.currency,
          status,
        },
      ],
    });
}

async function webhook(request, response) {
  let event;
  try {
    event = stripe.readEvent(request.body, request.get("Stripe-Signature"));
  } catch {
    throw new Refusal(401, "the signature is not valid");
  }
  if (event === null) {
    response.json({ outcome: "ignored" });
    return;
  }
  event.digest = crypto.createHash("sha256").update(request.body).digest();
  const { outcome } = await database.applyWebhook(event);
  // the PSP sends it again
  response.status(outcome === "unknown" ? 409 : 200).json({ outcome });
}

async function read(request, response) {
  const order = await database.readOrder(request.merchant, request.params.id);
  if (!order) {
    throw new Refusal(404, "there is no such order");
  }
  response.json(order);
}

const json = express.json({
  limit: "64kb",
  verify: (request, response, raw) => {
    request.raw = raw;
  },
});
app.post("/v1/payments", scope("payments:write"), json, kept(create));
app.get("/v1/payments/:id", scope("payments:read"), kept(read));
app.post(
  "/webhooks/stripe",
  express.raw({ type: "application/json", limit: "256kb" }),
  kept(webhook),
);
app.get("/healthz", (request, response) => response.json({ status: "live" }));

// Express knows an error's handler by its four arguments.
// eslint-disable-next-line no-unused-vars
app.use((error, request, response, next) => {
  const taken = error.code === UNIQUE_VIOLATION;
  const status = taken ? 409 : (error.status ?? 500);
  if (status >= 500) {
    console.error(error);
  }
  response
    .status(status)
    .type("application/problem+json")
    .json({
      status,
      title: status >= 500 ? "failed" : taken ? "taken" : error.message,
    });
});

module.exports = { app, close };

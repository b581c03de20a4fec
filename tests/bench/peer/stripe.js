// Stripe, by its own client.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const Stripe = require("stripe");
const settings = require("./settings.js");

const read = (file) => fs.readFileSync(file, "utf8").trim();
const webhookKey = read(settings.webhookKeyFile);
const { protocol, hostname, port } = settings.stripeUrl;
const { Agent } = protocol === "https:" ? https : http;
const stripe = new Stripe(read(settings.stripeKeyFile), {
  protocol: protocol.slice(0, -1),
  host: hostname,
  port,
  httpAgent: new Agent({ keepAlive: true }),
  timeout: 10_000,
  maxNetworkRetries: 2,
  telemetry: false,
});

// The order's id is the key: however often it is asked for, there is one
// session.
const openSession = (payment) =>
  stripe.checkout.sessions.create(
    {
      mode: "payment",
      success_url: payment.returnUrl,
      cancel_url: payment.returnUrl,
      client_reference_id: payment.orderId,
      expires_at: Math.floor(payment.expiresAt / 1000),
      metadata: { payment_reference: payment.orderId },
      line_items: [
        {
          quantity: 1,
          price_data: {
            currency: payment.currency.toLowerCase(),
            unit_amount: payment.amountMinor,
            product_data: { name: payment.orderId },
          },
        },
      ],
    },
    { idempotencyKey: payment.orderId },
  );

const KINDS = {
  "checkout.session.completed": (session) =>
    session.payment_status === "paid" ? "paid" : null,
  "checkout.session.async_payment_succeeded": () => "paid",
  "checkout.session.async_payment_failed": () => "failed",
  "checkout.session.expired": () => "failed",
};

// null: nothing that moves an order.  Throws when the signature is wrong.
function readEvent(body, signature) {
  const event = stripe.webhooks.constructEvent(body, signature, webhookKey);
  const session = event.data.object;
  const kind = KINDS[event.type]?.(session) ?? null;
  return (
    kind && {
      id: event.id,
      kind,
      token: session.id,
      paymentId: session.payment_intent,
      amountMinor: session.amount_total,
      currency: session.currency.toUpperCase(),
    }
  );
}

module.exports = { openSession, readEvent };

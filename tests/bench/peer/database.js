// The steps of lean, each a prepared statement and a transaction of its own.
"use strict";

const { Pool } = require("pg");
const settings = require("./settings.js");

const pool = new Pool({
  connectionString: settings.database,
  max: settings.connections,
  statement_timeout: 10_000,
});
pool.on("error", (error) => console.error("idle connection:", error.message));

const AGAIN = new Set(["40P01", "40001"]); // deadlock, serialization
const TRIES = 3;

async function call(name, text, values) {
  for (let left = TRIES; ; left--) {
    try {
      return (await pool.query({ name, text, values })).rows[0];
    } catch (error) {
      if (left === 1 || !AGAIN.has(error.code)) {
        throw error;
      }
    }
  }
}

const createPayment = (payment) =>
  call(
    "create",
    "SELECT * FROM lean.create_payment($1, $2, $3, $4, $5, $6, $7, $8, $9," +
      " $10, $11, $12)",
    [
      payment.merchant,
      payment.key,
      payment.fingerprint,
      payment.checkoutId,
      payment.orderId,
      payment.seller,
      payment.amountMinor,
      payment.currency,
      "stripe",
      payment.returnUrl,
      payment.buyer,
      payment.expiresAt,
    ],
  );

const storeToken = (merchant, orderId, token, url) =>
  call("token", "SELECT lean.store_token($1, $2, $3, $4) AS outcome", [
    merchant,
    orderId,
    token,
    url,
  ]);

const applyWebhook = (event) =>
  call(
    "webhook",
    "SELECT lean.apply_webhook($1, $2, $3, $4, $5, $6, $7, $8) AS outcome",
    [
      "stripe",
      event.id,
      event.kind,
      event.token,
      event.paymentId,
      event.amountMinor,
      event.currency,
      event.digest,
    ],
  );

const readOrder = (merchant, orderId) =>
  call(
    "order",
    "SELECT payment_order_id, checkout_id, seller_account, amount_minor," +
      " currency, status FROM lean.payment_order" +
      " WHERE merchant_id = $1 AND payment_order_id = $2",
    [merchant, orderId],
  );

module.exports = {
  createPayment,
  storeToken,
  applyWebhook,
  readOrder,
  close: () => pool.end(),
};

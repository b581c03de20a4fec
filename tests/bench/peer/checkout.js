// A request's body, checked: throws a Refusal that names what is wrong.
"use strict";

const crypto = require("node:crypto");
const settings = require("./settings.js");

const LIFE_S = 3600;
const ID = /^[A-Za-z0-9._:-]{1,64}$/;
const KEY = /^[\x21-\x7e]{1,255}$/;
const DIGITS = { USD: 2, EUR: 2, GBP: 2, JPY: 0, KWD: 3 };

class Refusal extends Error {
  constructor(status, title) {
    super(title);
    this.status = status;
  }
}

function must(holds, title, status = 422) {
  if (!holds) {
    throw new Refusal(status, title);
  }
}

function minor(amount, currency) {
  const digits = DIGITS[currency];
  must(digits !== undefined, "currency is not supported");
  const form = digits ? `^\\d{1,12}\\.\\d{${digits}}$` : "^\\d{1,12}$";
  must(
    typeof amount === "string" && new RegExp(form).test(amount),
    "amount is a text with the currency's decimals",
  );
  const value = Number(amount.replace(".", ""));
  must(value > 0, "amount must be more than nothing");
  return value;
}

function host(url) {
  try {
    return new URL(url).host;
  } catch {
    return null;
  }
}

// Of one order, as lean has it.
function checkout(request, merchant) {
  const { body } = request;
  const key = request.get("Idempotency-Key");
  must(key && KEY.test(key), "Idempotency-Key is needed", 400);
  must(body && typeof body === "object", "the body is not JSON", 400);
  must(ID.test(body.checkout_id), "checkout_id is not an id");
  must(host(body.return_url) === settings.returnHost, "return_url");
  must(body.psp === undefined || body.psp === "stripe", "psp");
  must(
    Array.isArray(body.payment_orders) && body.payment_orders.length === 1,
    "payment_orders has one order",
  );
  const [order] = body.payment_orders;
  const orderId = order.payment_order_id ?? crypto.randomUUID();
  must(ID.test(orderId), "payment_order_id is not an id");
  must(ID.test(order.seller_account), "seller_account is not an id");
  return {
    merchant,
    key,
    fingerprint: crypto.createHash("sha256").update(request.raw).digest(),
    checkoutId: body.checkout_id,
    orderId,
    seller: order.seller_account,
    amountMinor: minor(order.amount, order.currency),
    amount: order.amount,
    currency: order.currency,
    returnUrl: body.return_url,
    buyer: body.buyer_info ?? {},
    expiresAt: new Date(Date.now() + LIFE_S * 1000),
  };
}

module.exports = { Refusal, checkout, host };

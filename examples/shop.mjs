// A shop with one article (Node 18 or newer, no packages):
// make up RETURN_HOST=127.0.0.1:3000; set -a; . build/run/gateway.env
// NODE_EXTRA_CA_CERTS=$GATEWAY_CA node examples/shop.mjs 3000
// Then open http://127.0.0.1:3000/.
import { createHmac, randomUUID, sign, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

const env = process.env, here = `http://127.0.0.1:${process.argv[2]}`;
const key = readFileSync(env.MERCHANT_JWT_KEY);
const resultKey = readFileSync(env.RESULT_KEY_FILE, "latin1").trim();
const pack = (value) => Buffer.from(value).toString("base64url");
const unpack = (text) => JSON.parse(Buffer.from(text, "base64url"));

function token() {
  const head = { alg: "ES256", kid: env.MERCHANT_JWT_KID };
  const claims = { iss: env.MERCHANT_ID, aud: "ngx_payments",
    exp: Math.floor(Date.now() / 1000) + 300, scope: "payments:write payments:read" };
  const text = [head, claims].map((part) => pack(JSON.stringify(part))).join(".");
  return text + "." + pack(sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }));
}
async function call(method, path, body) {
  const headers = { authorization: "Bearer " + token(), "idempotency-key": randomUUID(),
    "content-type": "application/json" };
  for (const wait of [1, 2, 4, 8, 0]) { // the same key again: nobody pays twice
    const answer = await fetch(env.GATEWAY_URL + path, { method, headers, body });
    if (answer.ok && (answer.status !== 202 || !wait)) return answer.json();
    if (!wait || ![202, 429, 503].includes(answer.status)) throw Error(await answer.text());
    await pause(wait * 1000);
  }
}
function readResult(text) { // signed by the gateway, for this shop
  const [head, claims, mac] = text.split(".");
  const right = createHmac("sha256", Buffer.from(resultKey, "latin1")).update(head + "." + claims).digest();
  const given = Buffer.from(mac, "base64url"), { iss, aud, exp, sub } = unpack(claims);
  const genuine = given.length === right.length && timingSafeEqual(given, right);
  if (!genuine || unpack(head).alg !== "HS256") throw Error("forged");
  if (iss !== env.GATEWAY_URL || aud !== env.MERCHANT_ID || exp * 1000 < Date.now()) throw Error("not ours");
  return sub;
}
async function shop(request) {
  if (request.method === "POST") { // a checkout, and its page
    const order = { seller_account: "seller-42", amount: "12.34", currency: "USD" };
    const made = await call("POST", "/v1/payments", JSON.stringify({ checkout_id: randomUUID(),
      buyer_info: {}, payment_orders: [order], return_url: here + "/back" }));
    const cookie = `checkout=${made.checkout_id}; HttpOnly; SameSite=Lax`;
    return [303, "", { location: made.redirect_url ?? here, "set-cookie": cookie }];
  }
  const result = new URL(request.url, here).searchParams.get("result");
  const mine = result && readResult(result); // this buyer's, as the cookie says
  if (!result || request.headers.cookie !== "checkout=" + mine)
    return [200, "<form method=post><button>Buy for 12.34 USD</button></form>", { "content-type": "text/html" }];
  const { payment_orders: [order] } = await call("GET", "/v1/checkouts/" + mine);
  return [200, `Your order is ${order.status}.`, {}];
}
createServer((request, response) => shop(request).catch((reason) => [500, String(reason), {}])
  .then(([status, text, head]) => response.writeHead(status, head).end(text))).listen(Number(process.argv[2]), "127.0.0.1");

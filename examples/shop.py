#!/usr/bin/python3
"""A shop with one article (needs python3-jwt and python3-httpx):
make up RETURN_HOST=127.0.0.1:3000; set -a; . build/run/gateway.env
python3 examples/shop.py 3000; then open http://127.0.0.1:3000/."""

import os
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

import httpx
import jwt

ENV, HERE = os.environ, f"http://127.0.0.1:{sys.argv[1]}"
KEY = Path(ENV["MERCHANT_JWT_KEY"]).read_text()
RESULT_KEY = Path(ENV["RESULT_KEY_FILE"]).read_bytes().strip()
HTTP = httpx.Client(base_url=ENV["GATEWAY_URL"], verify=ENV["GATEWAY_CA"])
ORDER = {"seller_account": "seller-42", "amount": "12.34", "currency": "USD"}


def call(method, path, body=None):
    claims = {"iss": ENV["MERCHANT_ID"], "aud": "ngx_payments"}
    claims["scope"] = "payments:write payments:read"
    claims["exp"] = int(time.time()) + 300
    token = jwt.encode(claims, KEY, "ES256", {"kid": ENV["MERCHANT_JWT_KID"]})
    headers = {"Authorization": f"Bearer {token}"}
    headers["Idempotency-Key"] = str(uuid.uuid4())
    for wait in (1, 2, 4, 8, 0):  # the same key again: nobody pays twice
        answer = HTTP.request(method, path, json=body, headers=headers)
        if answer.status_code not in (202, 429, 503):
            break
        time.sleep(wait)
    answer.raise_for_status()
    return answer.json()


def shop(request, start):
    if request["REQUEST_METHOD"] == "POST":  # a checkout, and its page
        body = {"checkout_id": str(uuid.uuid4()), "buyer_info": {}}
        body |= {"payment_orders": [ORDER], "return_url": HERE + "/back"}
        page = call("POST", "/v1/payments", body)["redirect_url"] or HERE
        cookie = f"checkout={body['checkout_id']}; HttpOnly; SameSite=Lax"
        start("303 See Other", [("Location", page), ("Set-Cookie", cookie)])
        return []
    query = parse_qs(request["QUERY_STRING"])
    text = "<form method=post><button>Buy for 12.34 USD</button></form>"
    if "result" in query:  # signed for this shop, about this buyer's checkout
        who = {"issuer": ENV["GATEWAY_URL"], "audience": ENV["MERCHANT_ID"]}
        claims = jwt.decode(query["result"][0], RESULT_KEY, ["HS256"], **who)
        if request.get("HTTP_COOKIE") == f"checkout={claims['sub']}":
            order = call("GET", f"/v1/checkouts/{claims['sub']}")
            text = f"Your order is {order['payment_orders'][0]['status']}."
    start("200 OK", [("Content-Type", "text/html")])
    return [text.encode()]


make_server("127.0.0.1", int(sys.argv[1]), shop).serve_forever()

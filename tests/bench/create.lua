-- wrk: a fresh checkout of one order with each request.  Environment: JWT,
-- RETURN_URL.
local jwt = os.getenv("JWT")
local return_url = os.getenv("RETURN_URL")
local threads = 0
local outcomes = {}

function setup(thread)
    thread:set("id", threads)
    threads = threads + 1
    table.insert(outcomes, thread)
end

function init(args)
    n = 0
    run = os.time()
    created, refused, other = 0, 0, 0
end

function request()
    n = n + 1
    local id = string.format("bench-%d-%d-%d", run, id, n)
    local body = string.format(
        '{"checkout_id":"%s","buyer_info":{},"return_url":"%s",'
        .. '"psp":"stripe","payment_orders":[{"payment_order_id":"%s",'
        .. '"seller_account":"seller-%d","amount":"12.34",'
        .. '"currency":"USD"}]}', id, return_url, id, n % 1000)
    return wrk.format("POST", "/v1/payments", {
        ["Authorization"] = "Bearer " .. jwt,
        ["Content-Type"] = "application/json",
        ["Idempotency-Key"] = id .. "-idempotency",
    }, body)
end

function response(status)
    if status == 201 then
        created = created + 1
    elseif status == 503 then
        refused = refused + 1
    else
        other = other + 1
    end
end

function done(summary, latency, requests)
    local c, f, o = 0, 0, 0
    for _, thread in ipairs(outcomes) do
        c = c + thread:get("created")
        f = f + thread:get("refused")
        o = o + thread:get("other")
    end
    io.write(string.format(
        '{"created":%d,"refused":%d,"other":%d,"seconds":%.3f,'
        .. '"p50_ms":%.3f,"p99_ms":%.3f,"errors":%d}\n', c, f, o,
        summary.duration / 1e6, latency:percentile(50) / 1000,
        latency:percentile(99) / 1000,
        summary.errors.connect + summary.errors.read + summary.errors.write
        + summary.errors.timeout))
end

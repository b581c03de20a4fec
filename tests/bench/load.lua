-- wrk: one kind of load on the gateway.  Environment: MODE
--   create    a fresh checkout of one order with each request
--   payment   the same, and the PSP's signed webhook for each that was made
--   webhook   the webhooks of the checkouts 1 to ORDERS, and no more
--   status    GET of the orders 1 to ORDERS
--   fixed     GET of PATH
--   posts     the requests of create to a server that answers 200 to anything
-- JWT, RETURN_URL, WEBHOOK_SECRET, PREFIX (of the ids of this run), and RATE:
-- requests a second of all connections together (CLIENTS), 0: as many as go.
-- PSP: its name at the gateway (stripe), of the adapter of this name.
-- The PSP of psp.conf.in names a session after the order: cs_test_<order>.
local ffi = require("ffi")
ffi.cdef[[
typedef struct evp_md_st EVP_MD;
const EVP_MD *EVP_sha256(void);
struct timespec { long sec; long nsec; };
int clock_gettime(int clock, struct timespec *now);
unsigned char *HMAC(const EVP_MD *md, const void *key, int key_len,
    const unsigned char *data, size_t n, unsigned char *out, unsigned *len);
]]
local crypto = ffi.load("libcrypto.so.3")
local now_at = ffi.new("struct timespec")
local out, out_len = ffi.new("unsigned char[64]"), ffi.new("unsigned[1]")

local mode = os.getenv("MODE")
local jwt = "Bearer " .. os.getenv("JWT")
local return_url = os.getenv("RETURN_URL")
local secret = os.getenv("WEBHOOK_SECRET")
local prefix = os.getenv("PREFIX")
local path = os.getenv("LOAD_PATH") or "/"
local psp = os.getenv("PSP") or "stripe"
local orders = tonumber(os.getenv("ORDERS") or "1")
local rate = tonumber(os.getenv("RATE") or "0")
local clients = tonumber(os.getenv("CLIENTS") or "1")
-- BUYER: each order has a buyer of its own, of one of a thousand addresses.
local with_buyer = os.getenv("BUYER") ~= nil
-- MARKS: numbers of whole payments; when the first answer came and when each
-- number was reached goes to MARKS_FILE, in µs, and the last one ends it.
local marks = {}
for mark in (os.getenv("MARKS") or ""):gmatch("%d+") do
    marks[#marks + 1] = tonumber(mark)
end
local threads = {}

-- This thread's: what was asked, what came back.
n = 0
told = { created = 0, applied = 0, read = 0, refused = 0, late = 0, other = 0 }
other_status = 0  -- of the newest of these
since, ended = 0, 0                         -- µs, of what was answered
local waiting, head, tail = {}, 1, 0       -- orders whose webhook is due

-- Creates that were accepted, by latency: bucket k ends at 1.02^k µs.  wrk's
-- own latencies count refusals, too, and those are fast.
slow = {}
local begun = {}

local function now_us()
    ffi.C.clock_gettime(1, now_at)
    return tonumber(now_at.sec) * 1e6 + tonumber(now_at.nsec) / 1e3
end

local reached = 0
local function mark()
    local file = assert(io.open(os.getenv("MARKS_FILE"), "a"))
    file:write(string.format("%.0f\n", now_us()))
    file:close()
    reached = reached + 1
    if reached > #marks then
        wrk.thread:stop()
    end
end

local function accepted(order)
    local start = begun[order]
    begun[order] = nil
    local bucket = math.ceil(math.log(math.max(1, now_us() - start))
                             / math.log(1.02))
    slow[bucket] = (slow[bucket] or 0) + 1
end

local function percentile(buckets, share)
    local keys, total, seen = {}, 0, 0
    for bucket, count in pairs(buckets) do
        keys[#keys + 1] = bucket
        total = total + count
    end
    table.sort(keys)
    for _, bucket in ipairs(keys) do
        seen = seen + buckets[bucket]
        if seen >= share * total then
            return 1.02 ^ bucket / 1000
        end
    end
    return 0
end

local function hmac(text)
    crypto.HMAC(crypto.EVP_sha256(), secret, #secret,
                ffi.cast("const unsigned char *", text), #text, out, out_len)
    local hex = {}
    for i = 0, tonumber(out_len[0]) - 1 do
        hex[i + 1] = string.format("%02x", out[i])
    end
    return table.concat(hex)
end

local function buyer(id)
    if not with_buyer then
        return "{}"
    end
    return string.format(
        '{"id":"%s","email":"%s@shop.example","device":"d-%s",'
        .. '"ip":"192.0.%d.%d","billing_country":"DE",'
        .. '"shipping_country":"DE","account_created_at":'
        .. '"2025-01-01T00:00:00Z"}', id, id, id, n % 4, n % 250)
end

local function create()
    n = n + 1
    local id = prefix .. "-" .. n
    begun[id] = now_us()
    return wrk.format("POST", "/v1/payments", {
        ["Authorization"] = jwt,
        ["Content-Type"] = "application/json",
        ["Idempotency-Key"] = id .. "-idempotency",
    }, string.format(
        '{"checkout_id":"%s","buyer_info":%s,"return_url":"%s",'
        .. '"psp":"%s","payment_orders":[{"payment_order_id":"%s",'
        .. '"seller_account":"seller-%d","amount":"12.34",'
        .. '"currency":"USD"}]}', id, buyer(id), return_url, psp, id, n % 1000))
end

local function webhook(order)
    local body = string.format(
        '{"id":"evt_%s","object":"event","created":%d,"livemode":false,'
        .. '"type":"checkout.session.completed","data":{"object":{'
        .. '"id":"cs_test_%s","object":"checkout.session",'
        .. '"amount_total":1234,"currency":"usd","status":"complete",'
        .. '"payment_intent":"pi_%s","payment_status":"paid"}}}',
        order, os.time(), order, order)
    local now = tostring(os.time())
    return wrk.format("POST", "/webhooks/" .. psp, {
        ["Content-Type"] = "application/json",
        ["Stripe-Signature"] = "t=" .. now .. ",v1="
                               .. hmac(now .. "." .. body),
    }, body)
end

local requests = {
    create = create,
    payment = function()
        if head > tail then
            return create()
        end
        local order = waiting[head]
        waiting[head] = nil
        head = head + 1
        return webhook(order)
    end,
    webhook = function()
        n = n + 1
        -- the last ones again while others are still under way: duplicates
        return webhook(prefix .. "-" .. math.min(n, orders))
    end,
    status = function()
        n = n + 1
        return wrk.format("GET",
            "/v1/payments/" .. prefix .. "-" .. (n % orders + 1),
            { ["Authorization"] = jwt })
    end,
    posts = function()
        local request = create()
        begun[prefix .. "-" .. n] = nil
        return request
    end,
    fixed = function() return wrk.format("GET", path) end,
}
request = requests[mode]

function setup(thread)
    table.insert(threads, thread)
end

-- What a closed loop of so many connections waits to come near the rate.
if rate > 0 then
    function delay()
        return math.random() * 2000 * clients / rate
    end
end

function response(status, headers, body)
    if since == 0 then
        since = now_us()
        if #marks > 0 then
            mark()
        end
    end
    if status == 201 then
        local order = body:match('"payment_order_id":"([^"]+)"')
        told.created = told.created + 1
        accepted(order)
        if mode == "payment" then
            tail = tail + 1
            waiting[tail] = order
        end
    elseif status == 200 then
        local kind = (mode == "payment" or mode == "webhook") and "applied"
                     or "read"
        told[kind] = told[kind] + 1
        ended = now_us()
        if told.applied == marks[reached] then
            mark()
        end
        if mode == "webhook" and told.applied + told.refused >= orders then
            wrk.thread:stop()
        end
    elseif status == 503 then
        told.refused = told.refused + 1
    elseif status == 202 then  -- what the PSP said is not stored yet
        told.late = told.late + 1
    else
        told.other = told.other + 1
        other_status = status
    end
end

function done(summary, latency, all)
    local sum = {
        created = 0, applied = 0, read = 0, refused = 0, late = 0, other = 0
    }
    local buckets, busy, other = {}, summary.duration, 0
    for _, thread in ipairs(threads) do
        for name, value in pairs(thread:get("told")) do
            sum[name] = sum[name] + value
        end
        other = math.max(other, thread:get("other_status"))
        if mode == "webhook" then
            busy = thread:get("ended") - thread:get("since")
        end
        for bucket, count in pairs(thread:get("slow")) do
            buckets[bucket] = (buckets[bucket] or 0) + count
        end
    end
    local errors = summary.errors
    io.write(string.format(
        '{"created":%d,"applied":%d,"read":%d,"refused":%d,"late":%d,'
        .. '"other":%d,'
        .. '"seconds":%.3f,"p50_ms":%.3f,"p99_ms":%.3f,"accepted_p99_ms":%.3f,'
        .. '"errors":%d,"other_status":%d}\n',
        sum.created, sum.applied, sum.read, sum.refused, sum.late, sum.other,
        busy / 1e6, latency:percentile(50) / 1000,
        latency:percentile(99) / 1000,
        percentile(buckets, 0.99),
        errors.connect + errors.read + errors.write + errors.timeout, other))
end

-- The state machine as it is read: each fact, from each source, about an order
-- in each circumstance.  What is expected stands here a second time, so that a
-- row that is wrong in pay.transition and in transition.list is seen, too.

BEGIN;
\ir helpers.psql
\ir changes.psql
SELECT no_plan();

-- Orders of 1000, one for each circumstance, named after it: a is captured
-- automatically, m by its merchant.
SELECT pg_temp.begin('m1', 'k-' || o, o, ARRAY[o || ':1000'],
    p_late => CASE o WHEN 'a-late' THEN 'hold' END,
    p_terms => jsonb_build_object('capture', CASE WHEN o LIKE 'm-%'
        THEN 'manual' ELSE 'automatic' END))
FROM unnest('{a-new,m-new,m-early,a-undone,m-undone,a-open,m-open,a-closing,
    m-closing,a-paid,a-declined,a-expired,a-late,m-held,m-part,m-rest,m-sold,
    m-declined,m-void,m-late}'::text[]) o
\g /dev/null
SELECT pg_temp.token('m1', c.checkout_id, 't-' || c.checkout_id)
FROM pay.checkout c WHERE c.checkout_id !~ '-(new|early|undone)$'
\g /dev/null
SELECT pg_temp.fact('t-' || o, f)
FROM (VALUES ('a-paid', 'paid'), ('a-declined', 'declined'),
    ('a-expired', 'expired'), ('a-late', 'expired'), ('m-held', 'authorized'),
    ('m-part', 'authorized'), ('m-rest', 'authorized'),
    ('m-sold', 'authorized'), ('m-declined', 'declined'),
    ('m-void', 'authorized'), ('m-late', 'expired')) t (o, f)
\g /dev/null
-- held for what has failed
SELECT pg_temp.fact('t-m-late', 'authorized')
\g /dev/null
SELECT pg_temp.whole('m-part', 'm-part', 'capture', 'part', 300, 'DONE'),
    pg_temp.whole('m-rest', 'm-rest', 'capture', 'rest', 300, 'DONE'),
    pg_temp.whole('m-rest', 'm-rest', 'cancel', 'over', NULL, 'DONE'),
    pg_temp.whole('m-sold', 'm-sold', 'capture', 'all', 1000, 'DONE'),
    pg_temp.whole('m-void', 'm-void', 'cancel', 'void', NULL, 'DONE')
\g /dev/null
SELECT pg_temp.change(o, 'cancel', o)
FROM unnest('{a-closing,m-closing,a-undone,m-undone}'::text[]) o
\g /dev/null
-- no PSP holds money before its token is here, but the machine has a row
UPDATE pay.payment_order SET authorized_minor = 1000
WHERE payment_order_id = 'm-early';

SELECT is(string_agg(format('%s %s %s %s', o.payment_order_id,
        concat_ws('/', o.status, o.reason), o.authorized_minor,
        o.captured_minor), E'\n' ORDER BY o.payment_order_id),
    'a-closing EXECUTING 0 0
a-declined FAILED/declined 0 0
a-expired FAILED/expired 0 0
a-late FAILED/expired 0 0
a-new NOT_STARTED 0 0
a-open EXECUTING 0 0
a-paid SUCCESS 0 1000
a-undone NOT_STARTED 0 0
m-closing EXECUTING 0 0
m-declined FAILED/declined 0 0
m-early NOT_STARTED 1000 0
m-held EXECUTING 1000 0
m-late FAILED/expired 0 0
m-new NOT_STARTED 0 0
m-open EXECUTING 0 0
m-part SUCCESS 700 300
m-rest SUCCESS 0 300
m-sold SUCCESS 0 1000
m-undone NOT_STARTED 0 0
m-void FAILED/cancelled 0 0', 'the circumstances')
FROM pay.payment_order o;

-- the news that a fact is, and the status that it leads to; p_one: it is about
-- this order, and not about its whole checkout
CREATE FUNCTION pg_temp.read(
    p_order text, p_actor text, p_kind text, p_one boolean,
    p_reference text DEFAULT NULL)
RETURNS text LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT concat_ws(' ', f.news, f.next_status)
FROM pay.fact_orders(ARRAY[jsonb_populate_record(NULL::pay.fact,
    jsonb_build_object('item', 1, 'turn', 1, 'merchant_id', 'm1',
        'checkout_id', p_order, 'kind', p_kind, 'actor', p_actor,
        'psp', 'stripe', 'reference', p_reference,
        'order_id', CASE WHEN p_one THEN p_order END))], 1) f
$$;

-- Without a circumstance the news is the fact: money that was taken is a sale
-- at any time, a failure ends what has not ended, and nothing else does.
CREATE FUNCTION pg_temp.plain(p_status text, p_kind text)
RETURNS text LANGUAGE sql AS $$
SELECT p_kind || ' ' || CASE
    WHEN p_kind = 'paid' THEN 'SUCCESS'
    WHEN p_status IN ('SUCCESS', 'FAILED') THEN p_status
    WHEN p_kind IN ('declined', 'rejected', 'expired', 'cancelled', 'refused')
        THEN 'FAILED'
    WHEN p_kind IN ('none', 'attempt_declined') THEN p_status
    ELSE 'EXECUTING' END
$$;

-- The circumstances that count: orders, sources and facts as patterns; one:
-- NULL, as said of an order and of a checkout.
CREATE TEMP TABLE special (
    orders text, sources text, facts text, news text, one boolean);
INSERT INTO special VALUES
-- the rest of what is held was taken, or nothing was held any more
('m-part', '.*', 'paid', 'captured SUCCESS', false),
('m-rest', '.*', 'paid', 'contradiction SUCCESS', false);
INSERT INTO special VALUES
-- a PSP that captures by itself holds money only on the way to taking it
('a-(new|undone|open|closing)', '.*', 'authorized', 'pending EXECUTING'),
('a-paid', '.*', 'authorized', 'pending SUCCESS'),
('a-(declined|expired|late)', '.*', 'authorized', 'pending FAILED'),
-- held although the order has failed: somebody must give it back
('m-(declined|late)', '.*', 'authorized', 'contradiction FAILED'),
-- paid after its time where the merchant has such payments held
('a-late', 'webhook|query|gateway', 'paid', 'late_success FAILED'),
-- the gateway's clock ends nothing while money is held
('m-early', 'gateway', 'expired', 'none NOT_STARTED'),
('m-held', 'gateway', 'expired', 'none EXECUTING'),
('m-part', 'gateway', 'expired', 'none SUCCESS'),
-- the buyer's page is closed by a cancellation, so this is its end
('[am]-(undone|closing)', '.*', 'expired', 'cancelled FAILED'),
-- the PSP lets go of what it holds, or has nothing to let go of
('m-part', 'webhook|query|operator', 'expired', 'released SUCCESS'),
('m-part', '.*', 'cancelled', 'released SUCCESS'),
('m-(rest|sold)', '.*', 'expired|cancelled', 'none SUCCESS'),
('m-late', 'webhook|query', 'expired|cancelled', 'released FAILED'),
-- a sale that others say was none; only the gateway's guess may be wrong
('a-paid', 'webhook|query|operator', 'expired|cancelled',
 'contradiction SUCCESS'),
('(a-paid|m-part|m-rest|m-sold)', 'webhook|query|operator',
 'declined|rejected', 'contradiction SUCCESS');

SELECT is(string_agg(format('%s, %s, %s: %s, not %s', a, k, alone, r.news,
        w.news),
        E'\n') FILTER (WHERE r.news IS DISTINCT FROM w.news), NULL,
    'each fact about ' || o.payment_order_id)
FROM pay.payment_order o
CROSS JOIN unnest('{webhook,query,gateway,operator}'::text[]) a
CROSS JOIN unnest('{none,pending,authorized,paid,declined,rejected,expired,
    cancelled,attempt_declined,refused,registered,
    registration_unknown}'::text[]) k
CROSS JOIN unnest('{true,false}'::boolean[]) alone
CROSS JOIN LATERAL (
    SELECT pg_temp.read(o.payment_order_id, a, k, alone) AS news) r
CROSS JOIN LATERAL (
    SELECT coalesce(min(s.news), pg_temp.plain(o.status, k)) AS news
    FROM special s
    WHERE o.payment_order_id ~ ('^' || s.orders || '$')
        AND a ~ ('^(' || s.sources || ')$')
        AND k ~ ('^(' || s.facts || ')$')
        AND coalesce(s.one, alone) = alone) w
GROUP BY o.payment_order_id;

UPDATE pay.payment_order SET authorized_minor = 0
WHERE payment_order_id = 'm-early';

-- A second payment has an id of its own; a payment that was proved without an
-- id has the first one that is named.
SELECT pg_temp.begin('m1', 'k-' || o, o, ARRAY[o || ':1000'],
    p_late => CASE WHEN o LIKE 'a-late-%' THEN 'hold' END,
    p_terms => jsonb_build_object('capture', CASE WHEN o LIKE 'm-%'
        THEN 'manual' ELSE 'automatic' END))
FROM unnest('{a-named,a-unnamed,a-late-yes,a-late-yet,a-named-late,
    m-named}'::text[]) o
\g /dev/null
SELECT pg_temp.token('m1', o, 't-' || o)
FROM unnest('{a-named,a-unnamed,a-late-yes,a-late-yet,a-named-late,
    m-named}'::text[]) o
\g /dev/null
SELECT pg_temp.fact('t-a-named', 'paid', p_reference => 'first'),
    pg_temp.fact('t-a-unnamed', 'paid'),
    pg_temp.fact('t-a-named-late', 'paid', 'e-unnamed'),
    pg_temp.fact('t-a-named-late', 'paid', p_reference => 'first'),
    pg_temp.fact('t-a-late-yes', 'expired'),
    pg_temp.fact('t-a-late-yet', 'expired'),
    pg_temp.fact('t-m-named', 'authorized', p_reference => 'hold'),
    pg_temp.whole('m-named', 'm-named', 'capture', 'named', 1000, 'DONE')
\g /dev/null
SELECT pg_temp.fact('t-a-late-yes', 'paid', p_reference => 'first'),
    pg_temp.fact('t-a-late-yet', 'paid', p_reference => 'first')
\g /dev/null
SELECT pay_ops.accept_dead_letter(d.dead_letter_id, 'ann', 'it is ours')
FROM pay.dead_letter d WHERE d.checkout_id = 'a-late-yes'
\g /dev/null
SELECT is(string_agg(format('%s %s %s: %s', o.payment_order_id, a, r,
        pg_temp.read(o.payment_order_id, a, 'paid', false, r)), E'\n'
        ORDER BY o.payment_order_id, a, r),
    'a-late-yes operator first: paid SUCCESS
a-late-yes operator second: paid SUCCESS
a-late-yes query first: paid SUCCESS
a-late-yes query second: contradiction SUCCESS
a-late-yes webhook first: paid SUCCESS
a-late-yes webhook second: contradiction SUCCESS
a-late-yet operator first: paid SUCCESS
a-late-yet operator second: paid SUCCESS
a-late-yet query first: late_success FAILED
a-late-yet query second: contradiction FAILED
a-late-yet webhook first: late_success FAILED
a-late-yet webhook second: contradiction FAILED
a-named operator first: paid SUCCESS
a-named operator second: paid SUCCESS
a-named query first: paid SUCCESS
a-named query second: contradiction SUCCESS
a-named webhook first: paid SUCCESS
a-named webhook second: contradiction SUCCESS
a-named-late operator first: paid SUCCESS
a-named-late operator second: paid SUCCESS
a-named-late query first: paid SUCCESS
a-named-late query second: contradiction SUCCESS
a-named-late webhook first: paid SUCCESS
a-named-late webhook second: contradiction SUCCESS
a-unnamed operator first: paid SUCCESS
a-unnamed operator second: paid SUCCESS
a-unnamed query first: paid SUCCESS
a-unnamed query second: paid SUCCESS
a-unnamed webhook first: paid SUCCESS
a-unnamed webhook second: paid SUCCESS
m-named operator first: paid SUCCESS
m-named operator second: paid SUCCESS
m-named query first: paid SUCCESS
m-named query second: paid SUCCESS
m-named webhook first: paid SUCCESS
m-named webhook second: paid SUCCESS', 'a payment with an id of its own is a second one')
FROM pay.payment_order o
CROSS JOIN unnest('{webhook,query,operator}'::text[]) a
CROSS JOIN unnest('{first,second}'::text[]) r
WHERE o.payment_order_id IN ('a-named', 'a-unnamed', 'a-late-yes',
    'a-late-yet', 'a-named-late', 'm-named');
\i :checks
SELECT * FROM finish();
ROLLBACK;

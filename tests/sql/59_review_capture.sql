-- Money that is held while a review is open: how a checkout is registered, what
-- captures it and who may, other PSPs, the deadline.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir risk.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.holds(p_psps text DEFAULT 'stripe',
    p_window_s bigint DEFAULT NULL)
RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_object('holds', jsonb_strip_nulls(jsonb_build_object(
    'psps', p_psps, 'window_s', p_window_s)))
$$;
-- a checkout whose decision is review, and where its page is
CREATE FUNCTION pg_temp.begun(
    p_checkout text, p_terms jsonb DEFAULT pg_temp.holds(),
    p_orders text[] DEFAULT NULL, p_psps text DEFAULT NULL,
    p_decision text DEFAULT 'review')
RETURNS text LANGUAGE sql AS $$
SELECT b.outcome FROM pg_temp.begin('m1', 'k-' || p_checkout, p_checkout,
    coalesce(p_orders, ARRAY['o-' || p_checkout || ':100']),
    p_psps => p_psps, p_terms => p_terms,
    p_risk => pg_temp.risk(p_decision)) b
$$;
CREATE FUNCTION pg_temp.reviewed(
    p_checkout text, p_news text DEFAULT 'authorized',
    p_terms jsonb DEFAULT pg_temp.holds(), p_orders text[] DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_outcome text := pg_temp.begun(p_checkout, p_terms, p_orders);
BEGIN
    PERFORM pg_temp.token('m1', p_checkout, 't-' || p_checkout);
    IF p_news <> '' THEN
        PERFORM pg_temp.fact('t-' || p_checkout, p_news,
                             p_reference => 'pi-' || p_checkout);
    END IF;
    RETURN v_outcome;
END
$$;
CREATE FUNCTION pg_temp.decide(
    p_checkout text, p_act text DEFAULT 'approve', p_who text DEFAULT 'ann')
RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.decide_review(r.review_id, p_act, CASE p_act
    WHEN 'approve' THEN 'known_buyer' WHEN 'reject' THEN 'stolen_card'
    ELSE 'unclear' END, NULL, false, p_who)
FROM pay.risk_review r WHERE r.checkout_id = p_checkout
$$;
-- the mode of capture, its state, and whether all has been asked for
CREATE FUNCTION pg_temp.review(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', c.capture, c.hold_psps, r.state,
    CASE WHEN r.captures THEN 'captures' END,
    CASE WHEN r.is_settled THEN 'settled' END)
FROM pay.risk_review r JOIN pay.checkout c USING (merchant_id, checkout_id)
WHERE r.checkout_id = p_checkout
$$;
CREATE FUNCTION pg_temp.changes(p_checkout text) RETURNS text
LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', c.kind, c.amount_minor, c.status), ', '
                  ORDER BY c.kind, c.amount_minor, c.created_at)
FROM pay.change c WHERE c.checkout_id = p_checkout
$$;
-- the PSP answers the open changes
CREATE FUNCTION pg_temp.answered(
    p_checkout text, p_state text DEFAULT 'DONE')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_change pay.change;
BEGIN
    FOR v_change IN SELECT * FROM pay.change c
        WHERE c.checkout_id = p_checkout AND c.status = 'NOT_STARTED'
    LOOP
        PERFORM pay_api.begin_dispatch('{m1}', ARRAY[p_checkout],
            ARRAY[v_change.kind], ARRAY[v_change.change_id::text],
            ARRAY[v_change.psp::text], '{600}', '{30000}', '{request-9}');
        PERFORM pay_api.end_dispatch('{m1}', ARRAY[p_checkout],
            ARRAY[v_change.kind], ARRAY[v_change.change_id::text], '{1}',
            ARRAY[p_state], '{complete}', '{200}', '{NULL}', '{NULL}',
            '{request-9}');
    END LOOP;
    RETURN pg_temp.changes(p_checkout);
END
$$;
-- an order as storefronts see it
CREATE FUNCTION pg_temp.shown(p_order text) RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' ', o.order_status, o.order_reason, o.authorized_minor,
                 o.captured_minor)
FROM pay_api.get_order('{m1}', ARRAY[p_order]) o
$$;
CREATE FUNCTION pg_temp.sweep() RETURNS text LANGUAGE sql AS $$
UPDATE pay.round SET run_at = now() WHERE name = 'sweep';
SELECT s.outcome FROM pay_api.sweep('{w}', '{10000}', '{"{}"}') s
$$;

-- what operators see: captures of a checkout, and all that are under way or
-- have failed
CREATE FUNCTION pg_temp.captures(p_checkout text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', r.state, r.held, r.captured, r.code), ', '
                  ORDER BY r.payment_order_id)
FROM pay_view.risk_captures r WHERE r.checkout_id = p_checkout
$$;
CREATE FUNCTION pg_temp.gauges() RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT concat_ws(' ', c -> 'asked', c -> 'failed')
FROM (SELECT sweep_counts() -> 'review_captures' AS c OFFSET 0) x
$$;

-- who is registered to be captured later
SELECT is(pg_temp.begun('a'), 'created', 'a review');
SELECT is(pg_temp.review('a'), 'manual {stripe} open captures', 'held');
SELECT is(b.capture, 'manual', 'and the gateway hears it')
FROM pay_api.get_checkout('{m1}', '{a}') b;
SELECT is(pg_temp.begun('a'), 'in_progress', 'the same key');
SELECT is(pg_temp.review('a'), 'manual {stripe} open captures', 'as it was');
SELECT is(pg_temp.begun('wanted', pg_temp.holds()
          || '{"capture": "manual"}'), 'created', 'the storefront wants it');
SELECT is(pg_temp.review('wanted'), 'manual open', 'then that is all');
SELECT is(pg_temp.begun('cannot', pg_temp.holds('adyen')), 'created',
          'a PSP that cannot');
SELECT is(pg_temp.review('cannot'), 'automatic {adyen} open captures',
          'takes the money');
SELECT is(pg_temp.begun('none', '{}'), 'created', 'no PSP can');
SELECT is(pg_temp.review('none'), 'automatic open', 'as without');
SELECT is(pg_temp.begun('x-' || d, p_decision => d),
          CASE d WHEN 'block' THEN 'blocked' ELSE 'created' END, d)
FROM unnest('{allow,challenge,block}'::text[]) d;
SELECT is(count(*), 0::bigint, 'other decisions hold nothing')
FROM pay.checkout c
WHERE c.checkout_id LIKE 'x-%'
    AND (c.capture <> 'automatic' OR c.hold_psps IS NOT NULL);

-- an approval captures all, once
SELECT is(pg_temp.reviewed('b'), 'created', 'authorised');
SELECT is(pg_temp.shown('o-b'), 'EXECUTING on_hold 100', 'on hold');
SELECT is(pg_temp.change('o-b', 'capture', 'early'),
          'held', 'the storefront may not capture');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.changes('b'), NULL, 'nothing is captured');
SELECT is(pg_temp.decide('b'), 'approved', 'yes');
SELECT is(pg_temp.changes('b'), 'capture 100 NOT_STARTED', 'all of it');
SELECT is(concat_ws(' ', j.kind, j.run_at <= now()), 'change t', 'at once')
FROM pay.job j JOIN pay.change c ON c.change_id = j.operation_id
WHERE c.checkout_id = 'b';
SELECT is(pg_temp.review('b'), 'manual {stripe} approved captures settled',
          'nothing is left to be asked for');
SELECT is(pg_temp.captures('b'), 'asked 1.00 0.00', 'it is under way');
SELECT is(pg_temp.gauges(), '1 0', 'and counted');
SELECT is(pg_temp.decide('b'), 'ended', 'again');
SELECT is(pg_temp.change('o-b', 'capture', 'late'), 'nothing_left',
          'a second one by the storefront');
SELECT is(pg_temp.answered('b'), 'capture 100 SUCCESS', 'the PSP has done it');
SELECT is(pg_temp.shown('o-b'), 'SUCCESS 100', 'sold');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.changes('b'), 'capture 100 SUCCESS', 'still one');
SELECT is(pg_temp.captures('b'), 'captured 0.00 1.00', 'done');
SELECT is(pg_temp.gauges(), '0 0', 'nobody has to look');
SELECT is(r.is_watched, false, 'nor does a round')
FROM pay.risk_review r WHERE r.checkout_id = 'b';

-- approved before the buyer has paid: the next round captures
SELECT is(pg_temp.reviewed('c', ''), 'created', 'not paid');
SELECT is(pg_temp.decide('c'), 'approved', 'yes');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.review('c'), 'manual {stripe} approved captures',
          'there is no money yet');
SELECT is(pg_temp.captures('c'), 'waiting 0.00 0.00', 'it waits for the buyer');
SELECT is(pg_temp.fact('t-c', 'authorized', p_reference => 'pi-c'), 'applied',
          'paid');
SELECT is(pg_temp.change('o-c', 'capture', 'part', 30), 'held',
          'all is captured, and not a part');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.changes('c'), 'capture 100 NOT_STARTED', 'captured');
SELECT is(pg_temp.sweep(), 'swept', 'another round');
SELECT is(pg_temp.changes('c'), 'capture 100 NOT_STARTED', 'once');

-- rejected: released, and never captured
SELECT is(pg_temp.reviewed('d'), 'created', 'authorised');
SELECT is(pg_temp.decide('d', 'reject'), 'rejected', 'no');
SELECT is(pg_temp.changes('d'), 'cancel 100 NOT_STARTED', 'released');
SELECT isnt(pg_temp.change('o-d', 'capture', 'no'), 'created', 'no capture');
SELECT is(pg_temp.answered('d', 'REFUSED'), 'cancel 100 FAILED',
          'the PSP does not');
SELECT is(pg_temp.change('o-d', 'capture', 'no2'), 'held', 'nor then');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.changes('d'), 'cancel 100 FAILED', 'no capture');

-- escalated: as open
SELECT is(pg_temp.reviewed('e'), 'created', 'authorised');
SELECT is(pg_temp.decide('e', 'escalate'), 'escalated', 'to others');
SELECT is(pg_temp.change('o-e', 'capture', 'esc'), 'held', 'still held');
SELECT is(pg_temp.decide('e', 'approve', 'bob'), 'approved', 'yes');
SELECT is(pg_temp.changes('e'), 'capture 100 NOT_STARTED', 'captured');

-- a storefront that captures itself keeps that
SELECT is(pg_temp.reviewed('f', p_terms => '{"capture": "manual"}'),
          'created', 'authorised');
SELECT is(pg_temp.shown('o-f'), 'EXECUTING 100', 'no hold of ours');
SELECT is(pg_temp.change('o-f', 'capture', 'own', 40),
          'created capture NOT_STARTED 40', 'its own capture');
SELECT is(pg_temp.decide('f'), 'approved', 'yes');
SELECT is(pg_temp.changes('f'), 'capture 40 NOT_STARTED', 'none of ours');

-- several sellers: each order once
SELECT is(pg_temp.reviewed('g', p_orders => '{o-g1:100:s1,o-g2:50:s2}'),
          'created', 'two orders');
SELECT is(pg_temp.decide('g'), 'approved', 'yes');
SELECT is(pg_temp.answered('g'), 'capture 50 SUCCESS, capture 100 SUCCESS',
          'both');
SELECT is(pg_temp.shown(o), s, o)
FROM (VALUES ('o-g1', 'SUCCESS 100'), ('o-g2', 'SUCCESS 50')) t (o, s);

-- the storefront cancels first: nothing is captured, unless that fails
SELECT is(pg_temp.reviewed('h' || n), 'created', 'authorised')
FROM generate_series(1, 2) n;
SELECT is(pg_temp.change('o-h' || n, 'cancel', 'away' || n),
          'created cancel NOT_STARTED 100', 'cancelled')
FROM generate_series(1, 2) n;
SELECT is(pg_temp.decide('h' || n), 'approved', 'yes')
FROM generate_series(1, 2) n;
SELECT is(pg_temp.changes('h1'), 'cancel 100 NOT_STARTED', 'not yet');
SELECT is(pg_temp.answered('h1'), 'cancel 100 SUCCESS', 'it is cancelled');
SELECT is(pg_temp.answered('h2', 'REFUSED'), 'cancel 100 FAILED',
          'it is not');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.changes('h1'), 'cancel 100 SUCCESS', 'nothing to capture');
SELECT is(pg_temp.review('h1'), 'manual {stripe} approved captures settled',
          'the end of it');
SELECT is(pg_temp.changes('h2'), 'cancel 100 FAILED, capture 100 NOT_STARTED',
          'captured');

-- a capture that the PSP refuses is not asked for again: the storefront may
SELECT is(pg_temp.answered('e', 'REFUSED'), 'capture 100 FAILED', 'refused');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT is(pg_temp.changes('e'), 'capture 100 FAILED', 'once');
SELECT is(pg_temp.captures('e'), 'failed 1.00 0.00', 'operators see it');
SELECT alike(pg_temp.gauges(), '% 1', 'and are called');
SELECT is(pg_temp.change('o-e', 'capture', 'again'),
          'created capture NOT_STARTED 100', 'the storefront captures');
SELECT is(pg_temp.answered('e'), 'capture 100 FAILED, capture 100 SUCCESS',
          'which is done');
SELECT is(pg_temp.captures('e'), 'captured 0.00 1.00', 'then all is well');
SELECT alike(pg_temp.gauges(), '% 0', 'again');

-- the hold lapses: nothing is left to approve
SELECT is(pg_temp.reviewed('lapsed'), 'created', 'authorised');
SELECT is(pg_temp.fact('t-lapsed', 'expired'), 'applied', 'it lapses');
SELECT is(pg_temp.decide('lapsed'), 'ended', 'too late');
SELECT is(pg_temp.changes('lapsed'), NULL, 'no capture');
SELECT is(pg_temp.shown('o-lapsed'), 'FAILED expired', 'as any other');

-- captured at the PSP's dashboard: an approval captures the rest
SELECT is(pg_temp.reviewed('out'), 'created', 'authorised');
SELECT isnt(pg_temp.news('capture', 'succeeded', 'cap', 30,
                         p_reference => 'pi-out'), NULL, 'a part');
SELECT is(pg_temp.decide('out'), 'approved', 'yes');
SELECT alike(pg_temp.changes('out'), '%capture 70 NOT_STARTED%', 'the rest');

-- the mode follows the PSP
SELECT is(pg_temp.begun('r', pg_temp.holds('stripe gen'),
                        p_psps => 'stripe square gen'), 'created', 'three');
SELECT is(pg_temp.review('r'), 'manual {stripe,gen} open captures', 'held');
SELECT is(pg_temp.reroute('m1', 'r', 'stripe'), 'rerouted square', 'moves');
SELECT is(pg_temp.review('r'), 'automatic {stripe,gen} open captures',
          'which cannot hold it');
SELECT is(pg_temp.reroute('m1', 'r', 'square'), 'rerouted gen', 'moves');
SELECT is(pg_temp.review('r'), 'manual {stripe,gen} open captures', 'can');
SELECT is(b.outcome, 'created', 'without a review')
FROM pg_temp.begin('m1', 'k-p', 'p', '{o-p:100}', p_psps => 'stripe square',
                   p_terms => '{"capture": "manual"}') b;
SELECT is(pg_temp.reroute('m1', 'p', 'stripe'), 'rerouted square', 'moves');
SELECT is(c.capture::text, 'manual', 'the storefront''s word stays')
FROM pay.checkout c WHERE c.checkout_id = 'p';

-- one that was taken at once: an approval has nothing to capture
SELECT is(pg_temp.token('m1', 'cannot', 't-cannot'), 'stored', 'a page');
SELECT is(pg_temp.fact('t-cannot', 'paid'), 'applied', 'paid');
SELECT is(pg_temp.decide('cannot'), 'approved', 'yes');
SELECT is(pg_temp.changes('cannot'), NULL, 'nothing');
SELECT is(pg_temp.review('cannot'), 'automatic {adyen} approved captures '
          'settled', 'the end of it');

-- the deadline is before the end of the hold
SELECT is(pg_temp.begun('w' || n, pg_temp.holds('stripe', n)
              || jsonb_build_object('review', jsonb_build_object('deadline_s',
                  7200, 'overdue', 'approve'))), 'created', n::text)
FROM unnest('{3600,9000}'::bigint[]) n;
SELECT is(string_agg((r.deadline - now())::text, ' ' ORDER BY r.checkout_id),
          '01:00:00 02:00:00', 'the earlier of both')
FROM pay.risk_review r WHERE r.checkout_id LIKE 'w%00';
SELECT is(pg_temp.token('m1', 'w3600', 't-w'), 'stored', 'a page');
SELECT is(pg_temp.fact('t-w', 'authorized', p_reference => 'pi-w'), 'applied',
          'paid');
UPDATE pay.risk_review SET deadline = now() WHERE checkout_id = 'w3600';
SELECT is(pg_temp.sweep(), 'swept', 'a round behind it');
SELECT is(pg_temp.changes('w3600'), 'capture 100 NOT_STARTED',
          'the deadline approves, and captures');

-- open again, after an approval: a rejection gives back what came meanwhile
SELECT is(pg_temp.reviewed('again'), 'created', 'authorised');
SELECT is(pg_temp.decide('again'), 'approved', 'yes');
CREATE FUNCTION pg_temp.card_holds(p_checkout text) RETURNS void
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT carry_out_cards(ARRAY[ROW(1, 'stripe', 'ch', 'm1', p_checkout, NULL,
    NULL, NULL, NULL, false, 1, 'USD', 100, '{}', NULL)::card_word],
    '{1}', '{hold}')
$$;
SELECT pg_temp.card_holds('again') \g /dev/null
SELECT is(pg_temp.review('again'), 'manual {stripe} open captures', 'open');
SELECT is(pg_temp.decide('again', 'reject'), 'rejected', 'no');
SELECT is(pg_temp.changes('again'), 'capture 100 NOT_STARTED',
          'its capture is under way');
SELECT is(pg_temp.answered('again'), 'capture 100 SUCCESS', 'and is done');
SELECT is(pg_temp.sweep(), 'swept', 'a round');
SELECT alike(pg_temp.changes('again'), '%refund 100 NOT_STARTED%', 'refunded');

-- the message about the hold
CREATE FUNCTION pg_temp.told(p_order text, p_kind text) RETURNS text
LANGUAGE sql SET search_path = pay, pg_temp AS $$
SELECT order_told(o, e, 'stripe', '1.00', NULL) ->> 'reason'
FROM event e JOIN payment_order o USING (merchant_id, payment_order_id)
WHERE e.kind = p_kind AND o.payment_order_id = p_order
$$;
SELECT is(pg_temp.told('o-d', 'authorized'), 'on_hold', 'payment.authorized');
SELECT is(pg_temp.told('o-f', 'authorized'), NULL, 'not the storefront''s own');
SELECT is(pg_temp.told('o-lapsed', 'expired'), 'expired', 'nor the end');

-- what is not understood
SELECT is(b.outcome, 'invalid', t.holds::text)
FROM (VALUES ('{}'::jsonb), ('[]'), ('{"psps": ""}'), ('{"psps": 5}'),
    ('{"psps": "stripe", "window_s": 0}'),
    ('{"psps": "stripe", "window_s": "x"}'),
    ('{"psps": "stripe", "more": 1}')) t (holds)
CROSS JOIN LATERAL pg_temp.begin('m1', 'k-bad', 'bad', '{bad:100}',
    p_terms => jsonb_build_object('holds', t.holds)) b;

\i :checks

SELECT finish();
ROLLBACK;

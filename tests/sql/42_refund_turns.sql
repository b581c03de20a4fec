-- Several words of a PSP about one object: however they are divided into calls,
-- the end is the same.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

-- words as news:object:amount, in one call
CREATE FUNCTION pg_temp.words(
    p_about text, p_words text[], p_token text, p_reference text DEFAULT NULL,
    p_currency text DEFAULT 'USD')
RETURNS text LANGUAGE sql AS $$
SELECT string_agg(e.outcome, ' ' ORDER BY e.item)
FROM (SELECT cardinality(p_words) AS many, array_agg(split_part(w, ':', 1)
              ORDER BY n) AS news,
          array_agg(split_part(w, ':', 2) ORDER BY n) AS object,
          array_agg(split_part(w, ':', 3)::bigint ORDER BY n) AS amount,
          array_agg(concat_ws('-', 'evt', p_about, p_token, w, n) ORDER BY n)
              AS event
      FROM unnest(p_words) WITH ORDINALITY AS u (w, n)) x
CROSS JOIN LATERAL pay_api.apply_change(
    array_fill('stripe'::text, ARRAY[x.many]),
    array_fill('webhook'::text, ARRAY[x.many]), x.event,
    array_fill('psp.word'::text, ARRAY[x.many]),
    array_fill(p_about, ARRAY[x.many]), x.news,
    array_fill(p_token, ARRAY[x.many]),
    array_fill(p_reference, ARRAY[x.many]), x.object,
    array_fill(NULL::text, ARRAY[x.many]), x.amount,
    array_fill(p_currency, ARRAY[x.many]),
    array_fill(NULL::bigint, ARRAY[x.many]),
    array_fill(NULL::text, ARRAY[x.many]),
    array_fill(NULL::text, ARRAY[x.many]),
    array_fill(sha256('body'), ARRAY[x.many]),
    array_fill('request-10'::text, ARRAY[x.many])) e
WHERE coalesce(e.place, 1) = 1
$$;
CREATE FUNCTION pg_temp.suspense(p_checkout text) RETURNS bigint
LANGUAGE sql AS $$
SELECT coalesce(sum(l.amount_minor), 0)::bigint FROM pay.journal_entry e
JOIN pay.journal_line l USING (merchant_id, source, kind)
WHERE e.checkout_id = p_checkout AND l.account = 'suspense'
$$;
-- all that is left of a refund in its checkout
CREATE FUNCTION pg_temp.left_of(p_checkout text, p_object text)
RETURNS text LANGUAGE sql AS $$
SELECT concat_ws(' / ', pg_temp.suspense(p_checkout),
    pg_temp.booked('event/stripe/' || p_object),
    pg_temp.doubts(p_checkout), (
        SELECT string_agg(c.status, ' ') FROM pay.change c
        WHERE c.checkout_id = p_checkout AND c.reference = p_object))
$$;

SELECT pg_temp.sold('c' || n, ARRAY['o' || n || ':1200'])
FROM generate_series(1, 12) n
\g /dev/null
SELECT is(pg_temp.news('dispute', 'opened', 'dp-' || n, 1200, 't-c' || n),
          'applied', 'an open dispute leaves no room for a refund')
FROM generate_series(1, 5) n;

-- a refund that was made at the PSP, and bounces
SELECT is(pg_temp.words('refund', ARRAY[w], 't-c1'), 'mismatch', w)
FROM (VALUES ('succeeded:re-1:1200'), ('failed:re-1:1200')) t (w);
SELECT is(pg_temp.left_of('c1', 're-1'), '0 / unknown_refund 1200, '
          'unknown_refund_cleared 1200 / refund exceeds re-1, '
          'refund returned re-1', 'in two calls');
SELECT is(pg_temp.words('refund',
              '{succeeded:re-2:1200,failed:re-2:1200}', 't-c2'),
          'mismatch mismatch', 'both words in one call');
SELECT is(pg_temp.left_of('c2', 're-2'), '0 / unknown_refund 1200, '
          'unknown_refund_cleared 1200 / refund exceeds re-2, '
          'refund returned re-2', 'the same');
SELECT is(pg_temp.words('refund', '{succeeded:re-3:1200,failed:re-3:1200,'
              'failed:re-3:1200,succeeded:re-3:1200}', 't-c3'),
          'mismatch mismatch unchanged contradiction', 'and so on');
SELECT is(pg_temp.suspense('c3'), 0::bigint, 'nothing is left');

-- the second word waits for the payment's id, which the first one brings
SELECT is(pg_temp.news('refund', 'failed', 're-4', 1200, NULL, 'py-4'),
          'parked', 'it bounces: nobody knows the payment');
SELECT is(pg_temp.news('refund', 'succeeded', 're-4', 1200, 't-c4', 'py-4'),
          'mismatch', 'it was made, of that payment');
SELECT is(pg_temp.left_of('c4', 're-4'), '0 / unknown_refund 1200, '
          'unknown_refund_cleared 1200 / refund exceeds re-4, '
          'refund returned re-4', 'the same');

-- a settlement file has both
SELECT is(pg_temp.import('turns', ARRAY[
    's1|refund_returned|re-5|pi-c5||1200|0|1200',
    's2|refund|re-5|pi-c5||-1200|0|-1200'], p_step => 1) ~ '^booked', true,
    'both rows in one file');
SELECT is(pg_temp.left_of('c5', 're-5'), '0 / unknown_refund 1200, '
          'unknown_refund_cleared 1200 / refund exceeds re-5, '
          'refund returned re-5', 'the same');

-- all of it waits for the token
SELECT outcome FROM pg_temp.begin('m1', 'k-p', 'p', '{op:1200}')
\g /dev/null
SELECT is(pg_temp.fact('t-p', 'paid', p_reference => 'pi-p'), 'parked',
          'the payment');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-p', 1200, 't-p'), 'parked',
          'its dispute');
SELECT is(pg_temp.news('refund', w, 're-p', 1200, 't-p',
                       p_event => 'p' || n), 'parked', w)
FROM (VALUES (1, 'succeeded'), (2, 'failed')) t (n, w);
SELECT is(pg_temp.token('m1', 'p', 't-p'), 'stored', 'the token');
SELECT is(pg_temp.left_of('p', 're-p'), '0 / unknown_refund 1200, '
          'unknown_refund_cleared 1200 / refund exceeds re-p, '
          'refund returned re-p', 'the same');
SELECT is(string_agg(i.state, ' ' ORDER BY i.event_id), 'mismatch mismatch',
          'the inbox has it')
FROM pay.webhook_inbox i WHERE i.event_id IN ('p1', 'p2');

-- a failure of which nothing else is known, and what follows it
SELECT pg_temp.sold('d' || n, ARRAY[format('od%sa:100', n),
                                   format('od%sb:50', n)])
FROM generate_series(1, 2) n
\g /dev/null
SELECT is(pg_temp.words('refund', ARRAY[w], 't-d1'), x, w)
FROM (VALUES ('failed:re-d1:10', 'mismatch'),
             ('succeeded:re-d1:10', 'contradiction')) t (w, x);
SELECT is(pg_temp.words('refund', '{failed:re-d2:10,succeeded:re-d2:10}',
                        't-d2'), 'mismatch contradiction', 'in one call');
SELECT is(concat_ws(' / ', pg_temp.money('od2a'), pg_temp.doubts('d2')),
          '0 100 0 0 0 / refund failed re-d2, refund contradiction re-d2',
          'it has failed');

-- a fee that is told twice, between words about other objects
SELECT is(pg_temp.words('fee', '{succeeded:fee-6:30,succeeded:fee-7:5,'
              'succeeded:fee-6:30,failed:fee-6:30}', 't-c6'),
          'applied applied unchanged applied', 'in one call');
SELECT is(concat_ws(' / ', pg_temp.booked('event/stripe/fee-6'),
                    pg_temp.booked('event/stripe/fee-7')),
          'psp_fee 30, psp_fee_returned 30 / psp_fee 5', 'booked once');

SET CONSTRAINTS ALL IMMEDIATE;
\i :checks
SELECT finish();
ROLLBACK;

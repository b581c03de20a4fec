-- pay_view as the person on call reads it: who is stuck and why.

BEGIN;
\ir helpers.psql
SELECT no_plan();

SELECT b.outcome FROM generate_series(1, 9) n,
    pg_temp.begin('m1', 'k' || n, 'c' || n, ARRAY['o' || n || ':1234']) b
\g /dev/null
SELECT pg_temp.token('m1', 'c' || n, 't' || n) FROM generate_series(1, 6) n
\g /dev/null
SELECT is_empty('SELECT * FROM pay_view.stuck', 'all goes well at first');
SELECT is_empty('SELECT * FROM pay_view.jobs WHERE state <> ''waiting''
                 OR overdue IS NOT NULL', 'and nothing is due');

-- c1 paid, c2 mismatch, c3 and c4 by their job, c5 late, c6 past its life
SELECT pg_temp.fact('t1', 'paid'), pg_temp.fact('t2', 'paid', p_amount => 1,
    p_currency => 'JPY')
\g /dev/null
UPDATE pay.job SET code = 'psp_not_configured' WHERE checkout_id = 'c3';
UPDATE pay.job SET code = 'no_answer', attempts = 5 WHERE checkout_id = 'c4';
UPDATE pay.job SET run_at = now() - interval '2 minutes'
WHERE checkout_id = 'c5';
UPDATE pay.checkout SET expires_at = now() - interval '31 minutes'
WHERE checkout_id = 'c6';
-- c7 is not registered, c8 is leased, c9 was until a while ago
UPDATE pay.checkout SET created_at = now() - interval '6 minutes'
WHERE checkout_id = 'c7';
UPDATE pay.job SET run_at = now() - interval '1 hour', lease_owner = 'w',
    lease_until = now() + interval '1 s' WHERE checkout_id = 'c8';
UPDATE pay.job SET run_at = now() - interval '1 hour', lease_owner = 'w',
    lease_until = now() - interval '30 s' WHERE checkout_id = 'c9';

SELECT is(string_agg(checkout_id || ' ' || why, ', ' ORDER BY checkout_id),
    'c2 mismatch, c3 psp_not_configured, c4 no_answer, c5 no_worker, '
    'c6 past_expiry, c7 not_registered', 'stuck says who and why')
FROM pay_view.stuck;
SELECT is((status, total, job, token)::text, '(EXECUTING,12.34,poll,t2)',
          'and where it stands')
FROM pay_view.stuck WHERE checkout_id = 'c2';
SELECT is(string_agg(concat_ws(' ', checkout_id, state, overdue), ', '
                     ORDER BY checkout_id),
    'c2 waiting, c3 waiting, c4 waiting, c5 due 00:02:00, c6 waiting, '
    'c7 waiting, c8 leased, c9 due 00:00:30', 'jobs, and since when')
FROM pay_view.jobs;

SELECT is((kind, source, currency, amount, own_currency, total, status)::text,
          '(currency,webhook,JPY,1,USD,12.34,EXECUTING)', 'a mismatch')
FROM pay_view.mismatches;

-- a failed one about which the PSP is asked is stuck only without answers
UPDATE pay.job SET code = NULL, run_at = now() + interval '1 h',
    lease_owner = NULL, lease_until = NULL WHERE checkout_id = 'c6';
SELECT pg_temp.fact('t6', 'declined'), pg_temp.fact('t6', 'ask')
\g /dev/null
SELECT is_empty('SELECT * FROM pay_view.stuck WHERE checkout_id = ''c6''',
                'a failed order has no expiry to pass');
SELECT is((j.state, j.again_at)::text, row('due', now())::text,
          'jobs show what was asked for')
FROM pay_view.jobs j WHERE j.checkout_id = 'c6';
UPDATE pay.job SET code = 'no_answer', attempts = 5 WHERE checkout_id = 'c6';
SELECT is(s.why || ' ' || s.status, 'no_answer FAILED', 'no answer')
FROM pay_view.stuck s WHERE s.checkout_id = 'c6';

-- a registration that moved, and a token of the PSP that it has left
SELECT b.outcome FROM pg_temp.begin('m1', 'k-moved', 'moved', '{o-moved:1234}',
                                    p_psps => 'stripe adyen') b
\g /dev/null
SELECT pg_temp.reroute('m1', 'moved', 'stripe', 'refused'),
    pg_temp.token('m1', 'moved', 'left', p_alias => 'left-alias')
\g /dev/null
SELECT is((c.psp, c.psps, c.refused_psps, c.open_attempts, c.alias)::text,
          '(adyen,"{stripe,adyen}",{stripe},1,)', 'checkouts show the move')
FROM pay_view.checkouts c WHERE c.checkout_id = 'moved';
SELECT is((m.kind, m.psp, m.token, m.alias, m.own_token, m.amount)::text,
          '(left_psp,stripe,left,left-alias,,)', 'mismatches the late token')
FROM pay_view.mismatches m WHERE m.checkout_id = 'moved';

SELECT pg_temp.fact('x1', 'paid', p_amount => 500, p_currency => 'USD'),
    pg_temp.fact('x2', 'paid', p_amount => 500, p_currency => 'ZZZ'),
    pg_temp.fact('x3', 'expired'), pg_temp.fact('', 'none', 'e1')
\g /dev/null
SELECT is(string_agg(concat_ws(' ', token, fact, amount, currency, age), ', '
                     ORDER BY token),
          'x1 paid 5.00 USD 00:00:00, x2 paid ZZZ 00:00:00, '
          'x3 expired 00:00:00', 'parked webhooks, whatever the currency')
FROM pay_view.parked;

-- dead letters: what they are about, how long, and who closed them
SELECT b.outcome FROM pg_temp.begin('m1', 'k-late', 'late', '{o-late:990}',
                                    p_late => 'hold') b
\g /dev/null
SELECT pg_temp.token('m1', 'late', 't-late'), pg_temp.fact('t-late', 'expired'),
    pg_temp.fact('t-late', 'paid', p_reference => 'pi-late'),
    pg_temp.no_token('m1', 'c7', 'unknown', 'timeout', p_reach => 'written',
                     p_dead => 'retry_limit')
\g /dev/null
INSERT INTO pay.dead_letter (psp, event_id, kind, reason, at)
SELECT 'stripe', i.event_id, 'parked', 'parked', now() - interval '2 h'
FROM pay.webhook_inbox i WHERE i.token = 'x1';
SELECT is(string_agg(concat_ws(' ', d.kind, d.reason, d.state,
        coalesce(d.payment_order_id, d.token), d.psp, d.amount, d.currency,
        d.attempts, d.code, d.fact), ', ' ORDER BY d.kind),
    'late_success held open o-late stripe 9.90 USD 0, '
    'parked parked open x1 stripe 5.00 USD 0 paid, '
    'register retry_limit open o7 stripe 12.34 USD 1 timeout',
    'dead letters, with what they are about')
FROM pay_view.dead_letters d;
SELECT is(d.age, interval '2 h', 'and for how long')
FROM pay_view.dead_letters d WHERE d.kind = 'parked';
SELECT is((s.why, s.status, s.dispatch_state)::text,
          '(dead_letter,EXECUTING,UNKNOWN)', 'stuck: that comes first')
FROM pay_view.stuck s WHERE s.checkout_id = 'c7';
SELECT is((s.why, s.status, s.job)::text, '(dead_letter,FAILED,)',
          'stuck: without a job, too')
FROM pay_view.stuck s WHERE s.checkout_id = 'late';
SELECT is(count(*), 0::bigint, 'none of them is closed')
FROM pay_view.dead_letters d WHERE d.state <> 'open';
SELECT is(pay_ops.resolve_dead_letter(d.dead_letter_id, 'ann', 'seen'),
          'resolved', d.kind || ' is closed')
FROM pay_view.dead_letters d WHERE d.kind IN ('register', 'late_success');
SELECT is((d.state, d.closed_by, d.closed_why)::text, '(resolved,ann,seen)',
          'closed ones stay, with who and why')
FROM pay_view.dead_letters d WHERE d.kind = 'register';

-- the journal and late payments
UPDATE pay.checkout SET created_at = now() - interval '6 minutes'
WHERE checkout_id = 'c7';
UPDATE pay.job SET run_at = now() + interval '1 min' WHERE checkout_id = 'c7';
SELECT is(s.why, 'unknown', 'stuck: nobody knows whether the PSP has it')
FROM pay_view.stuck s WHERE s.checkout_id = 'c7';
SELECT is((j.dispatch_state, j.sends, j.key_until > now())::text,
          '(UNKNOWN,1,t)', 'jobs show their newest call')
FROM pay_view.jobs j WHERE j.checkout_id = 'c7';
SELECT is((d.operation, d.state, d.sender, d.reach, d.may_be_resent)::text,
          '(register,UNKNOWN,,written,t)', 'a call')
FROM pay_view.dispatches d WHERE d.checkout_id = 'c7';
SELECT is(d.sender, 'sending', 'somebody is at it')
FROM pay_view.dispatches d WHERE d.checkout_id = 'c8';
UPDATE pay.registration SET lease_until = now() WHERE checkout_id = 'c8';
SELECT is(d.sender, 'gone', 'nobody is any more')
FROM pay_view.dispatches d WHERE d.checkout_id = 'c8';
SELECT is((l.state, l.amount, l.currency, l.reference, l.dead_letter_id)::text,
          '(resolved,9.90,USD,pi-late,)', 'a late payment')
FROM pay_view.late_successes l;

SELECT is(pg_temp.run_as('payments_auditor', 'SELECT * FROM pay_view.' || v),
          'ok', 'the auditor reads ' || v)
FROM unnest('{checkouts,orders,timeline,jobs,parked,mismatches,stuck,
              dead_letters,dispatches,late_successes,quarantine,
              backfills}'::text[]) v;
SELECT is(pg_temp.run_as('payments_gateway', 'SELECT * FROM pay_view.' || v),
          '42501', 'the gateway does not read ' || v)
FROM unnest('{jobs,parked,mismatches,stuck,dead_letters,dispatches,
              late_successes,quarantine,backfills}'::text[]) v;
SELECT is_empty($$
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'pay_view'::regnamespace
        AND obj_description(c.oid) IS NULL
$$, 'every view has a COMMENT');

\i :checks
SELECT finish();
ROLLBACK;

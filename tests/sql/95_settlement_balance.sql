-- store_balance: what a PSP says of its own balance, beside the ledger: the
-- interval of what is unsettled or under way, the exception of a balance outside
-- of it, and its end.

BEGIN;
\ir helpers.psql
\ir changes.psql
\ir settlement.psql
SELECT no_plan();

CREATE FUNCTION pg_temp.look(p_way text DEFAULT 'pull') RETURNS text
LANGUAGE sql AS $$
SELECT concat_ws(' ', b.outcome, b.balance_due)
FROM pay_api.begin_look('{stripe}', '{generic}', '{m1}', '{stripe}',
    ARRAY[NULL::text], ARRAY[p_way], '{w1}', '{60000}', '{60000}') b
$$;
-- what the PSP says, as currency:available:pending:reserved, and the verdicts
CREATE FUNCTION pg_temp.says(
    VARIADIC p_said text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_last    bigint := coalesce((SELECT max(b.balance_id)
                                  FROM pay.psp_balance b), 0);
    v_outcome text;
BEGIN
    SELECT s.outcome INTO v_outcome
    FROM pay_api.store_balance('{stripe}', '{w1}', '{1}',
        ARRAY[NULL::text],
        ARRAY(SELECT 1::bigint FROM unnest(p_said)),
        ARRAY(SELECT split_part(x, ':', 1) FROM unnest(p_said) x),
        ARRAY(SELECT split_part(x, ':', 2)::bigint FROM unnest(p_said) x),
        ARRAY(SELECT split_part(x, ':', 3)::bigint FROM unnest(p_said) x),
        ARRAY(SELECT nullif(split_part(x, ':', 4), '')::bigint
              FROM unnest(p_said) x)) s;

    RETURN coalesce((
        SELECT string_agg(concat_ws(' ', b.currency, b.difference_minor,
            -b.below_minor, b.above_minor, b.verdict), ', '
            ORDER BY b.currency)
        FROM pay.psp_balance b
        WHERE b.balance_id > v_last AND b.source = 'stripe'), v_outcome);
END
$$;
CREATE FUNCTION pg_temp.queue() RETURNS text LANGUAGE sql AS $$
SELECT string_agg(concat_ws(' ', x.class, x.finding, x.playbook,
    x.amount_minor, x.currency, x.closed_as), ', ' ORDER BY x.exception_id)
FROM pay.settlement_exception x WHERE x.kind = 'balance'
$$;
CREATE FUNCTION pg_temp.resolves() RETURNS text LANGUAGE sql AS $$
SELECT pay_ops.resolve_settlement(x.exception_id, 'ann', 'a top-up')
FROM pay.settlement_exception x
WHERE x.kind = 'balance' AND x.closed_at IS NULL
$$;

SELECT is(pg_temp.look('dir'), 'due 0', 'a directory asks no PSP');
UPDATE pay.settlement_look SET run_at = now(), lease_until = now();
SELECT is(pg_temp.look(), 'due 1', 'a pull does, once a day');

-- nothing is compared before all open entries are counted
SELECT is(pg_temp.says('USD:5:0'), 'USD 5 0 0 unsettled', 'not counted yet');
SELECT is(l.balance_at - now(), '1 hour', 'it is asked again soon')
FROM pay.settlement_look l;
SELECT is(pg_temp.queue(), NULL, 'and nobody is bothered');
UPDATE pay.settlement_source SET since = now();
SELECT is(pg_temp.says('USD:0:0'), 'USD 0 0 0 agrees', 'nothing is there');
SELECT is(l.balance_at, date_trunc('day', now(), 'UTC') + interval '1 day',
          'once a day')
FROM pay.settlement_look l;
UPDATE pay.settlement_look SET run_at = now(), lease_until = now();
SELECT is(pg_temp.look(), 'due 0', 'not before');
SELECT is(pay_ops.ask_balance('stripe'), 'stored', 'unless an operator asks');
SELECT is(pay_ops.ask_balance('bank'), 'not_found', 'a bank is not asked');
UPDATE pay.settlement_look SET run_at = now(), lease_until = now();
SELECT is(pg_temp.look(), 'due 1', 'then at once');

-- a sale that no file has brought: its money is there, less a fee, or it is
-- paid out already
SELECT pg_temp.sold('c1', ARRAY['o1:1000'])
\g /dev/null
SELECT is(pg_temp.says('USD:0:1000'), 'USD 0 -1000 0 agrees', 'pending');
SELECT is(pg_temp.says('USD:0:970'), 'USD -30 -1000 0 agrees', 'less a fee');
SELECT is(pg_temp.says('USD:0:0'), 'USD -1000 -1000 0 agrees', 'paid out');
SELECT is(pg_temp.says(VARIADIC '{}'::text[]), 'USD -1000 -1000 0 agrees',
          'a currency that the PSP does not list has no balance');
SELECT is(pg_temp.says('USD:-1:0'), 'USD -1001 -1000 0 differs',
          'one cent is missing');
SELECT is(pg_temp.queue(), '2 differs balance-differs -1001 USD',
          'it waits for an operator');
SELECT is(pg_temp.says('USD:1001:0'), 'USD 1 -1000 0 differs',
          'one cent too much');
SELECT is(pg_temp.queue(), '2 differs balance-differs 1 USD',
          'the same exception says so');
SET LOCAL search_path = pay, tap, pg_temp;
SELECT is(settlement_figures() ->> 'differ', '1', 'it is counted');
SELECT is(s ->> 'balance_at' IS NOT NULL, s ->> 'source' = 'stripe',
          'and when it was compared')
FROM jsonb_array_elements(settlement_figures() -> 'sources') s;
SET LOCAL search_path = tap, pg_temp;
SELECT is(pay_ops.accept_settlement(x.exception_id, 'ann', 'why'), 'nothing',
          'there is nothing to book')
FROM pay.settlement_exception x WHERE x.kind = 'balance';
SELECT is(pay_ops.write_off_settlement(x.exception_id, 'ann', 'why'),
          'nothing', 'nor to write off')
FROM pay.settlement_exception x WHERE x.kind = 'balance';
SELECT is(pg_temp.says('USD:500:500'), 'USD 0 -1000 0 agrees', 'it is there');
SELECT is(pg_temp.queue(), '2 differs balance-differs 1 USD matched',
          'and the exception is gone');

-- the file: then every cent counts
SELECT is(pg_temp.import('po-1', ARRAY['r1|sale|ch-1|pi-c1||1000|-30|970',
        'p1|payout|po-1|||-900|0|-900']), 'booked 2 1 1 0 0', 'a file');
SELECT is(pg_temp.says('USD:70:0'), 'USD 0 0 0 agrees', 'to the cent');
SELECT is(pg_temp.says('USD:75:0'), 'USD 5 0 0 differs', 'five too much');
SELECT is(pg_temp.resolves(), 'resolved', 'an operator knows why');
SELECT is(pg_temp.says('USD:70:5'), 'USD 5 0 0 agrees', 'it is accepted');
SELECT is(concat_ws(' ', b.accepted, b.lowest, b.highest, b.closed_as),
          '0.05 0.05 0.05', 'from now on')
FROM pay_view.psp_balances b WHERE b.is_last;
SELECT is(pg_temp.says('USD:70:0'), 'USD 0 0 0 differs', 'but no other one');
SELECT is(split_part(pg_temp.queue(), ', ', 3),
          '2 differs balance-differs -5 USD', 'less what was accepted');
SELECT is(pg_temp.says('USD:75:0'), 'USD 5 0 0 agrees', 'there it is');

-- an accepted difference is as wide as the night was unsettled, and becomes
-- narrower with each look that agrees
SELECT pg_temp.sold('c2', ARRAY['o2:400'])
\g /dev/null
SELECT is(pg_temp.says('USD:1000:0'), 'USD 530 -400 0 differs', 'too much');
SELECT is(pg_temp.resolves(), 'resolved', 'that is known');
SELECT is(pg_temp.says('USD:1000:0'), 'USD 530 -400 0 agrees', 'then it agrees');
SELECT is(concat_ws(' ', b.known_low, b.known_high), '530 930',
          'the difference is somewhere between')
FROM pay.psp_balance b ORDER BY b.balance_id DESC LIMIT 1;
SELECT is(pg_temp.import('po-2', ARRAY['r2|sale|ch-2|pi-c2||400|0|400',
        'p2|payout|po-2|||-400|0|-400']), 'booked 2 1 1 0 0', 'settled');
SELECT is(pg_temp.says('USD:600:0'), 'USD 530 0 0 agrees', 'a quiet night');
SELECT is(concat_ws(' ', b.known_low, b.known_high), '530 530', 'to the cent')
FROM pay.psp_balance b ORDER BY b.balance_id DESC LIMIT 1;
SELECT is(pg_temp.says('USD:599:0'), 'USD 529 0 0 differs', 'one is missing');
SELECT is(pg_temp.says('USD:600:0'), 'USD 530 0 0 agrees', 'and is back');

-- under way: a checkout that is open, a refund without an answer
SELECT is(b.outcome, 'created', 'a checkout')
FROM pg_temp.begin('m1', 'k-open', 'open', ARRAY['oo:2000']) b;
SELECT is(pg_temp.says('USD:2600:0'), 'USD 2530 0 2000 agrees',
          'the buyer may have paid');
SELECT is(pg_temp.says('USD:2601:0'), 'USD 2531 0 2000 differs', 'not twice');
SELECT is(pg_temp.says('USD:600:0'), 'USD 530 0 2000 agrees', 'or not yet');
SELECT pg_temp.no_token('m1', 'open', 'refused', 'refused')
\g /dev/null

SELECT is(pg_temp.change('o2', 'refund', 'back', 100), 'created refund '
    'NOT_STARTED 100', 'a refund');
SELECT is(pg_temp.says('USD:500:0'), 'USD 430 -100 0 agrees',
          'the PSP may have taken it');
SELECT is(pg_temp.says('USD:600:0'), 'USD 530 -100 0 agrees', 'or not yet');
SELECT is(pg_temp.news('dispute', 'opened', 'dp-1', 300, 't-c2'), 'applied', 'a dispute');
SELECT is(pg_temp.says('USD:200:0'), 'USD 130 -400 0 agrees',
          'whose money goes when it opens');

-- rows that wait, a reserve
SELECT pg_temp.sold('c3', ARRAY['o3:800'])
\g /dev/null
SELECT is(pg_temp.import('po-3', ARRAY['r3|sale|ch-3|pi-c3||700|0|700',
        'w3|withheld||||-50|0|-50']), 'booked 2 0 1 1 0',
    'another amount than the booked one, and a reserve');
SELECT is(split_part(pg_temp.says('USD:0:0'), ' ', 3), '-1950',
    'the sale, the row, and the reserve that the PSP does not show, too');
SELECT is(split_part(pg_temp.says('USD:0:0:50'), ' ', 3), '-1900',
    'the PSP shows it');

-- another currency, which the PSP converts at a rate that nobody knows
SELECT is(pg_temp.says('USD:1600:0'), 'USD 730 -1950 700 agrees', 'as it is');
SELECT is(b.outcome, 'created', 'euros')
FROM pg_temp.begin('m1', 'k-eur', 'eur', ARRAY['oe:900'],
                   p_currency => 'EUR') b;
SELECT is(pg_temp.says('USD:9999:0'), 'EUR 0 0 900 agrees, '
    'USD 9129 -1950 700 unsettled', 'they may have become dollars');
SELECT is(pg_temp.says('USD:-9999:0'), 'EUR 0 0 900 agrees, '
    'USD -10869 -1950 700 differs', 'euros that come in take no dollars away');
SELECT is(pg_temp.says('USD:9999:0', 'EUR:0:0'), 'EUR 0 0 900 agrees, '
    'USD 9129 -1950 700 differs', 'unless the PSP holds euros');

-- misuse
SELECT is(s.outcome, 'gone', 'another worker''s lease')
FROM pay_api.store_balance('{stripe}', '{w2}', '{1}', '{NULL}', '{}', '{}',
                           '{}', '{}', '{}') s;
SELECT is(s.outcome, 'gone', 'no such source')
FROM pay_api.store_balance('{nobody}', '{w1}', '{1}', '{NULL}', '{}', '{}',
                           '{}', '{}', '{}') s;
SELECT is(s.outcome, 'stored', 'the PSP has said nothing')
FROM pay_api.store_balance('{stripe}', '{w1}', '{0}', '{http-error}', '{}',
                           '{}', '{}', '{}', '{}') s;
SELECT is(l.balance_at - now(), '1 hour', 'it is asked again')
FROM pay.settlement_look l;
SELECT throws_ok('UPDATE pay.psp_balance SET our_minor = 0', 'PAY20', NULL,
                 'what a PSP has said stays');
SELECT throws_ok('DELETE FROM pay.psp_balance', 'PAY20', NULL, 'all of it');

-- the API
SELECT is(concat_ws(' ', i ->> 'source', i ->> 'currency', i ->> 'available',
        i ->> 'reserved', i ->> 'difference', i ->> 'verdict',
        i ->> 'exception_id' IS NOT NULL), 'stripe USD 99.99 91.29 differs t',
    'the last look')
FROM pay_api.list_psp_balances('{m1}', '{stripe}', '{USD}') l,
    json_array_elements(l.page::json -> 'balances') i;
SELECT is(l.page::json ->> 'balances', '[]', 'a merchant sees its own')
FROM pay_api.list_psp_balances('{m2}', '{NULL}', '{NULL}') l;

\i :checks
SELECT * FROM finish();
ROLLBACK;

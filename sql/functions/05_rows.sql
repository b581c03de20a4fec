-- The types of the rows that the functions of pay_api return: for each shape of
-- src/op/rows.list a type of its name, with item and outcome in front of its
-- columns.  ci/check-ops compares them with that list.  A type whose columns
-- have changed is dropped and made again; the functions that return it are
-- dropped with it, and the files after this one make them again.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


DO $$
DECLARE
    c_checkout CONSTANT text := ', merchant_id text, checkout_id text, '
        'checkout_uuid text, psp text, nonce text, handle text, token text, '
        'alias text, hosted_url text, return_url text, base_url text, '
        'currency text, total_minor bigint, expires_s bigint, '
        'registration_state text, attempt bigint, code text, '
        'version bigint, capture text, replaces text, replaced_by text, '
        'risk text, trace text';
    c_line CONSTANT text := ', place bigint, order_id text, '
        'seller_account text, order_minor bigint, order_status text, '
        'order_reason text, authorized_minor bigint, captured_minor bigint, '
        'refunding_minor bigint, refunded_minor bigint, '
        'charged_back_minor bigint, credit_currency text, '
        'credit_minor bigint, credit_rate text, credit_until text, '
        'decline text, fee_minor bigint, fee_tax_minor bigint';
    c_order CONSTANT text := ', checkout_id text, psp text, handle text, '
        'token text, base_url text, expires_s bigint, version bigint, '
        'first_status text, currency text';
    c_change CONSTANT text := ', change_id text, change_kind text, '
        'payment_order_id text, change_status text, amount_minor bigint, '
        'change_currency text, reason text, change_code text, '
        'reference text, change_metadata text, created_at text, '
        'changed_at text, payment_reference text';
    c_job CONSTANT text := ', kind text, attempts bigint, '
        'operation_id text, reference text';
    v_row   record;
BEGIN
    FOR v_row IN
        SELECT l.name || '_row' AS name, l.about,
            'item integer, outcome text' || l.columns AS columns
        FROM (VALUES
            ('outcome', '', 'What became of an item'),
            ('checkout', c_checkout || c_line,
             'A checkout and one of its orders: a row for each of them'),
            ('order', c_order || c_line,
             'An order and what its checkout says of it'),
            ('change', c_change || c_checkout || c_line,
             'A capture, a cancellation or a refund, and its checkout'),
            ('visit', ', is_pending bigint, page text' || c_checkout || c_line,
             'A checkout as its buyer sees it'),
            ('job', c_job || c_checkout || c_line, 'A job and its checkout'),
            ('replay', ', replay_id bigint, psp text, event_id text, '
             'message_id text, body bytea',
             'The kept body of a webhook, to be read again'),
            ('dispatch', ', attempt bigint, sends bigint',
             'Of a call: its attempt, and how often it was sent'),
            ('span', ', since_s bigint, until_s bigint',
             'Seconds since 1970, from one to the other'),
            ('age', ', age_ms bigint', 'How old rates are'),
            ('buyer_history', ', orders bigint, failures bigint, '
             'disputes bigint, ships bigint, psp_risk bigint, cents bigint, '
             'devices bigint, device_at bigint',
             'A buyer''s earlier checkouts, and an amount in US cents'),
            ('report', ', name text, url text',
             'A settlement report that a webhook has announced'),
            ('reread', ', file_id bigint, name text, digest bytea, '
             'next_sha256 bytea, is_begun bigint, format text, account text',
             'A settlement that is pulled again'),
            ('settlement', ', file_id bigint, attempt bigint, format text, '
             'account text, state text',
             'A settlement file, and how it is read'),
            ('look', ', since_s bigint, balance_due bigint, file_id bigint',
             'A look at a source of settlement files: from when on, and '
             'whether the PSP is asked for the balance'),
            ('payout_call', ', payout_id text, number bigint, call text, '
             'step bigint, key text, amount_minor bigint, currency text, '
             'kind text, country text, destination_id text, '
             'version bigint, details bytea, key_id text, id0 text, '
             'id1 text, id2 text, id3 text, made_s bigint, cursor text, '
             'seller_account text',
             'A call to a pay-out provider that a worker has claimed'),
            ('screening', ', destination_id text, version bigint, '
             'number bigint, seller_account text, currency text, kind text, '
             'country text, details bytea, key_id text',
             'A question to a screening provider that a worker has claimed'),
            ('delivery', ', merchant_id text, endpoint_id text, '
             'position bigint, number bigint, url text, scheme text, '
             'message_id text, body text, number1 bigint, sealed1 bytea, '
             'key_id1 text, number2 bigint, sealed2 bytea, key_id2 text, '
             'number3 bigint, sealed3 bytea, key_id3 text, trace text',
             'A message on its way to an endpoint'),
            ('close', ', number bigint, document text',
             'The document of a closed day, to be signed'),
            ('seal', ', number bigint, message text',
             'A seal''s message, to be signed'),
            ('changes', ', changes text', 'Changes as JSON'),
            ('events', ', events text', 'Events as JSON'),
            ('explanation', ', explanation text', 'An explanation as JSON'),
            ('page', ', page text', 'A page of a list as JSON'),
            ('payout_act', ', subject_id text, page text',
             'The subject of a request about pay-outs, as JSON'),
            ('balances', ', balances text', 'Balances as JSON'),
            ('statement', ', statement text', 'A statement as JSON'),
            ('beat', ', number bigint, is_standby bigint',
             'A beat as a server has it'),
            ('counts', ', counts text', 'Counts as JSON'))
            AS l (name, columns, about)
    LOOP
        IF v_row.columns IS DISTINCT FROM (
            SELECT string_agg(format('%s %s', a.attname,
                format_type(a.atttypid, NULL)), ', ' ORDER BY a.attnum)
            FROM pg_attribute a
            WHERE a.attrelid = to_regclass('pay_api.' || v_row.name))
        THEN
            EXECUTE format('DROP TYPE IF EXISTS pay_api.%I CASCADE',
                           v_row.name);
            EXECUTE format('CREATE TYPE pay_api.%I AS (%s)', v_row.name,
                           v_row.columns);
        END IF;

        EXECUTE format('REVOKE ALL ON TYPE pay_api.%I FROM PUBLIC',
                       v_row.name);
        EXECUTE format('COMMENT ON TYPE pay_api.%I IS %L', v_row.name,
                       v_row.about);
    END LOOP;
END
$$;

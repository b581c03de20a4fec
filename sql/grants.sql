-- The rights of each role, idempotent.  Applied after tables, functions and
-- views: nothing for PUBLIC, EXECUTE on pay_api for the gateway and on pay_relay
-- for relays, SELECT for auditors and operators, EXECUTE on pay_ops for
-- operators, on pay_console for the console and on pay_console_act for its acts
-- (docs/security.md T31).

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC',
                   current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM payments_gateway',
                   current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I'
                   ' TO payments_gateway, payments_auditor,'
                   ' payments_operator, payments_relay, payments_console,'
                   ' payments_console_act',
                   current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;

REVOKE ALL ON SCHEMA pay, pay_api, pay_view, pay_ops, pay_relay, pay_console,
    pay_console_act
    FROM PUBLIC, payments_gateway, payments_auditor, payments_operator,
        payments_relay, payments_console, payments_console_act;
REVOKE ALL ON ALL TABLES IN SCHEMA pay, pay_api, pay_view, pay_ops, pay_relay,
    pay_console, pay_console_act
    FROM PUBLIC, payments_gateway, payments_auditor, payments_operator,
        payments_relay, payments_console, payments_console_act;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA pay, pay_api, pay_view, pay_ops, pay_relay,
    pay_console, pay_console_act
    FROM PUBLIC, payments_gateway, payments_auditor, payments_operator,
        payments_relay, payments_console, payments_console_act;
REVOKE ALL ON ALL ROUTINES IN SCHEMA pay, pay_api, pay_view, pay_ops, pay_relay,
    pay_console, pay_console_act
    FROM PUBLIC, payments_gateway, payments_auditor, payments_operator,
        payments_relay, payments_console, payments_console_act;

ALTER DEFAULT PRIVILEGES FOR ROLE payments_owner
    REVOKE ALL ON ROUTINES FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE payments_owner
    REVOKE ALL ON TYPES FROM PUBLIC;

GRANT USAGE ON SCHEMA pay_api TO payments_gateway;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pay_api TO payments_gateway;

GRANT USAGE ON SCHEMA pay_relay TO payments_relay;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pay_relay TO payments_relay;

GRANT USAGE ON SCHEMA pay_console TO payments_console;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pay_console TO payments_console;

GRANT USAGE ON SCHEMA pay_console_act TO payments_console_act;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pay_console_act
    TO payments_console_act;

GRANT USAGE ON SCHEMA pay, pay_view TO payments_auditor, payments_operator;
GRANT SELECT ON ALL TABLES IN SCHEMA pay, pay_view
    TO payments_auditor, payments_operator;
-- with it, names are guessed from their digests
REVOKE SELECT ON pay.screening_salt FROM payments_auditor, payments_operator;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pay_view
    TO payments_auditor, payments_operator;
-- for sql/checks, which auditors run
GRANT EXECUTE ON FUNCTION pay.status_rank, pay.event_hash, pay.event_bytes,
    pay.hash_field, pay.iso_micros, pay.merkle_root, pay.seal_root,
    pay.seal_message, pay.seal_digest, pay.export_range, pay.half_even,
    pay.round_rate, pay.convert, pay.key_window, pay.seller_part,
    pay.whole_fee, pay.kept_fee, pay.fee_of, pay.advice_lines,
    pay.advice_of, pay.advice_holds
    TO payments_auditor, payments_operator;
-- for payctl risk show
GRANT EXECUTE ON FUNCTION pay.cards_of, pay.labels_of, pay.orders_of
    TO payments_auditor, payments_operator;

-- rows of files come by COPY, and are believed after their proof only
GRANT INSERT ON pay.settlement_staging TO payments_operator;

GRANT USAGE ON SCHEMA pay_ops TO payments_operator;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pay_ops TO payments_operator;

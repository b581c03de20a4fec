-- explain: the state of an order, for support: who waits for whom, the
-- gateway's next step, and whether a new checkout for the same goods is safe.
-- One body for the API (pay_api) and for operators (pay_view).  It reads a few
-- rows by key and changes nothing.  The sentences are for a clerk who does not
-- know how the gateway works.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- A job that a worker has in hand: at is when it became due.
CREATE OR REPLACE FUNCTION pay.explain_next(
    p_s standing, OUT what text, OUT at timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_busy boolean := coalesce(p_s.lease_until > now(), false);
    v_then timestamptz;
BEGIN
    at := coalesce(p_s.refund_at, CASE WHEN v_busy THEN p_s.run_at
        ELSE greatest(p_s.run_at, p_s.lease_until) END);
    v_then := greatest(at, now());

    IF p_s.change_at IS NOT NULL
        AND coalesce(p_s.change_at <= at, true)
    THEN
        what := 'change';
        at := p_s.change_at;
        RETURN;
    END IF;

    what := CASE
        WHEN at IS NULL THEN 'none'
        WHEN p_s.refund_at IS NOT NULL THEN 'refund'
        WHEN p_s.job = 'poll' THEN 'poll'
        WHEN v_busy AND p_s.sent = 'OPEN' THEN 'register'
        WHEN v_then >= p_s.expires_at THEN 'expire'
        WHEN p_s.sent IN ('OPEN', 'UNKNOWN') AND v_then >= p_s.key_until
            THEN 'find'
        ELSE 'register' END;
END
$$;
COMMENT ON FUNCTION pay.explain_next IS
    'The gateway''s next step about an order, and its time';


-- Orders that have a final status, or a late payment.
CREATE OR REPLACE FUNCTION pay.explain_final(
    p_s standing, OUT waits_for text, OUT why text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT v.waits_for, v.why INTO waits_for, why FROM (VALUES
        (p_s.status = 'SUCCESS' AND p_s.contradicted, 'nobody',
         'It is paid. %s has later said otherwise, or has reported a second '
         'payment; that changed nothing here, but an operator should compare '
         'it with the books of %1$s.'),
        (p_s.status = 'SUCCESS' AND p_s.change_letter
             AND p_s.change_code = 'no_reference', 'people',
         'It is paid. What was to follow (%3$s) cannot be sent: %1$s never '
         'reported the id of the payment, and the gateway has stopped '
         'waiting. '
         'An operator must look.'),
        (p_s.status = 'SUCCESS' AND p_s.change_code = 'no_reference', 'psp',
         'It is paid. What is to follow (%3$s) waits for the id of the '
         'payment, which %1$s has not reported yet.'),
        (p_s.status = 'SUCCESS' AND p_s.change_letter, 'people',
         'It is paid. Of what was to follow (%3$s) nobody knows whether %1$s '
         'has done it, and the gateway has stopped asking: an operator must '
         'look.'),
        (p_s.status = 'SUCCESS' AND p_s.change IS NOT NULL, 'psp',
         'It is paid, and what is to follow (%3$s) is on its way at %1$s.'),
        (p_s.status = 'SUCCESS', 'nobody', 'It is paid.'),
        (p_s.status = 'FAILED' AND p_s.contradicted AND p_s.late IS NOT NULL,
         'people', 'It was paid after its time was over, and %s has reported '
         'a second payment: an operator must pay that one back there.'),
        (p_s.status = 'FAILED' AND p_s.contradicted AND p_s.change_letter,
         'people', 'It has failed, but %1$s says that it holds the buyer''s '
         'money. It is not known whether it has given it back as it was '
         'told to, and the gateway has stopped asking: an operator must look.'),
        (p_s.status = 'FAILED' AND p_s.contradicted
             AND p_s.change = 'cancel', 'psp',
         'It has failed, but %1$s says that it holds the buyer''s money, and '
         'is being told to give it back.'),
        (p_s.status = 'FAILED' AND p_s.contradicted, 'people',
         'It has failed, but %s says that it holds the buyer''s money. That '
         'cannot become a sale any more: it is given back when an operator '
         'cancels the payment, or when the hold ends.'),
        (p_s.late = 'held', 'people',
         'It was paid after its time was over. Nothing is booked or paid '
         'back until an operator has decided.'),
        (p_s.letter = 'refund' AND p_s.letter_reason = 'refused', 'people',
         'It was paid after its time was over, and %s refuses to pay it '
         'back: an operator must look.'),
        (p_s.letter = 'refund' AND p_s.letter_reason = 'key_window_over',
         'people', 'It was paid after its time was over. %s may or may not '
         'have paid it back, and it is too late to tell it once more: '
         'an operator must ask %1$s.'),
        (p_s.letter = 'refund', 'people',
         'It was paid after its time was over, and paying it back has '
         'stopped after %2$s attempts: an operator must look.'),
        (p_s.late = 'refunding' AND p_s.refund_at IS NULL, 'people',
         'It was paid after its time was over, but no background work is '
         'left that would pay it back: an operator must look.'),
        (p_s.late = 'refunding' AND p_s.refund_code = 'psp_not_configured',
         'people', 'It was paid after its time was over, and %s, which would '
         'have to pay it back, is not set up here any more.'),
        (p_s.late = 'refunding', 'psp',
         'It was paid after its time was over, and %s is being asked to pay '
         'it back.'),
        (p_s.job = 'poll' AND p_s.job_code IS DISTINCT FROM 'last_look',
         'psp',
         'It has failed, but there may be news: %s is being asked again.'),
        (p_s.late IS NULL AND p_s.differs, 'people',
         '%s says that another amount or currency was paid: an operator must '
         'compare it with the books of %1$s.'),
        (p_s.late = 'refunded', 'nobody',
         'It was paid after its time was over, and paid back.'),
        (p_s.late = 'resolved', 'nobody',
         'It was paid after its time was over, and an operator has settled '
         'that by hand.'),
        (p_s.reason = 'risk', 'nobody',
         'It was refused because the risk was too high.'),
        (p_s.waits AND p_s.reason = 'cancelled', 'nobody',
         'The page that it was to replace was paid or could not be closed, '
         'so it never got one.'),
        (p_s.waits, 'nobody', 'Its time was over before the page that it '
         'was to replace was closed.'),
        (p_s.reason = 'declined', 'nobody', '%s declined the payment.'),
        (p_s.reason = 'cancelled', 'nobody', 'It was cancelled.'),
        (p_s.reason = 'rejected', 'nobody',
         '%s refused to take it, so there never was a page to pay on.'),
        (p_s.token IS NULL, 'nobody',
         '%s gave no page before its time was over, so no payment was '
         'possible.'),
        (p_s.job_code = 'last_look', 'nobody',
         'The buyer did not pay in time. %s has not confirmed that, and is '
         'asked once more.'),
        (true, 'nobody', 'The buyer did not pay in time.')
        ) v (fits, waits_for, why)
    WHERE v.fits LIMIT 1;
END
$$;
COMMENT ON FUNCTION pay.explain_final IS
    'The party that has to act, and why, after an order has ended';


-- Orders of which the PSP has not given a token yet.
CREATE OR REPLACE FUNCTION pay.explain_unregistered(
    p_s standing, p_what text, OUT waits_for text, OUT why text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT v.waits_for, v.why INTO waits_for, why FROM (VALUES
        (p_s.waits AND p_s.job IS NOT NULL AND p_what <> 'expire', 'psp',
         'The page that it replaces is being closed first; it gets its own '
         'when that is done.'),
        (p_s.letter = 'register' AND p_s.letter_reason = 'key_window_over',
         'people', '%s may or may not have it, and it is too late to send '
         'it once more: an operator must ask %1$s.'),
        (p_s.letter = 'register' AND p_s.letter_reason = 'cancelled',
         'people', 'The first attempt at %s brought no page, and no second '
         'one is to be made without an operator''s decision.'),
        (p_s.letter = 'register' AND p_s.sent IN ('OPEN', 'UNKNOWN'),
         'people', '%s gave no page in %2$s attempts and may or may not have '
         'it; the gateway has stopped asking: an operator must look.'),
        (p_s.letter = 'register', 'people',
         '%s gave no page in %2$s attempts, so the gateway has stopped '
         'asking: an operator must look.'),
        (p_s.job IS NULL, 'people',
         'No background work is left that would go on with it: an operator '
         'must look.'),
        (p_s.job_code = 'psp_not_configured', 'people',
         '%s is not set up here any more, so it cannot be asked.'),
        (p_s.job_code = 'request_refused', 'people',
         'What is stored of it cannot be sent to %s: an operator must look.'),
        (p_s.sent = 'OPEN' AND p_s.sent_lease_until > now(), 'psp',
         '%s is being asked for a page at this moment.'),
        (p_s.lease_until > now(), 'psp',
         '%s is being asked at this moment whether it has it.'),
        (p_what = 'expire' AND p_s.expires_at <= now(), 'gateway',
         'Its time is over and it never got a page: the next step closes '
         'it.'),
        (p_s.sent IN ('OPEN', 'UNKNOWN') AND p_what = 'expire', 'gateway',
         '%s may or may not have it; nothing more is sent, and it is closed '
         'when its time is over.'),
        (p_s.sent IN ('OPEN', 'UNKNOWN') AND p_what = 'find', 'psp',
         '%s may or may not have it, and it is too late to send it once '
         'more: %1$s is asked what it has.'),
        (p_s.sent IN ('OPEN', 'UNKNOWN'), 'psp',
         '%s may or may not have it: the same request is sent again, which '
         'cannot make a second one.'),
        (p_what = 'expire', 'gateway',
         'It is not at %s, and it is closed when its time is over.'),
        (true, 'gateway',
         'It is not at %s: the last attempt came to nothing, and the next '
         'one follows by itself.')
        ) v (fits, waits_for, why)
    WHERE v.fits LIMIT 1;
END
$$;
COMMENT ON FUNCTION pay.explain_unregistered IS
    'The party that has to act, and why, before there is a page to pay on';


-- Orders whose page the buyer has, or may have.
CREATE OR REPLACE FUNCTION pay.explain_registered(
    p_s standing, OUT waits_for text, OUT why text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT v.waits_for, v.why INTO waits_for, why FROM (VALUES
        (p_s.change_letter AND p_s.change_code = 'no_reference', 'people',
         'What was asked for (%3$s) cannot be sent: %1$s never reported the '
         'id of the payment, and the gateway has stopped waiting. An operator '
         'must look.'),
        (p_s.change_code = 'no_reference', 'psp',
         'What was asked for (%3$s) waits for the id of the payment, which '
         '%1$s has not reported yet.'),
        (p_s.change_letter, 'people',
         'It is not known whether %1$s has done what it was told (%3$s), and '
         'the gateway has stopped asking: an operator must look.'),
        (p_s.change = 'cancel', 'psp', '%s is being told to cancel it.'),
        (p_s.change = 'capture', 'psp',
         'The buyer has authorised the payment, and %s is being told to take '
         'the money.'),
        (p_s.differs, 'people',
         '%s says that another amount or currency was paid: an operator must '
         'compare it with the books of %1$s.'),
        (p_s.authorized, 'merchant',
         'The buyer has authorised the payment at %s, and nobody has asked '
         'for the money yet.'),
        (p_s.letter = 'poll', 'people',
         '%s did not say how it stands in %2$s attempts, so the gateway has '
         'stopped asking: an operator must look.'),
        (p_s.job IS NULL, 'people',
         'No background work is left that would go on with it: an operator '
         'must look.'),
        (p_s.job_code = 'psp_not_configured', 'people',
         '%s is not set up here any more, so it cannot be asked.'),
        (p_s.capture IN ('OPEN', 'UNKNOWN'), 'psp',
         'The buyer has agreed and %s was told to take the money; whether it '
         'has is not known yet, so it is asked.'),
        (p_s.capture IN ('DONE', 'PENDING') OR p_s.pending, 'psp',
         'The buyer has paid; %s has not said yet whether the money comes.'),
        (now() < p_s.expires_at, 'buyer',
         'There is a page at %s to pay on, and no payment is known yet.'),
        (p_s.job_code = 'no_answer', 'psp',
         'The time to pay is over, and %s does not answer how it ended: it '
         'is asked again.'),
        (now() < p_s.expires_at + interval '15 minutes', 'psp',
         'The time to pay is over, and %s is asked how it ended.'),
        (true, 'psp',
         'The time to pay is over, and %s has not said how it ended: it is '
         'asked again.')
        ) v (fits, waits_for, why)
    WHERE v.fits LIMIT 1;
END
$$;
COMMENT ON FUNCTION pay.explain_registered IS
    'The party that has to act, and why, while there is a page to pay on';


-- About a new checkout for the same goods; the same request with the same
-- key is safe at any time.
CREATE OR REPLACE FUNCTION pay.explain_retry(
    p_s standing, p_at timestamptz, OUT answer text, OUT after timestamptz,
    OUT reason text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_page_over  timestamptz := p_s.expires_at + interval '15 minutes';
    v_sale_over  timestamptz := p_s.expires_at + interval '1 hour';
BEGIN
    SELECT v.answer, v.after, v.reason INTO answer, after, reason FROM (VALUES
        (p_s.status = 'SUCCESS', 'no', NULL::timestamptz,
         'It is paid: another checkout would be a second sale.'),
        (p_s.old_paid, 'no', NULL,
         'The checkout that it replaces was paid, or may be: another one '
         'would be a second sale.'),
        (p_s.status = 'FAILED' AND p_s.old_open, 'no', NULL,
         'The page that it was to replace is not known to be closed, and the '
         'buyer may pay there: look at the checkout that it replaces.'),
        (p_s.replaced_by IS NOT NULL, 'no', NULL,
         'Another checkout has taken its place: look at that one.'),
        (p_s.late = 'held', 'no', NULL,
         'It was paid late, and an operator has to decide first whether it is '
         'a sale.'),
        (p_s.letter = 'refund' OR p_s.late = 'refunding'
             AND (p_s.refund_at IS NULL
                  OR p_s.refund_code = 'psp_not_configured'), 'no', NULL,
         'It was paid late, and an operator has to see first that it is paid '
         'back.'),
        (p_s.late = 'resolved', 'no', NULL,
         'It was paid late and settled by hand: ask who settled it first.'),
        (p_s.late = 'refunding', 'yes', NULL,
         'It was paid late, and that is being paid back.'),
        (p_s.late = 'refunded', 'yes', NULL,
         'It was paid late, and that was paid back.'),
        (p_s.differs, 'no', NULL,
         '%s says that something was paid, but not this amount.'),
        (p_s.status = 'FAILED' AND p_s.contradicted, 'no', NULL,
         '%s holds the buyer''s money: cancel the payment first.'),
        (p_s.status = 'FAILED' AND p_s.job = 'poll'
             AND p_s.job_code IS DISTINCT FROM 'last_look', 'after',
         greatest(p_at, now()),
         'There may be news, and %s is being asked: look again then.'),
        (p_s.status = 'FAILED' AND p_s.token IS NULL, 'yes', NULL,
         'Nobody ever had a page to pay on.'),
        (p_s.status = 'FAILED' AND p_s.closed, 'yes', NULL,
         '%s has closed the page: nobody can pay on it any more.'),
        (p_s.status = 'FAILED' AND now() < v_page_over, 'after',
         v_sale_over,
         'It has failed, but there is a page at %s on which the buyer may '
         'still pay.'),
        (p_s.status = 'FAILED' AND p_s.job = 'poll', 'after',
         greatest(p_at, now()),
         'Its time is over, but %s has not confirmed that nobody can pay any '
         'more, and is asked once more then.'),
        (p_s.status = 'FAILED' AND now() < v_sale_over, 'after', v_sale_over,
         'Its time is over, but a payment that was under way would still '
         'arrive.'),
        (p_s.status = 'FAILED', 'yes', NULL,
         'It has failed, and the time to pay is over.'),
        (p_s.registered = 'REGISTERING' AND now() < p_s.expires_at, 'after',
         p_s.expires_at,
         'It may still get a page to pay on. The same request with the same '
         'Idempotency-Key is safe at any time.'),
        (p_s.registered = 'REGISTERING' AND p_at IS NOT NULL, 'after',
         greatest(p_at, now()),
         'Its time is over, and it is about to be closed.'),
        (p_s.authorized, 'no', NULL,
         'The buyer has authorised the payment: cancel it first.'),
        (p_s.letter = 'poll' OR p_s.job IS NULL, 'no', NULL,
         'It is not known whether it was paid: an operator must ask %s '
         'first.'),
        (p_s.capture IN ('OPEN', 'UNKNOWN', 'PENDING', 'DONE')
             OR p_s.pending, 'no', NULL, 'A payment is under way.'),
        (now() < v_page_over, 'after', v_page_over,
         'There is a page on which the buyer may still pay.'),
        (true, 'no', NULL,
         'It is not known whether it was paid until %s has said so.')
        ) v (fits, answer, after, reason)
    WHERE v.fits LIMIT 1;
END
$$;
COMMENT ON FUNCTION pay.explain_retry IS
    'Whether a new checkout for the same goods is safe, and why';


-- The answer of the three judges, with the PSP's name in the sentences.
CREATE OR REPLACE FUNCTION pay.explain_standing(p_s standing)
RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_next  record;
    v_wait  record;
    v_retry record;
    v_why   text;
BEGIN
    v_next := explain_next(p_s);
    v_retry := explain_retry(p_s, v_next.at);

    IF p_s.status IN ('SUCCESS', 'FAILED') THEN
        v_wait := explain_final(p_s);
    ELSIF p_s.registered = 'REGISTERING' THEN
        v_wait := explain_unregistered(p_s, v_next.what);
    ELSE
        v_wait := explain_registered(p_s);
    END IF;

    v_why := format(v_wait.why, p_s.psp, p_s.letter_attempts, p_s.change)
        || CASE WHEN p_s.stuck THEN
            ' It takes longer than it should, and is on the list of those '
            'on call.' ELSE '' END
        || CASE WHEN v_next.at < now() - interval '1 minute'
            AND coalesce(p_s.lease_until <= now(), true) THEN
            ' The next step is late: nobody has taken it yet.' ELSE '' END;

    IF p_s.old_paid THEN
        v_why := v_why || ' The checkout that it replaces was paid all the '
            'same, or its money is held.';
    END IF;

    RETURN json_build_object(
        'waits_for', v_wait.waits_for, 'why', v_why,
        'next_step', json_build_object('what', v_next.what,
                                       'at', iso_time(v_next.at)),
        'safe_to_retry', json_build_object('answer', v_retry.answer,
            'after', iso_time(v_retry.after),
            'reason', format(v_retry.reason, p_s.psp)));
END
$$;
COMMENT ON FUNCTION pay.explain_standing IS
    'waits_for, why, next_step and safe_to_retry of an order';


CREATE OR REPLACE FUNCTION pay.explain_dispatches(
    p_merchant_id text, p_checkout_id text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(json_build_object(
    'operation', d.operation, 'operation_id', d.operation_id,
    'attempt', d.attempt, 'psp', d.psp, 'state', d.state, 'sends', d.sends,
    'unsure', d.unsure, 'first_sent_at', iso_time(d.first_sent_at),
    'sent_at', iso_time(d.sent_at), 'ended_at', iso_time(d.ended_at),
    'key_until', iso_time(d.key_until), 'reach', d.reach,
    'http_status', d.http_status, 'code', d.code, 'reference', d.reference)
    ORDER BY d.first_sent_at, d.attempt), '[]')
FROM (SELECT * FROM journal x
      WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_checkout_id
      ORDER BY x.first_sent_at DESC, x.attempt DESC LIMIT 100) d
$$;
COMMENT ON FUNCTION pay.explain_dispatches IS
    'The newest 100 calls about a checkout that may have changed something';


CREATE OR REPLACE FUNCTION pay.explain_letters(
    p_merchant_id text, p_checkout_id text, p_inside boolean)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(json_build_object(
    'id', d.dead_letter_id, 'kind', d.kind, 'operation_id', d.operation_id,
    'reason', d.reason, 'code', d.code, 'attempts', d.attempts, 'at', iso_time(d.at),
    'state', d.state, 'closed_at', iso_time(d.closed_at),
    'closed_by', CASE WHEN p_inside THEN d.closed_by END,
    'closed_why', CASE WHEN p_inside THEN d.closed_why END)
    ORDER BY d.dead_letter_id), '[]')
FROM (SELECT * FROM letters_of(p_merchant_id, p_checkout_id) x
      ORDER BY x.dead_letter_id DESC LIMIT 100) d
$$;
COMMENT ON FUNCTION pay.explain_letters IS
    'The newest 100 dead letters about a checkout, open and closed';


CREATE OR REPLACE FUNCTION pay.explain_exceptions(
    p_merchant_id text, p_checkout_id text, p_inside boolean)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(json_build_object(
    'id', m.mismatch_id, 'at', iso_time(m.at), 'kind', m.kind,
    'source', m.source, 'psp', m.psp,
    'event_id', m.event_id, 'token', m.token, 'alias', m.alias,
    'amount', decimal_text(m.amount_minor, m.currency),
    'currency', m.currency, 'own_token', m.own_token,
    'own_amount', decimal_text(m.total_minor, m.own_currency),
    'own_currency', m.own_currency, 'object', m.object, 'wrong', m.why,
    'request_id', m.request_id, 'settled_at', iso_time(s.at),
    'settled_by', CASE WHEN p_inside THEN s.who END,
    'settled_why', CASE WHEN p_inside THEN s.why END)
    ORDER BY m.mismatch_id), '[]')
FROM (SELECT * FROM mismatch x
      WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_checkout_id
      ORDER BY x.mismatch_id DESC LIMIT 100) m
LEFT JOIN mismatch_settlement s ON s.merchant_id = m.merchant_id
    AND s.checkout_id = m.checkout_id AND s.mismatch_id = m.mismatch_id
$$;
COMMENT ON FUNCTION pay.explain_exceptions IS
    'The newest 100 words of a PSP about a checkout that changed nothing';


CREATE OR REPLACE FUNCTION pay.explain_late(
    p_merchant_id text, p_checkout_id text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_build_object('at', iso_time(l.at), 'state', l.state,
    'psp', l.psp, 'source', l.source, 'event_id', l.event_id,
    'reference', l.reference,
    'amount', decimal_text(l.amount_minor, l.currency),
    'currency', l.currency, 'refund_id', l.refund_id)
FROM late_success l
WHERE l.merchant_id = p_merchant_id AND l.checkout_id = p_checkout_id
$$;
COMMENT ON FUNCTION pay.explain_late IS
    'The payment that came after a checkout had expired, if one did';


CREATE OR REPLACE FUNCTION pay.explain_disputes(
    p_merchant_id text, p_checkout_id text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(json_build_object(
    'dispute_id', d.dispute_id, 'psp', d.psp,
    'payment_order_id', d.payment_order_id, 'state', d.state,
    'amount', decimal_text(d.amount_minor, d.currency),
    'currency', d.currency, 'code', d.code,
    'opened_at', iso_time(d.opened_at), 'changed_at', iso_time(d.changed_at))
    ORDER BY d.opened_at, d.dispute_id, d.part), '[]')
FROM (SELECT * FROM dispute x
      WHERE x.merchant_id = p_merchant_id AND x.checkout_id = p_checkout_id
          AND x.state <> 'moved'
      ORDER BY x.opened_at DESC, x.part LIMIT 100) d
$$;
COMMENT ON FUNCTION pay.explain_disputes IS
    'The newest 100 disputes about a checkout';


CREATE OR REPLACE FUNCTION pay.explain_changes(p_order payment_order)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT coalesce(json_agg(json_build_object('change_id', c -> 'change_id',
    'kind', c -> 'kind', 'payment_order_id', c -> 'payment_order_id',
    'status', c -> 'status',
    'amount', decimal_text((c ->> 'amount_minor')::bigint, c ->> 'currency'),
    'currency', c -> 'currency', 'reason', c -> 'reason',
    'code', c -> 'code', 'reference', c -> 'reference',
    'metadata', c -> 'metadata', 'created_at', c -> 'created_at',
    'changed_at', c -> 'changed_at') ORDER BY n), '[]')
FROM json_array_elements(changes_of(p_order, NULL)) WITH ORDINALITY x (c, n)
$$;
COMMENT ON FUNCTION pay.explain_changes IS
    'The changes of an order, with amounts as the API shows them';


CREATE OR REPLACE FUNCTION pay.explain_orders(
    p_merchant_id text, p_checkout_id text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT json_agg(json_build_object('payment_order_id', o.payment_order_id,
    'seller_account', o.seller_account, 'status', o.status,
    'amount', decimal_text(o.amount_minor, o.currency)) ORDER BY o.position)
FROM payment_order o
WHERE o.merchant_id = p_merchant_id AND o.checkout_id = p_checkout_id
$$;
COMMENT ON FUNCTION pay.explain_orders IS
    'All orders of a checkout in a line each';


-- The names of rules would teach an attacker, and a key is personal: operators
-- see the first, and nobody sees the other one.
CREATE OR REPLACE FUNCTION pay.explain_risk(
    p_merchant_id text, p_payment_order_id text)
RETURNS json LANGUAGE sql STABLE AS $$
SELECT (jsonb_build_object('decision', d.decision, 'by', d.decided_by,
    'hits', d.hits, 'version', d.version, 'at', iso_time(d.at),
    'score', d.score)
    || jsonb_strip_nulls(jsonb_build_object(
        'browsers', browsers_of(d.merchant_id, d.checkout_id),
        'after', after_of(d.merchant_id, d.checkout_id))))::json
FROM find_order(p_merchant_id, p_payment_order_id) o
CROSS JOIN LATERAL (
    SELECT x.* FROM risk_decision x
    WHERE x.merchant_id = o.merchant_id AND x.checkout_id = o.checkout_id
    OFFSET 0) d
$$;
COMMENT ON FUNCTION pay.explain_risk IS
    'The decision about a checkout before its PSP was asked, its reasons, and '
    'the decisions after it; NULL: there was none';


-- The members in the sequence in which a reader needs them.  p_inside: for
-- operators, who see which operator decided something, and why.  p_sees_risk:
-- behind all else stands the decision about the risk, if there was one.
CREATE OR REPLACE FUNCTION pay.explain(
    p_merchant_id text, p_payment_order_id text, p_inside boolean,
    p_sees_risk boolean)
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_standing standing := standing_of(p_merchant_id, p_payment_order_id);
    v_answer   json;
    v_risk     json;
    v_all      text;
BEGIN
    IF v_standing IS NULL THEN
        RETURN NULL;
    END IF;

    v_answer := explain_standing(v_standing);
    v_all := (
        SELECT json_build_object('payment_order_id', o.payment_order_id,
            'checkout_id', o.checkout_id, 'status', o.status,
            'reason', o.reason, 'decline', shown_decline(o), 'psp', r.psp,
            'amount', decimal_text(o.amount_minor, o.currency),
            'currency', o.currency,
            'payment_orders', explain_orders(c.merchant_id, c.checkout_id),
            'expires_at', iso_time(c.expires_at),
            'replaces', c.replaces, 'replaced_by', c.replaced_by,
            'registration', json_build_object('state', r.state,
                'nonce', r.nonce, 'token', r.token, 'attempt', r.attempt),
            'waits_for', v_answer -> 'waits_for', 'why', v_answer -> 'why',
            'next_step', v_answer -> 'next_step',
            'safe_to_retry', v_answer -> 'safe_to_retry',
            'dispatches', explain_dispatches(c.merchant_id, c.checkout_id),
            'dead_letters', explain_letters(c.merchant_id, c.checkout_id,
                                            p_inside),
            'exceptions', explain_exceptions(c.merchant_id, c.checkout_id,
                                             p_inside),
            'late_success', explain_late(c.merchant_id, c.checkout_id),
            'changes', explain_changes(o),
            'disputes', explain_disputes(c.merchant_id, c.checkout_id),
            'payout', explain_payout(o),
            'messages', explain_messages(o),
            'events', timeline(o.merchant_id, o.payment_order_id,
                               p_inside))::text
        FROM find_order(p_merchant_id, p_payment_order_id) o
        CROSS JOIN LATERAL (
            SELECT x.* FROM checkout x
            WHERE x.merchant_id = o.merchant_id
                AND x.checkout_id = o.checkout_id
            OFFSET 0) c
        CROSS JOIN LATERAL (
            SELECT x.* FROM registration x
            WHERE x.merchant_id = o.merchant_id
                AND x.checkout_id = o.checkout_id
            OFFSET 0) r);

    IF p_sees_risk THEN
        v_risk := explain_risk(p_merchant_id, p_payment_order_id);
    END IF;

    RETURN CASE WHEN v_risk IS NULL THEN v_all
                ELSE left(v_all, -1) || ', "risk" : ' || v_risk || '}' END;
END
$$;
COMMENT ON FUNCTION pay.explain IS
    'The state of an order, as JSON text; NULL when there is none';


CREATE OR REPLACE FUNCTION pay_api.explain_payment(
    p_merchant_id text[], p_payment_order_id text[], p_sees_risk bigint[])
RETURNS SETOF pay_api.explanation_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_payment_order_id), array_dims(p_sees_risk));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN x.explanation IS NULL THEN 'not_found' ELSE 'found' END,
        x.explanation
    FROM unnest(p_merchant_id, p_payment_order_id, p_sees_risk)
        WITH ORDINALITY AS u (merchant_id, payment_order_id, sees_risk, n)
    CROSS JOIN LATERAL (
        SELECT explain(u.merchant_id, u.payment_order_id, false,
                       u.sees_risk = 1)
            AS explanation
        OFFSET 0) x;
END
$$;
COMMENT ON FUNCTION pay_api.explain_payment IS
    'The state of an order and the next step. Outcomes: found, not_found';


-- A checkout is explained by its first order, whose explanation lists the
-- others: the PSP sees one payment.
CREATE OR REPLACE FUNCTION pay_api.explain_checkout(
    p_merchant_id text[], p_checkout_id text[], p_sees_risk bigint[])
RETURNS SETOF pay_api.explanation_row
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
BEGIN
    PERFORM check_batch(array_dims(p_merchant_id),
        array_dims(p_checkout_id), array_dims(p_sees_risk));

    RETURN QUERY
    SELECT u.n::int,
        CASE WHEN x.explanation IS NULL THEN 'not_found' ELSE 'found' END,
        x.explanation
    FROM unnest(p_merchant_id, p_checkout_id, p_sees_risk)
        WITH ORDINALITY AS u (merchant_id, checkout_id, sees_risk, n)
    LEFT JOIN LATERAL (
        SELECT explain(o.merchant_id, o.payment_order_id, false,
                       u.sees_risk = 1)
            AS explanation
        FROM payment_order o
        WHERE o.merchant_id = u.merchant_id
            AND o.checkout_id = u.checkout_id
        ORDER BY o.position LIMIT 1) x ON true;
END
$$;
COMMENT ON FUNCTION pay_api.explain_checkout IS
    'The state of a checkout and the next step. Outcomes: found, not_found';


-- An order's id is one merchant's, so without a merchant there may be more
-- than one.  Merchants are few: from each to the next by the index.
CREATE OR REPLACE FUNCTION pay_view.explain(
    p_merchant_id text, p_payment_order_id text)
RETURNS TABLE (merchant_id text, explanation text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pay, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE merchant (id) AS (
        SELECT coalesce(p_merchant_id, (
            SELECT o.merchant_id::text FROM payment_order o
            ORDER BY o.merchant_id LIMIT 1))
        UNION ALL
        SELECT (SELECT o.merchant_id::text FROM payment_order o
                WHERE o.merchant_id > m.id
                ORDER BY o.merchant_id LIMIT 1)
        FROM merchant m
        WHERE m.id IS NOT NULL AND p_merchant_id IS NULL
    )
    SELECT m.id, x.explanation
    FROM merchant m
    CROSS JOIN LATERAL (
        SELECT explain(m.id, p_payment_order_id, true, true) AS explanation
        OFFSET 0) x
    WHERE x.explanation IS NOT NULL
    ORDER BY m.id;
END
$$;
COMMENT ON FUNCTION pay_view.explain(text, text) IS
    'The state of an order and the next step, for operators; NULL for any '
    'merchant';

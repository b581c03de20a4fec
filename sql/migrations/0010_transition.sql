-- The order's state machine as data.  A fact (a PSP's statement, or the
-- gateway's conclusion) about an order in a status is news: mostly named as the
-- fact, sometimes otherwise.  A row of news_kind says what becomes of the
-- status, whether the timeline gets an event, and which message storefronts
-- get. src/core/transition.list holds the same rows for C; ci/check-ops
-- compares them.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- logged: when news that moves no status is an event (is_event()); told: the
-- message for storefronts about that event; is_shown: readers of the checkout
-- see something that is new to them.
CREATE TABLE news_kind (
    news      text COLLATE "C" PRIMARY KEY,
    logged    text COLLATE "C" NOT NULL
        CHECK (logged IN ('moved', 'always', 'once', 'waiting', 'held',
                          'attempt', 'asked', 'doubted')),
    told      text COLLATE "C",
    is_shown  boolean NOT NULL
);

INSERT INTO news_kind (news, logged, told, is_shown) VALUES
('none', 'moved', NULL, false),
('paid', 'moved', NULL, false),
('declined', 'moved', NULL, false),
('expired', 'moved', NULL, false),
('cancelled', 'moved', NULL, false),
('rejected', 'moved', NULL, false),
('refused', 'moved', NULL, false),
('pending', 'waiting', NULL, false),
('authorized', 'held', 'payment.authorized', true),
('attempt_declined', 'attempt', NULL, true),
('notified', 'asked', NULL, false),
('contradiction', 'doubted', NULL, false),
('late_success', 'once', NULL, false),
('registered', 'always', NULL, true),
('registration_unknown', 'always', NULL, false),
('registration_not_sent', 'always', NULL, false),
('rerouted', 'always', NULL, false),
('mismatch', 'always', NULL, false),
('mismatch_settled', 'always', NULL, false),
('late_refunded', 'always', NULL, false),
('late_refund_returned', 'always', NULL, false),
('dead_letter_requeued', 'always', NULL, false),
('dead_letter_resolved', 'always', NULL, false),
('capture_requested', 'always', NULL, true),
('captured', 'always', 'capture.succeeded', true),
('capture_failed', 'always', 'capture.failed', true),
('capture_matched', 'always', 'capture.succeeded', true),
('capture_parted', 'always', NULL, true),
('released', 'always', NULL, true),
('replaced', 'always', NULL, true),
('cancel_requested', 'always', NULL, true),
('cancel_failed', 'always', 'cancel.failed', true),
('refund_requested', 'always', NULL, true),
('refund_sent', 'always', NULL, true),
('refunded', 'always', 'refund.succeeded', true),
('refund_failed', 'always', 'refund.failed', true),
('refund_returned', 'always', 'refund.returned', true),
('dispute_opened', 'always', 'dispute.opened', true),
('dispute_won', 'always', 'dispute.won', true),
('dispute_lost', 'always', 'dispute.lost', true),
('dispute_moved', 'always', NULL, true),
('fee', 'always', NULL, true);


-- The first row by rank counts of which every condition holds: the source (psp:
-- a webhook or an answer; others: any but the gateway), the mode of capture,
-- whether some of the money is held, and the condition that is_given()
-- computes.  A fact without a row is news of the same name and moves nothing.
CREATE TABLE transition (
    kind         text COLLATE "C" NOT NULL,
    status       order_status NOT NULL,
    rank         int NOT NULL,
    actor        text COLLATE "C" NOT NULL
        CHECK (actor IN ('any', 'psp', 'gateway', 'others')),
    capture      text COLLATE "C" NOT NULL
        CHECK (capture IN ('any', 'automatic', 'manual')),
    is_held      boolean NOT NULL,
    provided     text COLLATE "C" NOT NULL
        CHECK (provided IN ('always', 'late', 'partly', 'closing', 'unbooked',
                            'held_late')),
    news         text COLLATE "C" NOT NULL REFERENCES news_kind,
    next_status  order_status NOT NULL,
    PRIMARY KEY (kind, status, rank)
);

INSERT INTO transition (kind, status, rank, actor, capture, is_held, provided,
    news, next_status) VALUES
('none', 'NOT_STARTED', 1, 'any', 'any', false,
    'always', 'none', 'NOT_STARTED'),
('none', 'EXECUTING', 1, 'any', 'any', false, 'always', 'none', 'EXECUTING'),
('none', 'SUCCESS', 1, 'any', 'any', false, 'always', 'none', 'SUCCESS'),
('none', 'FAILED', 1, 'any', 'any', false, 'always', 'none', 'FAILED'),
('pending', 'NOT_STARTED', 1, 'any', 'any', false,
    'always', 'pending', 'EXECUTING'),
('pending', 'EXECUTING', 1, 'any', 'any', false,
    'always', 'pending', 'EXECUTING'),
('pending', 'SUCCESS', 1, 'any', 'any', false, 'always', 'pending', 'SUCCESS'),
('pending', 'FAILED', 1, 'any', 'any', false, 'always', 'pending', 'FAILED'),
('authorized', 'NOT_STARTED', 1, 'any', 'automatic', false,
    'always', 'pending', 'EXECUTING'),
('authorized', 'NOT_STARTED', 2, 'any', 'any', false,
    'always', 'authorized', 'EXECUTING'),
('authorized', 'EXECUTING', 1, 'any', 'automatic', false,
    'always', 'pending', 'EXECUTING'),
('authorized', 'EXECUTING', 2, 'any', 'any', false,
    'always', 'authorized', 'EXECUTING'),
('authorized', 'SUCCESS', 1, 'any', 'automatic', false,
    'always', 'pending', 'SUCCESS'),
('authorized', 'SUCCESS', 2, 'any', 'any', false,
    'always', 'authorized', 'SUCCESS'),
('authorized', 'FAILED', 1, 'any', 'automatic', false,
    'always', 'pending', 'FAILED'),
('authorized', 'FAILED', 2, 'any', 'any', false,
    'unbooked', 'contradiction', 'FAILED'),
('authorized', 'FAILED', 3, 'any', 'any', false,
    'always', 'authorized', 'FAILED'),
('paid', 'NOT_STARTED', 1, 'any', 'any', false, 'always', 'paid', 'SUCCESS'),
('paid', 'EXECUTING', 1, 'any', 'any', false, 'always', 'paid', 'SUCCESS'),
('paid', 'SUCCESS', 1, 'any', 'manual', true, 'partly', 'captured', 'SUCCESS'),
('paid', 'SUCCESS', 2, 'any', 'manual', false,
    'partly', 'contradiction', 'SUCCESS'),
('paid', 'SUCCESS', 3, 'any', 'any', false, 'always', 'paid', 'SUCCESS'),
('paid', 'FAILED', 1, 'any', 'automatic', false,
    'late', 'late_success', 'FAILED'),
('paid', 'FAILED', 2, 'any', 'any', false, 'always', 'paid', 'SUCCESS'),
('declined', 'NOT_STARTED', 1, 'any', 'any', false,
    'always', 'declined', 'FAILED'),
('declined', 'EXECUTING', 1, 'any', 'any', false,
    'always', 'declined', 'FAILED'),
('declined', 'SUCCESS', 1, 'others', 'any', false,
    'always', 'contradiction', 'SUCCESS'),
('declined', 'SUCCESS', 2, 'any', 'any', false,
    'always', 'declined', 'SUCCESS'),
('declined', 'FAILED', 1, 'any', 'any', false, 'always', 'declined', 'FAILED'),
('rejected', 'NOT_STARTED', 1, 'any', 'any', false,
    'always', 'rejected', 'FAILED'),
('rejected', 'EXECUTING', 1, 'any', 'any', false,
    'always', 'rejected', 'FAILED'),
('rejected', 'SUCCESS', 1, 'others', 'any', false,
    'always', 'contradiction', 'SUCCESS'),
('rejected', 'SUCCESS', 2, 'any', 'any', false,
    'always', 'rejected', 'SUCCESS'),
('rejected', 'FAILED', 1, 'any', 'any', false, 'always', 'rejected', 'FAILED'),
('expired', 'NOT_STARTED', 1, 'gateway', 'any', true,
    'always', 'none', 'NOT_STARTED'),
('expired', 'NOT_STARTED', 2, 'any', 'any', false,
    'closing', 'cancelled', 'FAILED'),
('expired', 'NOT_STARTED', 3, 'any', 'any', false,
    'always', 'expired', 'FAILED'),
('expired', 'EXECUTING', 1, 'gateway', 'any', true,
    'always', 'none', 'EXECUTING'),
('expired', 'EXECUTING', 2, 'any', 'any', false,
    'closing', 'cancelled', 'FAILED'),
('expired', 'EXECUTING', 3, 'any', 'any', false,
    'always', 'expired', 'FAILED'),
('expired', 'SUCCESS', 1, 'gateway', 'any', true, 'always', 'none', 'SUCCESS'),
('expired', 'SUCCESS', 2, 'any', 'manual', true,
    'always', 'released', 'SUCCESS'),
('expired', 'SUCCESS', 3, 'any', 'manual', false, 'always', 'none', 'SUCCESS'),
('expired', 'SUCCESS', 4, 'others', 'any', false,
    'always', 'contradiction', 'SUCCESS'),
('expired', 'SUCCESS', 5, 'any', 'any', false, 'always', 'expired', 'SUCCESS'),
('expired', 'FAILED', 1, 'psp', 'any', false,
    'held_late', 'released', 'FAILED'),
('expired', 'FAILED', 2, 'any', 'any', false, 'always', 'expired', 'FAILED'),
('cancelled', 'NOT_STARTED', 1, 'any', 'any', false,
    'always', 'cancelled', 'FAILED'),
('cancelled', 'EXECUTING', 1, 'any', 'any', false,
    'always', 'cancelled', 'FAILED'),
('cancelled', 'SUCCESS', 1, 'any', 'manual', true,
    'always', 'released', 'SUCCESS'),
('cancelled', 'SUCCESS', 2, 'any', 'manual', false,
    'always', 'none', 'SUCCESS'),
('cancelled', 'SUCCESS', 3, 'others', 'any', false,
    'always', 'contradiction', 'SUCCESS'),
('cancelled', 'SUCCESS', 4, 'any', 'any', false,
    'always', 'cancelled', 'SUCCESS'),
('cancelled', 'FAILED', 1, 'psp', 'any', false,
    'held_late', 'released', 'FAILED'),
('cancelled', 'FAILED', 2, 'any', 'any', false,
    'always', 'cancelled', 'FAILED'),
('attempt_declined', 'NOT_STARTED', 1, 'any', 'any', false,
    'always', 'attempt_declined', 'NOT_STARTED'),
('attempt_declined', 'EXECUTING', 1, 'any', 'any', false,
    'always', 'attempt_declined', 'EXECUTING'),
('attempt_declined', 'SUCCESS', 1, 'any', 'any', false,
    'always', 'attempt_declined', 'SUCCESS'),
('attempt_declined', 'FAILED', 1, 'any', 'any', false,
    'always', 'attempt_declined', 'FAILED'),
('refused', 'NOT_STARTED', 1, 'any', 'any', false,
    'always', 'refused', 'FAILED'),
('refused', 'EXECUTING', 1, 'any', 'any', false,
    'always', 'refused', 'FAILED'),
('refused', 'SUCCESS', 1, 'any', 'any', false, 'always', 'refused', 'SUCCESS'),
('refused', 'FAILED', 1, 'any', 'any', false, 'always', 'refused', 'FAILED'),
('registered', 'NOT_STARTED', 1, 'any', 'any', false,
    'always', 'registered', 'EXECUTING'),
('registered', 'EXECUTING', 1, 'any', 'any', false,
    'always', 'registered', 'EXECUTING'),
('registered', 'SUCCESS', 1, 'any', 'any', false,
    'always', 'registered', 'SUCCESS'),
('registered', 'FAILED', 1, 'any', 'any', false,
    'always', 'registered', 'FAILED'),
('registration_unknown', 'NOT_STARTED', 1, 'any', 'any', false,
    'always', 'registration_unknown', 'EXECUTING'),
('registration_unknown', 'EXECUTING', 1, 'any', 'any', false,
    'always', 'registration_unknown', 'EXECUTING'),
('registration_unknown', 'SUCCESS', 1, 'any', 'any', false,
    'always', 'registration_unknown', 'SUCCESS'),
('registration_unknown', 'FAILED', 1, 'any', 'any', false,
    'always', 'registration_unknown', 'FAILED');


CREATE TRIGGER news_kind_fixed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON news_kind
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the state machine is fixed', 'PAY20');
CREATE TRIGGER transition_fixed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON transition
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_change('the state machine is fixed', 'PAY20');


-- An order that a fact has moved, on its way to its update, see judge_facts():
-- the addresses of its row and of its checkout's, the new values of its row,
-- its event, and final: its status if its checkout is settled.  is_ours: only
-- the gateway's clock says that its time is over.  by_hand: its merchant
-- captures its money (capture: manual).
CREATE TYPE move AS (
    part              oid,
    tid               tid,
    checkout_part     oid,
    checkout          tid,
    merchant_id       text,
    checkout_id       text,
    payment_order_id  text,
    news              text,
    actor             text,
    old_status        text,
    status            text,
    reason            text,
    version           int,
    captured_minor    bigint,
    authorized_minor  bigint,
    decline           jsonb,
    about             jsonb,
    request_id        text,
    tx                bigint,
    head              bytea,
    told              text,
    is_shown          boolean,
    final             text,
    is_ours           boolean,
    by_hand           boolean,
    reference         text
);

RESET ROLE;

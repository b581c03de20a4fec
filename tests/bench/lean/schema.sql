-- What the gateway is measured against: the tables that a good team would
-- write for one PostgreSQL and one kind of checkout.  A payment is an
-- idempotency key, a checkout, its order with the PSP's token, three events
-- chained by SHA-256, the PSP's webhook, two ledger lines, a wallet and a row
-- of the outbox; unique keys and foreign keys, and no more.
-- It never changes with the product.  A checkout has one order here: lean has
-- less to do than the product, never more.
CREATE SCHEMA lean;

-- No foreign key: the key is written first, since it decides who creates, and
-- is purged before its payment.
CREATE TABLE lean.idempotency_key (
    merchant_id       text NOT NULL,
    key               text NOT NULL,
    fingerprint       bytea NOT NULL,
    payment_order_id  text NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, key)
);

CREATE TABLE lean.checkout (
    merchant_id  text NOT NULL,
    checkout_id  text NOT NULL,
    psp          text NOT NULL,
    return_url   text NOT NULL,
    buyer_info   jsonb NOT NULL,
    expires_at   timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, checkout_id)
);

-- seq and head are those of the order's newest event.
CREATE TABLE lean.payment_order (
    merchant_id       text NOT NULL,
    payment_order_id  text NOT NULL,
    checkout_id       text NOT NULL,
    seller_account    text NOT NULL,
    amount_minor      bigint NOT NULL CHECK (amount_minor > 0),
    currency          text NOT NULL,
    status            text NOT NULL DEFAULT 'NOT_STARTED'
        CHECK (status IN ('NOT_STARTED', 'EXECUTING', 'SUCCESS', 'FAILED')),
    psp               text NOT NULL,
    psp_token         text,
    redirect_url      text,
    psp_payment_id    text,
    seq               int NOT NULL,
    head              bytea NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, payment_order_id),
    FOREIGN KEY (merchant_id, checkout_id) REFERENCES lean.checkout
);
CREATE UNIQUE INDEX payment_order_token
    ON lean.payment_order (psp, psp_token) WHERE psp_token IS NOT NULL;

CREATE TABLE lean.event (
    merchant_id       text NOT NULL,
    payment_order_id  text NOT NULL,
    seq               int NOT NULL,
    kind              text NOT NULL,
    at                timestamptz NOT NULL,
    hash              bytea NOT NULL,
    PRIMARY KEY (merchant_id, payment_order_id, seq),
    FOREIGN KEY (merchant_id, payment_order_id) REFERENCES lean.payment_order
);

CREATE TABLE lean.webhook_inbox (
    psp          text NOT NULL,
    event_id     text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('paid', 'failed')),
    psp_token    text NOT NULL,
    digest       bytea NOT NULL,
    received_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (psp, event_id)
);

-- The key makes a second booking of one order impossible.
CREATE TABLE lean.ledger_line (
    merchant_id       text NOT NULL,
    payment_order_id  text NOT NULL,
    account           text NOT NULL,
    amount_minor      bigint NOT NULL,
    currency          text NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, payment_order_id, account),
    FOREIGN KEY (merchant_id, payment_order_id) REFERENCES lean.payment_order
);

CREATE TABLE lean.wallet (
    merchant_id     text NOT NULL,
    seller_account  text NOT NULL,
    currency        text NOT NULL,
    balance_minor   bigint NOT NULL,
    PRIMARY KEY (merchant_id, seller_account, currency)
);

CREATE TABLE lean.outbox (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    merchant_id  text NOT NULL,
    kind         text NOT NULL,
    payload      jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- An event's place in its order's chain.
CREATE FUNCTION lean.event_hash(
    p_previous bytea, p_merchant_id text, p_payment_order_id text, p_seq int,
    p_kind text, p_at timestamptz)
RETURNS bytea LANGUAGE sql STABLE AS $$
SELECT sha256(p_previous || convert_to(p_merchant_id || '|'
    || p_payment_order_id || '|' || p_seq || '|' || p_kind, 'UTF8')
    || timestamptz_send(p_at))
$$;

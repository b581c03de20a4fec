-- A second payment of one checkout, with an id of its own at the PSP, was
-- `unchanged`: its buyer had paid twice, and no queue showed it.  The condition
-- again is that of is_given() (sql/functions/22_judge.sql), which takes the
-- fact's payment id for it.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

ALTER TABLE transition DROP CONSTRAINT transition_provided_check,
    ADD CONSTRAINT transition_provided_check
        CHECK (provided IN ('always', 'late', 'partly', 'closing', 'unbooked',
                            'held_late', 'again'));

ALTER TABLE transition DISABLE TRIGGER transition_fixed;
UPDATE transition SET rank = 4
WHERE kind = 'paid' AND status = 'SUCCESS' AND rank = 3;
UPDATE transition SET rank = 3
WHERE kind = 'paid' AND status = 'FAILED' AND rank = 2;
UPDATE transition SET rank = 2
WHERE kind = 'paid' AND status = 'FAILED' AND rank = 1;
ALTER TABLE transition ENABLE TRIGGER transition_fixed;

INSERT INTO transition (kind, status, rank, actor, capture, is_held, provided,
    news, next_status) VALUES
('paid', 'SUCCESS', 3, 'psp', 'automatic', false,
    'again', 'contradiction', 'SUCCESS'),
('paid', 'FAILED', 1, 'psp', 'automatic', false,
    'again', 'contradiction', 'FAILED');

DROP FUNCTION IF EXISTS is_given(
    text, text, text, oid, tid, text, text);

RESET ROLE;

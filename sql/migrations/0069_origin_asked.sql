-- A merchant that has been in another cell and came back has keys there that
-- this database does not know.  begin_payment takes its new payments only when
-- the node has asked the other cell before.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

ALTER TABLE merchant_origin
    ADD COLUMN is_asked boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN merchant_origin.is_asked IS
    'The merchant came back here: payments begin only when that cell was asked';

-- A merchant with payments from before the note has come back already.
UPDATE merchant_origin o SET is_asked = true
WHERE EXISTS (SELECT FROM checkout c
              WHERE c.merchant_id = o.merchant_id AND c.created_at < o.at);

-- Its new form has the terms of the items, too.
DROP FUNCTION IF EXISTS pay.fences_of(int[], text[]);

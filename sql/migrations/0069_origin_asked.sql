-- A merchant that has been in another cell and came back has keys there that
-- nobody knows here.  Where that is so, begin_payment takes new payments only
-- of nodes that have asked the other cell.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

ALTER TABLE merchant_origin
    ADD COLUMN is_asked boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN merchant_origin.is_asked IS
    'The merchant came back here: payments begin only when that cell was asked';

-- those that have come back already: there were payments before the note
UPDATE merchant_origin o SET is_asked = true
WHERE EXISTS (SELECT FROM checkout c
              WHERE c.merchant_id = o.merchant_id AND c.created_at < o.at);

-- it has the terms of the items, too
DROP FUNCTION IF EXISTS pay.fences_of(int[], text[]);

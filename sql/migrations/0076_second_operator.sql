-- One function looks up who has asked for a setting, for sums of approvals and
-- short sanctions lists, too: is_setting_asked() of 96_payout_setup.sql.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;

DROP FUNCTION IF EXISTS pay.is_screening_asked(text, jsonb, text);

RESET ROLE;

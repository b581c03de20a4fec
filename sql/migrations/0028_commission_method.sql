-- Commissions by payment method: a checkout keeps the payment_method that the
-- storefront gave, and a row of the schedule may be about one of them.

SET LOCAL ROLE payments_owner;
SET LOCAL search_path = pay, pg_temp;


-- NULL: the storefront gave none.  The type is no domain: that would write the
-- whole table anew while sales wait.  The CHECK reads it once.
ALTER TABLE checkout ADD payment_method text COLLATE "C";
ALTER TABLE checkout ADD CONSTRAINT checkout_payment_method_check
    CHECK (octet_length(payment_method) BETWEEN 1 AND 64
           AND payment_method !~ '[^A-Za-z0-9._~-]');

CREATE OR REPLACE TRIGGER checkout_fixed
    BEFORE UPDATE OF merchant_id, checkout_id, checkout_uuid, handle,
        base_url, currency, total_minor, payment_method
    ON checkout FOR EACH ROW
    WHEN ((NEW.merchant_id, NEW.checkout_id, NEW.checkout_uuid, NEW.handle,
           NEW.base_url, NEW.currency, NEW.total_minor, NEW.payment_method)
          IS DISTINCT FROM
          (OLD.merchant_id, OLD.checkout_id, OLD.checkout_uuid, OLD.handle,
           OLD.base_url, OLD.currency, OLD.total_minor, OLD.payment_method))
    EXECUTE FUNCTION refuse_change('a checkout''s terms are fixed', 'PAY11');
ALTER TABLE checkout ENABLE ALWAYS TRIGGER checkout_fixed;

-- Empty: all, and payments without one.
ALTER TABLE commission
    ADD payment_method text COLLATE "C" NOT NULL DEFAULT ''
        CHECK (octet_length(payment_method) <= 64
               AND payment_method !~ '[^A-Za-z0-9._~-]');

DROP INDEX commission_key;
CREATE INDEX commission_key ON commission (merchant_id, currency,
    seller_account, payment_method, psp, valid_from, commission_id);

-- it has one argument more now
DROP FUNCTION IF EXISTS pay_ops.set_commission(text, text, text, text,
    numeric, bigint, bigint, bigint, timestamptz, text, text);

RESET ROLE;

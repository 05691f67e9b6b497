-- Up Migration

-- What changes has room in its page, and no index on what changes, so that updates stay cheap (HOT).
CREATE TABLE payments (
  id text PRIMARY KEY,
  order_id text NOT NULL,
  customer text,
  amount int8 NOT NULL,
  currency text,
  method text,
  reference text NOT NULL,
  status text NOT NULL,
  refunded int8 NOT NULL,
  code text,
  message text,
  token text,
  doing text,
  wanted text,
  charge_key text,
  authorized_until timestamptz,
  authorizations int8 NOT NULL,
  sequence int8 NOT NULL,
  refunding json NOT NULL,
  request_id text NOT NULL,
  version int8 NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT payments_known CHECK (
    status IN ('pending', 'authorized', 'captured', 'declined', 'voided', 'refunded', 'uncollected')
    AND (method IS NULL OR method IN ('wallet', 'card'))
    AND (code IS NULL OR code IN ('insufficient-funds', 'payment-declined'))
    AND (doing IS NULL OR doing IN ('authorize', 'capture', 'void', 'refund'))
    AND (wanted IS NULL OR wanted IN ('capture', 'void'))),
  CONSTRAINT payments_asked CHECK (
    CASE WHEN customer IS NOT NULL AND currency IS NOT NULL AND method IS NOT NULL THEN amount > 0
    ELSE status = 'voided' AND amount = 0 END),
  CONSTRAINT payments_declined CHECK ((status = 'declined') = (code IS NOT NULL AND message IS NOT NULL)),
  CONSTRAINT payments_refundable CHECK (0 <= refunded AND refunded <= amount),
  CONSTRAINT payments_card CHECK (
    CASE WHEN method IS NOT DISTINCT FROM 'card' THEN token IS NOT NULL AND (status <> 'pending' OR doing IS NOT NULL)
    ELSE token IS NULL AND doing IS NULL AND status NOT IN ('pending', 'uncollected') END)
) WITH (fillfactor = 50);

CREATE TABLE refunds (
  id text PRIMARY KEY,
  payment_id text NOT NULL,
  amount int8 NOT NULL,
  currency text NOT NULL,
  reason text NOT NULL,
  status text NOT NULL,
  request_id text NOT NULL,
  version int8 NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT refunds_known CHECK (status IN ('pending', 'refunded', 'failed')),
  CONSTRAINT refunds_positive CHECK (amount > 0)
) WITH (fillfactor = 70);

CREATE TABLE accounts (
  id text PRIMARY KEY,
  owner text NOT NULL,
  currency text NOT NULL,
  balance int8 NOT NULL,
  held int8 NOT NULL,
  request_id text NOT NULL,
  version int8 NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT accounts_funded CHECK (balance >= 0 AND held >= 0)
) WITH (fillfactor = 50);

CREATE TABLE postings (
  id text PRIMARY KEY,
  subject text NOT NULL,
  kind text NOT NULL,
  debit text NOT NULL,
  credit text NOT NULL,
  amount int8 NOT NULL,
  currency text NOT NULL,
  reference text NOT NULL,
  request_id text NOT NULL,
  at timestamptz NOT NULL,
  CONSTRAINT postings_known CHECK (kind IN
    ('deposit', 'transfer', 'hold', 'capture', 'release', 'refund', 'card-capture', 'card-refund')),
  CONSTRAINT postings_moves CHECK (amount > 0 AND debit <> credit)
);

-- Postings are immutable, for everybody: a mistake is corrected by another posting. Costs nothing where they are inserted.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'postings are immutable: correct one with another' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER postings_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Down Migration

DROP TABLE postings, accounts, refunds, payments;
DROP FUNCTION refuse_change;

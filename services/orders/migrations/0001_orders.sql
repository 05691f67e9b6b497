-- Up Migration

-- A copy of inventory's prices, fed by its log.
CREATE TABLE catalogue (
  sku text PRIMARY KEY,
  name text NOT NULL,
  price_amount int8 NOT NULL,
  price_currency text NOT NULL,
  updated_at timestamptz NOT NULL
);

-- An order changes several times: room in the page and no index on what changes keep those updates cheap (HOT).
CREATE TABLE orders (
  id text PRIMARY KEY,
  customer text NOT NULL,
  status text NOT NULL,
  saga_version int8 NOT NULL,
  waiting json NOT NULL,
  undo json NOT NULL,
  failure_code text,
  failure_message text,
  deadline_at timestamptz,
  lines json NOT NULL,
  total_amount int8 NOT NULL,
  currency text NOT NULL,
  ship_to json NOT NULL,
  payment_id text NOT NULL,
  payment_method text NOT NULL,
  payment_token text,
  payment_status text NOT NULL,
  authorized_until timestamptz,
  shipment_id text,
  shipment_status text,
  tracking text,
  request_id text NOT NULL,
  version int8 NOT NULL,
  placed_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT orders_known CHECK (status IN
    ('placed', 'authorizing', 'reserving', 'shipping', 'settling', 'completed', 'compensating', 'cancelled')),
  CONSTRAINT orders_total CHECK (total_amount > 0)
) WITH (fillfactor = 50);

-- Down Migration

DROP TABLE orders, catalogue;

-- Up Migration

-- Reservations and stock change: room in the page and no index on what changes keep those updates cheap (HOT).
CREATE TABLE reservations (
  order_id text PRIMARY KEY,
  lines json NOT NULL,
  status text NOT NULL,
  refusal json,
  request_id text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT reservations_known CHECK (status IN ('held', 'released', 'issued', 'rejected')),
  CONSTRAINT reservations_refused CHECK ((status = 'rejected') = (refusal IS NOT NULL))
) WITH (fillfactor = 50);

CREATE TABLE stock (
  sku text PRIMARY KEY,
  name text NOT NULL,
  price_amount int8 NOT NULL,
  price_currency text NOT NULL,
  on_hand int8 NOT NULL,
  reserved int8 NOT NULL,
  version int8 NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT stock_reservable CHECK (0 <= reserved AND reserved <= on_hand),
  CONSTRAINT stock_priced CHECK (price_amount > 0)
) WITH (fillfactor = 50);

CREATE TABLE adjustments (
  id text PRIMARY KEY,
  sku text NOT NULL,
  delta int8 NOT NULL,
  reason text NOT NULL,
  request_id text NOT NULL,
  at timestamptz NOT NULL
);

-- Down Migration

DROP TABLE adjustments, stock, reservations;

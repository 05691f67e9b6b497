-- Up Migration

-- A shipment changes once: room in the page and no index on what changes keep that update cheap (HOT).
CREATE TABLE shipments (
  id text PRIMARY KEY,
  order_id text NOT NULL,
  ship_to json NOT NULL,
  lines json NOT NULL,
  status text NOT NULL,
  tracking text,
  code text,
  message text,
  request_id text NOT NULL,
  version int8 NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT shipments_order UNIQUE (order_id),
  CONSTRAINT shipments_known CHECK (
    status IN ('booking', 'dispatched', 'failed') AND (code IS NULL OR code = 'undeliverable')
  ),
  CONSTRAINT shipments_tracked CHECK ((status = 'dispatched') = (tracking IS NOT NULL)),
  CONSTRAINT shipments_explained CHECK (
    (status = 'failed') = (code IS NOT NULL) AND (code IS NOT NULL) = (message IS NOT NULL)
  )
) WITH (fillfactor = 50);

-- Down Migration

DROP TABLE shipments;

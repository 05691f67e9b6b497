-- Up Migration

-- Both change: room in the page and no index on what changes keep those updates cheap (HOT).
CREATE TABLE purchases (
  order_id text PRIMARY KEY,
  member_id text NOT NULL,
  points int8 NOT NULL,
  status text NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT purchases_known CHECK (status IN ('placed', 'earned', 'void')),
  CONSTRAINT purchases_points CHECK (points >= 0)
) WITH (fillfactor = 50);

CREATE TABLE members (
  id text PRIMARY KEY,
  points int8 NOT NULL,
  version int8 NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT members_points CHECK (points >= 0)
) WITH (fillfactor = 50);

-- Down Migration

DROP TABLE members, purchases;

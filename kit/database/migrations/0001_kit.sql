-- Up Migration

-- The log: one row per lane holds its head; messages are dense per lane.
CREATE TABLE lanes (
  lane int PRIMARY KEY,
  head int8 NOT NULL DEFAULT 0,
  trimmed int8 NOT NULL DEFAULT 0,
  CONSTRAINT lanes_range CHECK (0 <= trimmed AND trimmed <= head)
) WITH (fillfactor = 50);

CREATE TABLE messages (
  lane int NOT NULL,
  position int8 NOT NULL,
  id text NOT NULL,
  type text NOT NULL,
  key text NOT NULL,
  data json NOT NULL,
  request_id text NOT NULL,
  cause_id text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (lane, position)
);

-- Consumer groups of this service: where each stands in each lane of each source.
CREATE TABLE cursors (
  consumer_group text NOT NULL,
  source text NOT NULL,
  lane int NOT NULL,
  position int8 NOT NULL DEFAULT 0,
  message_id text NOT NULL DEFAULT '',
  parked int8 NOT NULL DEFAULT 0 CHECK (parked >= 0),
  halted text,
  PRIMARY KEY (consumer_group, source, lane)
) WITH (fillfactor = 50);

-- Messages set aside: the one that failed, and those of its key behind it.
CREATE TABLE parked (
  consumer_group text NOT NULL,
  source text NOT NULL,
  lane int NOT NULL,
  position int8 NOT NULL,
  id text NOT NULL,
  type text NOT NULL,
  key text NOT NULL,
  data json NOT NULL,
  request_id text NOT NULL,
  cause_id text NOT NULL,
  at timestamptz NOT NULL,
  error text NOT NULL,
  -- The error without ids and numbers: what an operator groups by.
  cause text NOT NULL,
  parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (consumer_group, source, lane, position)
);
CREATE INDEX parked_by_key ON parked (consumer_group, source, key, position);

-- Effects and timers. due_at: when the task may be claimed next; the end of the lease while somebody holds it.
CREATE TABLE tasks (
  id text PRIMARY KEY,
  type text NOT NULL,
  key text NOT NULL,
  data json NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'dead', 'cancelled')),
  attempt int8 NOT NULL DEFAULT 0,
  token int8 NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL,
  request_id text NOT NULL,
  cause_id text NOT NULL,
  created_at timestamptz NOT NULL,
  finished_at timestamptz,
  outcome json,
  error text,
  -- Of a dead task: its error without ids and numbers.
  cause text
) WITH (fillfactor = 70);
-- By type first: a provider's backlog must not stand before the tasks of others.
CREATE INDEX tasks_due ON tasks (type, due_at) WHERE state = 'open';
CREATE INDEX tasks_dead ON tasks (finished_at, id COLLATE "C") WHERE state = 'dead';

-- What is being done about an order.
CREATE INDEX tasks_by_key ON tasks (key);

-- One key, one effect, one answer. Written once, with the answer.
CREATE TABLE idempotency_keys (
  id text PRIMARY KEY,
  fingerprint text NOT NULL,
  status int NOT NULL,
  headers json NOT NULL,
  body text NOT NULL,
  request_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

-- What operators did, and why. Only added to.
CREATE TABLE operator_actions (
  id text PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  subject text NOT NULL,
  request_id text NOT NULL,
  action text NOT NULL,
  target json NOT NULL,
  reason text,
  result json NOT NULL
);

-- Views: tables that are only read. One row per generation of each, of which one is read and at most one is being made.
CREATE TABLE views (
  name text NOT NULL,
  generation int8 NOT NULL,
  state text NOT NULL CHECK (state IN ('seeding', 'tailing', 'active', 'retired')),
  definition text NOT NULL,
  tables text[] NOT NULL,
  seeded_to text NOT NULL DEFAULT '',
  done int8 NOT NULL DEFAULT 0,
  total int8 NOT NULL DEFAULT 0,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  rebuild boolean NOT NULL DEFAULT false,
  error text,
  PRIMARY KEY (name, generation)
);
CREATE UNIQUE INDEX views_read ON views (name) WHERE state = 'active';
CREATE UNIQUE INDEX views_made ON views (name) WHERE state IN ('seeding', 'tailing');

-- Down Migration

DROP TABLE operator_actions, idempotency_keys, tasks, parked, cursors, messages, lanes;

CREATE TABLE broadcast (
  id SERIAL NOT NULL,
  key VARCHAR NOT NULL,
  form VARCHAR NOT NULL,
  title VARCHAR NOT NULL,
  scheduled_for TIMESTAMP WITH TIME ZONE NOT NULL,
  expires TIMESTAMP WITH TIME ZONE NOT NULL,
  planned_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (key)
);
CREATE TABLE disabled_group (
  group_id VARCHAR NOT NULL,
  reason TEXT NOT NULL,
  since TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (group_id)
);
CREATE TABLE message (
  id SERIAL NOT NULL,
  digest VARCHAR NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (digest)
);
CREATE TABLE missed (
  slot VARCHAR NOT NULL,
  scheduled_for TIMESTAMP WITH TIME ZONE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (slot, scheduled_for)
);
CREATE TABLE slot_progress (
  slot VARCHAR NOT NULL,
  planned_until TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (slot)
);
CREATE TABLE delivery (
  id SERIAL NOT NULL,
  broadcast_id INTEGER NOT NULL,
  group_id VARCHAR NOT NULL,
  part SMALLINT NOT NULL,
  message_id INTEGER NOT NULL,
  rank SMALLINT NOT NULL,
  state VARCHAR NOT NULL,
  confirmed BOOLEAN,
  resent BOOLEAN NOT NULL,
  attempts SMALLINT NOT NULL,
  not_before TIMESTAMP WITH TIME ZONE NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (broadcast_id, group_id, part),
  FOREIGN KEY(broadcast_id) REFERENCES broadcast (id),
  FOREIGN KEY(message_id) REFERENCES message (id)
);
CREATE INDEX delivery_due ON delivery (state, rank, not_before);
CREATE INDEX delivery_of_group ON delivery (group_id, message_id);
CREATE TABLE message_entry (
  message_id INTEGER NOT NULL,
  entry VARCHAR NOT NULL,
  PRIMARY KEY (message_id, entry),
  FOREIGN KEY(message_id) REFERENCES message (id)
);

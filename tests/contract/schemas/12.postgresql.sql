CREATE TABLE outbox_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT outbox_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO outbox_version VALUES ('5');
CREATE TABLE broadcast (
  id SERIAL NOT NULL,
  key VARCHAR NOT NULL,
  form VARCHAR NOT NULL,
  title VARCHAR NOT NULL,
  scheduled_for TIMESTAMP WITH TIME ZONE NOT NULL,
  expires TIMESTAMP WITH TIME ZONE NOT NULL,
  planned_at TIMESTAMP WITH TIME ZONE NOT NULL,
  linked BOOLEAN NOT NULL,
  erased BOOLEAN NOT NULL,
  stopped TEXT,
  PRIMARY KEY (id),
  UNIQUE (key)
);
CREATE TABLE cohort (
  id SERIAL NOT NULL,
  digest VARCHAR NOT NULL,
  members TEXT NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (digest)
);
CREATE TABLE disabled_group (
  group_id VARCHAR NOT NULL,
  reason TEXT NOT NULL,
  address VARCHAR,
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
CREATE TABLE pace (
  group_id VARCHAR NOT NULL,
  free_at TIMESTAMP WITH TIME ZONE,
  held_until TIMESTAMP WITH TIME ZONE,
  PRIMARY KEY (group_id)
);
CREATE TABLE slot_progress (
  slot VARCHAR NOT NULL,
  times VARCHAR NOT NULL,
  planned_until TIMESTAMP WITH TIME ZONE NOT NULL,
  PRIMARY KEY (slot)
);
CREATE TABLE cohort_told (
  cohort_id INTEGER NOT NULL,
  broadcast_id INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  entries TEXT NOT NULL,
  PRIMARY KEY (cohort_id, broadcast_id, message_id),
  FOREIGN KEY(cohort_id) REFERENCES cohort (id),
  FOREIGN KEY(broadcast_id) REFERENCES broadcast (id),
  FOREIGN KEY(message_id) REFERENCES message (id)
);
CREATE INDEX cohort_told_of_broadcast ON cohort_told (broadcast_id, message_id);
CREATE INDEX ix_cohort_told_message_id ON cohort_told (message_id);
CREATE TABLE delivery (
  id SERIAL NOT NULL,
  broadcast_id INTEGER NOT NULL,
  group_id VARCHAR NOT NULL,
  part SMALLINT NOT NULL,
  message_id INTEGER NOT NULL,
  way VARCHAR NOT NULL,
  rank SMALLINT NOT NULL,
  turn INTEGER DEFAULT 0 NOT NULL,
  state VARCHAR NOT NULL,
  confirmed BOOLEAN,
  resent BOOLEAN NOT NULL,
  attempts SMALLINT NOT NULL,
  not_before TIMESTAMP WITH TIME ZONE NOT NULL,
  changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reason TEXT NOT NULL,
  owner TEXT,
  PRIMARY KEY (id),
  UNIQUE (broadcast_id, group_id, part),
  FOREIGN KEY(broadcast_id) REFERENCES broadcast (id),
  FOREIGN KEY(message_id) REFERENCES message (id)
);
CREATE INDEX delivery_by_hand ON delivery (broadcast_id, owner) WHERE owner IS NOT NULL;
CREATE INDEX delivery_due ON delivery (rank, not_before, turn, id) WHERE state = 'pending';
CREATE INDEX delivery_in_flight ON delivery (broadcast_id) WHERE state = 'sending';
CREATE INDEX delivery_lost ON delivery (group_id) WHERE state IN ('cancelled', 'expired', 'rejected');
CREATE INDEX delivery_of_group ON delivery (group_id);
CREATE INDEX delivery_of_message ON delivery (message_id);
CREATE INDEX delivery_to_look_at ON delivery (changed_at) WHERE state IN ('unknown', 'rejected');
CREATE TABLE message_entry (
  message_id INTEGER NOT NULL,
  entry VARCHAR NOT NULL,
  PRIMARY KEY (message_id, entry),
  FOREIGN KEY(message_id) REFERENCES message (id)
);
CREATE INDEX message_of_entry ON message_entry (entry);
CREATE TABLE platform_task (
  id SERIAL NOT NULL,
  task VARCHAR NOT NULL,
  account VARCHAR NOT NULL,
  broadcast_id INTEGER NOT NULL,
  created_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reminders SMALLINT NOT NULL,
  looked_at TIMESTAMP WITH TIME ZONE,
  closed BOOLEAN NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (task),
  FOREIGN KEY(broadcast_id) REFERENCES broadcast (id)
);
CREATE INDEX ix_platform_task_broadcast_id ON platform_task (broadcast_id);
CREATE TABLE task_delivery (
  delivery_id INTEGER NOT NULL,
  task_id INTEGER NOT NULL,
  PRIMARY KEY (delivery_id),
  FOREIGN KEY(delivery_id) REFERENCES delivery (id),
  FOREIGN KEY(task_id) REFERENCES platform_task (id)
);
CREATE INDEX ix_task_delivery_task_id ON task_delivery (task_id);

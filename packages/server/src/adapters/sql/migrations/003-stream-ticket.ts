export const streamTicket: readonly string[] = [
  `CREATE TABLE stream_ticket (
    token_hash VARCHAR(64) PRIMARY KEY, container_uuid VARCHAR(36) NOT NULL, host VARCHAR(255) NOT NULL,
    verb VARCHAR(16) NOT NULL, exec_id VARCHAR(64), user_id VARCHAR(255) NOT NULL, expires_at BIGINT NOT NULL)`,
  'CREATE INDEX stream_ticket_expiry ON stream_ticket (expires_at)',
]

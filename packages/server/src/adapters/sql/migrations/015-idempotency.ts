/** Creates that may be sent again; see docs/adr/0020. */
export const idempotency: readonly string[] = [
  `CREATE TABLE idempotency_key (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id VARCHAR(255) NOT NULL, user_id VARCHAR(255) NOT NULL, key_text VARCHAR(255) NOT NULL,
    request_hash VARCHAR(64) NOT NULL, container_uuid VARCHAR(36) NOT NULL, created_at BIGINT NOT NULL,
    UNIQUE (project_id, user_id, key_text))`,
  'CREATE INDEX idempotency_key_created ON idempotency_key (created_at)',
]

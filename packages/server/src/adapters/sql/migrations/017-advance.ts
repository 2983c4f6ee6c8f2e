/** What was made in another service before its request was accepted. */
export const advance: readonly string[] = [
  `CREATE TABLE advance (
    uuid VARCHAR(36) NOT NULL PRIMARY KEY, kind VARCHAR(16) NOT NULL, container_uuid VARCHAR(36), created_at BIGINT NOT NULL)`,
]

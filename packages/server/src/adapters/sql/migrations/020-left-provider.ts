/** Resource providers of hosts that were removed for good, which a cloud still counts. */
export const leftProvider: readonly string[] = [
  `CREATE TABLE left_provider (
    uuid VARCHAR(36) NOT NULL PRIMARY KEY, host VARCHAR(255) NOT NULL, created_at BIGINT NOT NULL)`,
]

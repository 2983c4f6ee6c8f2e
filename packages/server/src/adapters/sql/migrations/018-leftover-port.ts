/** Ports of containers that are gone, which could not be given back when they went. */
export const leftoverPort: readonly string[] = [
  `CREATE TABLE leftover_port (
    uuid VARCHAR(36) NOT NULL PRIMARY KEY, container_uuid VARCHAR(36) NOT NULL, data TEXT NOT NULL, created_at BIGINT NOT NULL)`,
]

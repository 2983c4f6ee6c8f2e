/** What happened, for those who listen. No foreign key: a deletion is told when its record is gone. */
export const event: readonly string[] = [
  `CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at BIGINT NOT NULL, type VARCHAR(64) NOT NULL, project_id VARCHAR(255) NOT NULL,
    user_id VARCHAR(255) NOT NULL, container_uuid VARCHAR(36) NOT NULL, container_type INTEGER NOT NULL, name VARCHAR(255) NOT NULL,
    capsule_uuid VARCHAR(36), details TEXT NOT NULL)`,
]

/** What stays of containers after they are deleted, and why they stopped. No foreign key: that is the point. */
export const history: readonly string[] = [
  `CREATE TABLE container_history (
    uuid VARCHAR(36) NOT NULL PRIMARY KEY, container_type INTEGER NOT NULL, project_id VARCHAR(255) NOT NULL,
    user_id VARCHAR(255) NOT NULL, name VARCHAR(255) NOT NULL, capsule_uuid VARCHAR(36), image VARCHAR(255) NOT NULL, host VARCHAR(255),
    created_at BIGINT NOT NULL, deleted_at BIGINT NOT NULL, operations TEXT NOT NULL)`,
  'CREATE INDEX container_history_project ON container_history (project_id, deleted_at)',
  'CREATE INDEX container_history_capsule ON container_history (capsule_uuid)',
  'CREATE INDEX container_history_deleted ON container_history (deleted_at)',
  `CREATE TABLE container_stop (
    id INTEGER PRIMARY KEY AUTOINCREMENT, container_uuid VARCHAR(36) NOT NULL, reason VARCHAR(32) NOT NULL,
    actor VARCHAR(16) NOT NULL, user_id VARCHAR(255), request_id VARCHAR(64), engine_id VARCHAR(64),
    exit_code INTEGER, exit_signal VARCHAR(32), out_of_memory INTEGER NOT NULL, message TEXT NOT NULL,
    started_at BIGINT, ended_at BIGINT, recorded_at BIGINT NOT NULL)`,
  'CREATE INDEX container_stop_container ON container_stop (container_uuid, id)',
]

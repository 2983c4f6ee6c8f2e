/** Only forward. One repeatable statement each, in SQL that SQLite, PostgreSQL and MariaDB take alike where they can. */
export const containers: readonly string[] = [
  `CREATE TABLE container (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid VARCHAR(36) NOT NULL UNIQUE, revision BIGINT NOT NULL,
    container_type INTEGER NOT NULL, project_id VARCHAR(255) NOT NULL, user_id VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL, image VARCHAR(255) NOT NULL, memory VARCHAR(255) NOT NULL, cpu DOUBLE PRECISION NOT NULL,
    memory_mib INTEGER NOT NULL, disk INTEGER NOT NULL, auto_remove INTEGER NOT NULL, spec TEXT NOT NULL,
    desired VARCHAR(20) NOT NULL, generation INTEGER NOT NULL, host VARCHAR(255), status VARCHAR(20) NOT NULL,
    status_reason TEXT, task_state VARCHAR(20), progress TEXT, observed TEXT, addresses TEXT NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT)`,
  'CREATE INDEX container_project ON container (project_id, id)',
  'CREATE INDEX container_project_name ON container (project_id, name)',
  'CREATE INDEX container_name ON container (name)',
  'CREATE INDEX container_host ON container (host)',
  `CREATE TABLE operation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    container_uuid VARCHAR(36) NOT NULL REFERENCES container (uuid) ON DELETE CASCADE,
    project_id VARCHAR(255) NOT NULL, user_id VARCHAR(255) NOT NULL, request_id VARCHAR(255) NOT NULL,
    verb VARCHAR(32) NOT NULL, params TEXT NOT NULL, generation INTEGER NOT NULL, lane VARCHAR(255) NOT NULL,
    state VARCHAR(16) NOT NULL, recipe TEXT NOT NULL, attempt INTEGER NOT NULL, fence BIGINT NOT NULL,
    superseded INTEGER NOT NULL, recorded INTEGER NOT NULL, active_key VARCHAR(36) UNIQUE, run_after BIGINT NOT NULL,
    lease_owner VARCHAR(255), lease_until BIGINT, error_code VARCHAR(64), error_message TEXT,
    created_at BIGINT NOT NULL, first_claimed_at BIGINT, finished_at BIGINT)`,
  'CREATE INDEX operation_lane ON operation (lane, state, run_after)',
  'CREATE INDEX operation_container ON operation (container_uuid, state, id)',
  'CREATE INDEX operation_state ON operation (state)',
  `CREATE TABLE step (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    operation_id INTEGER NOT NULL REFERENCES operation (id) ON DELETE CASCADE,
    name VARCHAR(64) NOT NULL, state VARCHAR(16) NOT NULL, mark TEXT NOT NULL, output TEXT NOT NULL, message TEXT,
    started_at BIGINT NOT NULL, finished_at BIGINT, UNIQUE (operation_id, name))`,
  `CREATE TABLE binding (
    uuid VARCHAR(36) PRIMARY KEY, container_uuid VARCHAR(36) NOT NULL REFERENCES container (uuid) ON DELETE CASCADE,
    kind VARCHAR(16) NOT NULL, state VARCHAR(16) NOT NULL, position INTEGER NOT NULL, data TEXT NOT NULL,
    volume_uuid VARCHAR(36))`,
  'CREATE INDEX binding_container ON binding (container_uuid)',
  'CREATE INDEX binding_volume ON binding (volume_uuid)',
  `CREATE TABLE host (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid VARCHAR(36) NOT NULL UNIQUE, name VARCHAR(255) NOT NULL UNIQUE,
    availability_zone VARCHAR(255) NOT NULL, epoch BIGINT NOT NULL, inventory TEXT, disabled INTEGER NOT NULL,
    disabled_reason VARCHAR(255), forced_down INTEGER NOT NULL, last_seen_at BIGINT, engine_trouble TEXT,
    engine_trouble_since BIGINT, report_count BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT)`,
  `CREATE TABLE image (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid VARCHAR(36) NOT NULL UNIQUE, image_id VARCHAR(255),
    repo VARCHAR(255) NOT NULL, tag VARCHAR(255) NOT NULL, size BIGINT, host VARCHAR(255) NOT NULL,
    project_id VARCHAR(255) NOT NULL, user_id VARCHAR(255) NOT NULL, pending VARCHAR(16), error TEXT,
    UNIQUE (repo, tag, host))`,
  `CREATE TABLE local_network (
    uuid VARCHAR(36) PRIMARY KEY, name VARCHAR(255) NOT NULL, project_id VARCHAR(255) NOT NULL,
    default_key VARCHAR(255) UNIQUE, cidr_v4 VARCHAR(64) NOT NULL UNIQUE, gateway_v4 VARCHAR(64) NOT NULL,
    subnet_v4 VARCHAR(36) NOT NULL, cidr_v6 VARCHAR(64) UNIQUE, gateway_v6 VARCHAR(64), subnet_v6 VARCHAR(36),
    created_at BIGINT NOT NULL)`,
  'CREATE INDEX local_network_project ON local_network (project_id)',
  `CREATE TABLE local_address (
    network_uuid VARCHAR(36) NOT NULL REFERENCES local_network (uuid), address VARCHAR(64) NOT NULL,
    port_uuid VARCHAR(36) NOT NULL, PRIMARY KEY (network_uuid, address))`,
  'CREATE INDEX local_address_port ON local_address (port_uuid)',
  `CREATE TABLE local_volume (
    uuid VARCHAR(36) PRIMARY KEY, name VARCHAR(255), project_id VARCHAR(255) NOT NULL, user_id VARCHAR(255) NOT NULL,
    size_gib INTEGER NOT NULL, host VARCHAR(255), auto_remove INTEGER NOT NULL, created_at BIGINT NOT NULL)`,
  'CREATE INDEX local_volume_project ON local_volume (project_id)',
]

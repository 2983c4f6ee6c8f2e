export const identity: readonly string[] = [
  'CREATE TABLE identity_project (id VARCHAR(64) PRIMARY KEY, name VARCHAR(255) NOT NULL UNIQUE)',
  `CREATE TABLE identity_user (
    id VARCHAR(64) PRIMARY KEY, name VARCHAR(255) NOT NULL UNIQUE, password_hash VARCHAR(255) NOT NULL)`,
  `CREATE TABLE identity_assignment (
    user_id VARCHAR(64) NOT NULL, project_id VARCHAR(64) NOT NULL, role VARCHAR(64) NOT NULL,
    PRIMARY KEY (user_id, project_id, role))`,
  `CREATE TABLE identity_token (
    token_hash VARCHAR(64) PRIMARY KEY, caller TEXT NOT NULL, issued_at BIGINT NOT NULL, expires_at BIGINT NOT NULL)`,
  'CREATE INDEX identity_token_expiry ON identity_token (expires_at)',
  `CREATE TABLE identity_application_credential (
    id VARCHAR(64) PRIMARY KEY, name VARCHAR(255) NOT NULL, user_id VARCHAR(64) NOT NULL,
    project_id VARCHAR(64) NOT NULL, secret_hash VARCHAR(255) NOT NULL, UNIQUE (user_id, name))`,
]

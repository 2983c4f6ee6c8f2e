/**
 * Limits that an operator has set for a project or for a quota class; what has no row has the limit of the
 * configuration. And the way to the resizes of a project that are under way, since they hold what they ask for.
 */
export const quota: readonly string[] = [
  `CREATE TABLE quota (
    kind VARCHAR(16) NOT NULL,
    owner VARCHAR(255) NOT NULL,
    resource VARCHAR(16) NOT NULL,
    hard_limit BIGINT NOT NULL,
    PRIMARY KEY (kind, owner, resource))`,
  'CREATE INDEX operation_project ON operation (project_id, verb, state)',
]

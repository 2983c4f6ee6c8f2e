/** What a create looks up must not grow with the number of containers: sums from an index, the next address from a hint. */
export const sumsAndAddresses: readonly string[] = [
  'CREATE INDEX container_usage_project ON container (project_id, container_type, cpu, memory_mib, disk)',
  'CREATE INDEX container_usage_host ON container (host, cpu, memory_mib, disk)',
  'ALTER TABLE local_network ADD COLUMN next_host INTEGER NOT NULL DEFAULT 0',
]

/**
 * What a project and a host have in use, kept along with the containers: adding it up at every create took longer the
 * more there were. `cpu` is in millionths of a core, because sums of fractions drift.
 */
export const usage: readonly string[] = [
  'DROP INDEX container_usage_project',
  'DROP INDEX container_usage_host',
  `CREATE TABLE container_usage (
    kind VARCHAR(16) NOT NULL,
    owner VARCHAR(255) NOT NULL,
    containers INTEGER NOT NULL,
    cpu BIGINT NOT NULL,
    memory_mib BIGINT NOT NULL,
    disk BIGINT NOT NULL,
    PRIMARY KEY (kind, owner))`,
  `INSERT INTO container_usage (kind, owner, containers, cpu, memory_mib, disk)
    SELECT 'project', project_id, COUNT(*), SUM(ROUND(cpu * 1000000)), SUM(memory_mib), SUM(disk)
    FROM container WHERE container_type = 0 GROUP BY project_id`,
  `INSERT INTO container_usage (kind, owner, containers, cpu, memory_mib, disk)
    SELECT 'host', host, COUNT(*), SUM(ROUND(cpu * 1000000)), SUM(memory_mib), SUM(disk)
    FROM container WHERE host IS NOT NULL GROUP BY host`,
]

/**
 * What each container holds of its host. Until now that was what it was asked for. What hosts had said of themselves
 * lacks what allocating needs; they say it again when they come.
 */
export const allocation: readonly string[] = [
  'ALTER TABLE container ADD COLUMN allocation TEXT',
  'ALTER TABLE container ADD COLUMN exclusive INTEGER NOT NULL DEFAULT 0',
  'CREATE INDEX container_exclusive ON container (exclusive)',
  `UPDATE container SET allocation = '{"cpu":' || cpu || ',"memoryMiB":' || memory_mib || ',"diskGiB":' || disk ||
    ',"cpuset":null,"pciDevices":[]}' WHERE host IS NOT NULL AND container_type <= 1`,
  'UPDATE host SET inventory = NULL',
]

/** What is being deleted, and which hosts still have to remove their part of it. */
export const disposal: readonly string[] = [
  'ALTER TABLE local_network ADD COLUMN deleting INTEGER NOT NULL DEFAULT 0',
  'ALTER TABLE local_volume ADD COLUMN deleting INTEGER NOT NULL DEFAULT 0',
  `CREATE TABLE disposal (
    uuid VARCHAR(36) NOT NULL, host VARCHAR(255) NOT NULL, kind VARCHAR(16) NOT NULL, PRIMARY KEY (uuid, host))`,
  'CREATE INDEX disposal_host ON disposal (host)',
]

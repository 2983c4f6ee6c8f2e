/**
 * What makes some containers one capsule. The capsule's own row has an empty `name` when it was given none: no other row
 * has, and the column stays NOT NULL.
 */
export const capsule: readonly string[] = [
  'ALTER TABLE container ADD COLUMN capsule_uuid VARCHAR(36) REFERENCES container (uuid) ON DELETE CASCADE',
  'ALTER TABLE container ADD COLUMN annotations TEXT',
  'CREATE INDEX container_capsule ON container (capsule_uuid)',
]

/** Image registries of projects. `password` is sealed (docs/design/registries.md); a container keeps its registry there. */
export const registry: readonly string[] = [
  `CREATE TABLE registry (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uuid VARCHAR(36) NOT NULL UNIQUE, name VARCHAR(255),
    domain VARCHAR(255) NOT NULL, username VARCHAR(255), password TEXT, project_id VARCHAR(255) NOT NULL,
    user_id VARCHAR(255) NOT NULL)`,
  'CREATE INDEX registry_project ON registry (project_id, name)',
  'ALTER TABLE container ADD COLUMN registry_uuid VARCHAR(36) REFERENCES registry (uuid)',
  'CREATE INDEX container_registry ON container (registry_uuid)',
]

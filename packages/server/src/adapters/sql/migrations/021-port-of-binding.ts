/** The port that a network service outside of this one has for a binding: two containers must not be given the same. */
export const portOfBinding: readonly string[] = [
  'ALTER TABLE binding ADD COLUMN port_id VARCHAR(36)',
  'CREATE INDEX binding_port ON binding (port_id)',
  "UPDATE binding SET port_id = json_extract(data, '$.remote.portId') WHERE kind = 'port'",
]

/** Where a host listens for the control plane. */
export const hostAddress: readonly string[] = [
  'ALTER TABLE host ADD COLUMN dial_address VARCHAR(255)',
  'ALTER TABLE host ADD COLUMN dial_port INTEGER',
]

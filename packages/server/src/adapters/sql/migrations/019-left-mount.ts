/** What a host is to remove may be what a container that is gone had mounted. */
export const leftMount: readonly string[] = ['ALTER TABLE disposal ADD COLUMN mount TEXT']

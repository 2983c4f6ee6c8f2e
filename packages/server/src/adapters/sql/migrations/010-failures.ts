/** Attempts that met an error nobody foresaw, apart from those that had to wait for something. */
export const failures: readonly string[] = ['ALTER TABLE operation ADD COLUMN failures INTEGER NOT NULL DEFAULT 0']

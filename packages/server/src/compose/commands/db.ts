import { existsSync } from 'node:fs'
import { messageOf } from '../../domain/errors.ts'
import { SqlDatabase } from '../../adapters/sql/database.ts'
import { schemaVersion } from '../../adapters/sql/migrate.ts'
import { ConfigError } from '../config/config-error.ts'
import { databaseFile } from '../roles/shared-control-plane.ts'
import { parseWords, UsageError, type Streams } from './args.ts'
import { placesOf, ROLE_OPTIONS } from './role.ts'

export const DB_HELP = `usage: zund db sync [--config-file FILE]... [--config-dir DIR]... [--state-dir DIR]
       zund db version [...]

'sync' makes the database, or brings it to the version of this program; done once, before roles are started that are
newer than it. 'version' says at which it is. 'zund up' does this by itself.
Exit code 0 when it is at the version of this program, 3 when not, 1 when it cannot be opened.

  --config-file FILE   configuration, as of the roles
  --config-dir DIR     likewise
  --state-dir DIR      likewise`

const NOT_CURRENT = 3

export async function db(argv: readonly string[], { out }: Streams): Promise<number> {
  const { values, words } = parseWords('db', argv, { ...ROLE_OPTIONS, help: { type: 'boolean', short: 'h' } })
  if (values.help === true) {
    out(DB_HELP)
    return 0
  }
  const [action, ...more] = words
  if (more.length > 0) throw new UsageError(`zund db ${action}: '${more[0]}' is not expected`)
  if (action !== 'sync' && action !== 'version') {
    throw new UsageError("zund db: say 'sync' or 'version'; see 'zund db --help'")
  }
  const { state, config } = placesOf(values)
  const file = databaseFile(config, state)
  if (action === 'sync') {
    state.prepare()
    await migrated(file)
  }
  if (!existsSync(file)) {
    out(`${file} is not there; 'zund db sync' makes it`)
    return NOT_CURRENT
  }
  const { newest, missing, unknown } = schemaVersion(file)
  out(`${file} is at ${newest ?? 'no version'}`)
  for (const name of missing) out(`${name} is missing`)
  for (const name of unknown) out(`${name} is of a newer program`)
  return missing.length > 0 ? NOT_CURRENT : 0
}

async function migrated(file: string): Promise<void> {
  try {
    await new SqlDatabase(file, { isShared: true }).close()
  } catch (error) {
    throw new ConfigError(`the database ${file} cannot be made or changed: ${messageOf(error)}`)
  }
}

/** What every process of the control plane has: the database, and what is made of it. */
import { randomUUID } from 'node:crypto'
import { LocalDoorbell } from '../adapters/doorbell/local.ts'
import { SealedSecrets } from '../adapters/secrets/sealed-secrets.ts'
import { SqlDatabase, type DatabaseOptions } from '../adapters/sql/database.ts'
import { SqlStreamTickets } from '../adapters/sql/repos/stream-tickets.ts'
import { SqlStore } from '../adapters/sql/sql-store.ts'
import type { Secrets } from '../app/ports/secrets.ts'
import type { StreamTickets } from '../app/ports/stream-tickets.ts'
import { accessForOperation } from '../app/registries/access.ts'
import { resealPasswords } from '../app/registries/reseal.ts'
import { messageOf } from '../domain/errors.ts'
import { systemClock } from '../lib/system-clock.ts'
import { ControlPlaneService } from '../orchestration/control-plane/service.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import { EVENTS_BELL } from '../orchestration/ports/events.ts'
import type { Doorbell } from '../orchestration/ports/store.ts'
import { appOptions } from './app-options.ts'
import { ConfigError } from './config/config-error.ts'
import type { Config } from './config/options.ts'
import { imageDefaults } from './host.ts'
import { secretKeys } from './secret-keys.ts'
import type { StateDir } from './state-dir.ts'

export const DATABASE_FILE = 'zund.sqlite'

const LEASE_TTL_MS = 60_000
const TICKET_TTL_MS = 60_000

export interface ControlPlaneParts {
  readonly database: SqlDatabase
  /** To be closed; the database goes with it. */
  readonly store: SqlStore
  readonly doorbell: Doorbell
  readonly tickets: StreamTickets
}

export interface ControlPlaneOptions extends DatabaseOptions {
  /** Absent: rings stay in the process. */
  readonly doorbell?: Doorbell
}

/** `file` is the database. ConfigError when it cannot be opened. */
export function openControlPlane(file: string, options: ControlPlaneOptions = {}): ControlPlaneParts {
  const { doorbell = new LocalDoorbell(), ...rest } = options
  const database = openDatabase(file, rest)
  return {
    database,
    store: new SqlStore(database, { onEvents: () => doorbell.ring(EVENTS_BELL) }),
    doorbell,
    tickets: new SqlStreamTickets({ database, ttlMs: TICKET_TTL_MS }),
  }
}

/** What opens the passwords of registries. Those that were sealed under an older key are sealed anew. */
export async function openSecrets(
  { store }: Pick<ControlPlaneParts, 'store'>,
  { config, state, log }: { readonly config: Config; readonly state: StateDir; readonly log: Logger },
): Promise<Secrets> {
  const secrets = new SealedSecrets(secretKeys(config, state))
  await resealPasswords(store, secrets, log)
  return secrets
}

export interface LinkEndDeps extends Pick<ControlPlaneParts, 'database' | 'store' | 'doorbell'> {
  readonly config: Config
  readonly log: Logger
  readonly secrets: Secrets
}

/** What agents talk to. */
export function composeLinkEnd({ config, log, database, store, doorbell, secrets }: LinkEndDeps): ControlPlaneService {
  return new ControlPlaneService({
    store,
    doorbell,
    clock: systemClock,
    log,
    leaseTtlMs: LEASE_TTL_MS,
    deployment: database.deploymentId,
    newUuid: randomUUID,
    moving: appOptions(config),
    resumeStopped: config.resumeContainerState,
    // Credentials of the operator's registry stay on the host; these are the project's own.
    registryFor: (container) =>
      accessForOperation({ ...imageDefaults(config), registries: store.registries, secrets, log }, container),
  })
}

function openDatabase(file: string, options: DatabaseOptions): SqlDatabase {
  try {
    return new SqlDatabase(file, options)
  } catch (error) {
    throw new ConfigError(`the database ${file} cannot be opened: ${messageOf(error)}`)
  }
}
